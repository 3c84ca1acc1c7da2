# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN in a Relax module, which has no operators for them.

The importer makes each a call of a function that nobody has, with a description as its attributes;
a template takes its place.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import tvm
from tvm import relax

FUNCTION = "tvmgo.recurrent"
DESCRIPTION = "description"


@dataclass(frozen=True)
class Recurrent:
    """What the operator is.

    Attributes
    ----------
    operator : {"LSTM", "GRU", "RNN"}
    steps, batch, hidden : int
    backwards : sequence of bool
        Of each direction, whether it begins with the last step.
    batch_first : bool
        Whether the batch comes before the steps, and before the directions of a state.
    activations : sequence of (str, float, float)
        Names, alphas and betas.
    clip : float
        Bound of what goes into gates; 0 for none.
    option : bool
        Of an LSTM, that its forget gate is what its input gate leaves; of a GRU, that its state is
        reset before its product with weights, not after.
    optional : sequence of str
        Arguments that there are behind the inputs' part and the weights.
    """

    operator: str
    steps: int
    batch: int
    hidden: int
    backwards: Sequence[bool]
    batch_first: bool
    activations: Sequence[tuple[str, float, float]]
    clip: float
    option: bool
    optional: Sequence[str]


def recurrent_call(
    what: Recurrent, arguments: Sequence[relax.Expr], types: Sequence[relax.TensorType]
) -> relax.Call:
    attrs = tvm.ir.make_node("ir.DictAttrs", **{DESCRIPTION: json.dumps(asdict(what))})
    callee = relax.ExternFunc(FUNCTION)
    call = relax.call_dps_packed(callee, arguments, list(types))
    return relax.Call(call.op, call.args, attrs, call.ty_args)


def read_recurrent(call: relax.Call) -> Recurrent | None:
    """Return what a call of `call_dps_packed` computes, if `recurrent_call` has made it."""
    if getattr(call.args[0], "global_symbol", None) != FUNCTION:
        return None
    return Recurrent(**json.loads(call.attrs[DESCRIPTION]))
