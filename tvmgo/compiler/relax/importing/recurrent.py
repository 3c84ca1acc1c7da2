# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN, as simplified models have them.

There they have constant weights, and name all of their activations and these's numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from tvm import relax
from tvm.relax import op as R

from tvmgo.compiler.relax.described import described_call
from tvmgo.compiler.relax.expressions import constant, known_shape
from tvmgo.compiler.relax.recurrent import RECURRENT, Recurrent

DTYPE = "float32"
BACKWARDS = {b"forward": (False,), b"reverse": (True,), b"bidirectional": (False, True)}
# Activations with an alpha, and those with a beta as well.
WITH_ALPHA = ("Affine", "Elu", "HardSigmoid", "LeakyRelu", "ScaledTanh", "ThresholdedRelu")
WITH_BETA = ("Affine", "HardSigmoid", "ScaledTanh")


def convert_recurrent(operator: str) -> Callable[..., relax.Expr]:
    """Return the converter of one of the three operators."""

    def convert(bb: relax.BlockBuilder, inputs: Any, attributes: Any, where: str) -> relax.Expr:
        x, lengths, initial_h = inputs[0], inputs[4], inputs[5]
        dtype = str(x.ty.dtype)
        w, r = (weights(inputs[i]) for i in (1, 2))
        directions, rows, hidden = r.shape
        biases = np.zeros((directions, 2, rows), DTYPE)
        if inputs[3] is not None:
            biases = weights(inputs[3]).reshape(directions, 2, rows)
        option = bool(attributes.get("input_forget" if operator == "LSTM" else OF_GRU, 0))
        optional: dict[str, relax.Expr | None] = {"lengths": lengths}
        together = biases.sum(1)
        if operator == "GRU" and option:  # the recurrent weights' bias is reset as well
            together[:, -hidden:] = biases[:, 0, -hidden:]
            optional["bias"] = relax.const(np.ascontiguousarray(biases[:, 1, -hidden:]))
        if operator == "LSTM":
            optional["peepholes"] = inputs[7]
        optional["initial_h"] = initial_h
        if operator == "LSTM":
            optional["initial_c"] = inputs[6]
        given = {name: each for name, each in optional.items() if each is not None}
        arguments = [
            cast(bb, each, "int32" if name == "lengths" else DTYPE) for name, each in given.items()
        ]

        batch_first = bool(attributes.get("layout", 0))
        steps, batch = known_shape(x)[:2][:: -1 if batch_first else 1]
        what = Recurrent(
            operator,
            *(steps, batch, hidden, BACKWARDS[attributes.get("direction", b"forward")]),
            batch_first,
            activations_of(attributes)[: len(attributes["activations"]) // directions],
            attributes.get("clip", 0.0),
            option,
            list(given),
        )
        assert attributes["hidden_size"] == hidden
        of_input = relax.const(np.ascontiguousarray(w.reshape(-1, w.shape[-1]).T))
        product = bb.emit(R.matmul(cast(bb, x, DTYPE), of_input))
        product = bb.emit(R.add(product, relax.const(together.reshape(-1))))
        types = [relax.TensorType(shape, DTYPE) for shape in shapes(what)]
        series, *last = unpacked(
            bb,
            described_call(RECURRENT, asdict(what), [product, relax.const(r), *arguments], types),
        )
        return relax.Tuple([cast(bb, each, dtype) for each in (series, *last)])

    return convert


OF_GRU = "linear_before_reset"


def activations_of(attributes: Any) -> list[tuple[str, float, float]]:
    """Return the functions of all directions."""
    alphas = list(attributes.get("activation_alpha", ()))
    betas = list(attributes.get("activation_beta", ()))
    return [
        (
            name,
            alphas.pop(0) if name in WITH_ALPHA else 0.0,
            betas.pop(0) if name in WITH_BETA else 0.0,
        )
        for name in (each.decode() for each in attributes["activations"])
    ]


def shapes(what: Recurrent) -> list[tuple[int, ...]]:
    """Return those of the series and the last states."""
    directions = len(what.backwards)
    series = (what.steps, directions, what.batch, what.hidden)
    last = (directions, what.batch, what.hidden)
    if what.batch_first:
        series = (what.batch, what.steps, directions, what.hidden)
        last = (what.batch, directions, what.hidden)
    return [series, *([last] * (2 if what.operator == "LSTM" else 1))]


def weights(x: relax.Expr) -> np.ndarray:
    content = constant(x)
    assert content is not None
    return content.astype(DTYPE)


def cast(bb: relax.BlockBuilder, x: relax.Expr, dtype: str) -> relax.Expr:
    return x if str(x.ty.dtype) == dtype else bb.emit(R.astype(x, dtype))


def unpacked(bb: relax.BlockBuilder, call: relax.Expr) -> Sequence[relax.Expr]:
    whole = bb.emit(call)
    return [bb.emit(relax.TupleGetItem(whole, i)) for i in range(len(whole.ty.fields))]
