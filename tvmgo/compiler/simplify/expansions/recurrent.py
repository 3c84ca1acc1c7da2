# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN: kept for who has kernels for them, or a step after the other.

Their length is fixed when a model is exported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tvmgo.compiler.simplify.expansions.quantized import dynamically_quantised
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite

# By name: the operator, the attributes that alpha and beta are, and what they are by default: for
# those that are no operators, as in ONNX Runtime.
ACTIVATIONS: dict[str, tuple[str, tuple[str, ...], tuple[float, ...]]] = {
    "affine": ("Affine", ("alpha", "beta"), (0.0, 0.0)),
    "elu": ("Elu", ("alpha",), (1.0,)),
    "hardsigmoid": ("HardSigmoid", ("alpha", "beta"), (0.2, 0.5)),
    "leakyrelu": ("LeakyRelu", ("alpha",), (0.01,)),
    "relu": ("Relu", (), ()),
    "scaledtanh": ("ScaledTanh", ("alpha", "beta"), (0.0, 0.0)),
    "sigmoid": ("Sigmoid", (), ()),
    "softplus": ("Softplus", (), ()),
    "softsign": ("Softsign", (), ()),
    "tanh": ("Tanh", (), ()),
    "thresholdedrelu": ("ThresholdedRelu", ("alpha",), (1.0,)),
}

Activation = Callable[[str], str]

# Of each operator, the functions of a direction, how many of them get clipped arguments, and the
# blocks of its weights.
DEFAULTS = {
    "LSTM": (["Sigmoid", "Tanh", "Tanh"], 2, 4),
    "GRU": (["Sigmoid", "Tanh"], 2, 3),
    "RNN": (["Tanh"], 1, 1),
}


def directions_of(node: Node) -> list[bool]:
    """Return of each direction whether it begins with the last step."""
    return {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[
        node.attributes.get("direction", b"forward").decode()
    ]


def activations_of(node: Node) -> list[tuple[str, dict[str, float]]]:
    """Return all activations, with alpha and beta where they have them."""
    attributes = node.attributes
    defaults = DEFAULTS[node.operator.removeprefix("DynamicQuantize")][0]
    names = [
        name.decode() if isinstance(name, bytes) else name
        for name in attributes.get("activations", defaults * len(directions_of(node)))
    ]
    alphas = list(attributes.get("activation_alpha", []))
    betas = list(attributes.get("activation_beta", []))
    found = []
    for name in names:
        if name.lower() not in ACTIVATIONS:
            raise node.refuse(f"its activation {name} is not known")
        operator, parameters, values = ACTIVATIONS[name.lower()]
        given = dict(zip(parameters, values))
        for parameter, queue in (("alpha", alphas), ("beta", betas)):
            if parameter in given and queue:
                given[parameter] = queue.pop(0)
        found.append((operator, given))
    return found


def keep_or(expand: Rewrite) -> Rewrite:
    """Return a rewrite that keeps what a kernel of its own goes through, and expands the rest."""

    def keep(node: Node, g: GraphEditor) -> bool:
        lengths = node.input(4)
        sizes = g.shape(node.input(0))
        directions = len(directions_of(node))
        activations = activations_of(node)
        each = len(activations) // directions
        if (
            g.dtype(node) not in (np.float16, np.float32)
            or any(g.constant(node.input(i)) is None for i in (1, 2, 3) if node.input(i))
            or not sizes
            or 0 in sizes
            or activations != activations[:each] * directions
            or each != len(DEFAULTS[node.operator][0])
        ):
            return expand(node, g)
        known = g.constant(lengths)
        steps = sizes[1 if node.attributes.get("layout", 0) else 0]
        inputs = node.inputs
        if known is not None and (known == steps).all():
            inputs[4] = ""
        numbers: dict[str, list[float]] = {"alpha": [], "beta": []}
        for _, given in activations:
            for name, value in given.items():
                numbers[name].append(value)
        attributes = {
            **node.attributes,
            "hidden_size": g.need_shape(node, 2)[-1],
            "activations": [name for name, _ in activations],
            "activation_alpha": numbers["alpha"] or None,
            "activation_beta": numbers["beta"] or None,
        }
        g.replace(node, inputs, **attributes)
        return True

    return keep


class Recurrence:
    """What the three operators have in common: `gates` blocks of weights, one state or two."""

    def __init__(self, node: Node, g: GraphEditor) -> None:
        self.node, self.g = node, g
        self.quantised = node.operator.startswith("DynamicQuantize")
        defaults, clipped, self.gates = DEFAULTS[node.operator.removeprefix("DynamicQuantize")]
        self.dtype = g.dtype(node)
        sizes = g.need_dimensions(node)
        self.batch_first = bool(node.attributes.get("layout", 0))
        steps, self.batch = sizes[1::-1] if self.batch_first else sizes[:2]
        if steps is None:
            raise node.refuse("how many steps it takes is open", "fix it by shapes={input: shape}")
        self.steps = steps
        self.hidden = g.need_shape(node, 2)[1 if self.quantised else -1]
        self.reversed = directions_of(node)
        self.lengths = self._lengths()
        made = [
            self._activation(operator, given, i % len(defaults) < clipped)
            for i, (operator, given) in enumerate(activations_of(node))
        ]
        each = len(defaults)
        # Of each direction the first `clipped` get clipped arguments, as ONNX Runtime has it.
        self.activations = [made[i : i + each] for i in range(0, len(made), each)]

    def _activation(self, operator: str, attributes: dict[str, Any], clipped: bool) -> Activation:
        clip = self.node.attributes.get("clip", 0.0) if clipped else 0.0
        limits = [self.g.add_constant(value, self.dtype) for value in (-clip, clip)] if clip else []

        def apply(x: str) -> str:
            if limits:
                x = self.g.add("Clip", [x, *limits])
            if operator in ("Affine", "ScaledTanh"):  # ONNX has no operators for these
                alpha, beta = (
                    self.g.add_constant(each, self.dtype) for each in attributes.values()
                )
                if operator == "Affine":
                    return self.g.add("Add", [self.g.add("Mul", [x, alpha]), beta])
                return self.g.add(
                    "Mul", [self.g.add("Tanh", [self.g.add("Mul", [x, beta])]), alpha]
                )
            return self.g.add(operator, [x], **attributes)

        return apply

    def _lengths(self) -> str | None:
        """Return a column of how many steps each sequence has, None if all have all."""
        g, lengths = self.g, self.node.input(4)
        known = g.constant(lengths)
        if lengths is None or (known is not None and (known == self.steps).all()):
            return None
        return g.add("Unsqueeze", [g.cast(lengths, np.int64), g.integers(1)])

    def part(self, name: str, axis: int, start: int, stop: int) -> str:
        i = self.g.integers
        return self.g.add("Slice", [name, i(start), i(stop), i(axis)])

    def one(self, name: str, axis: int, index: int) -> str:
        """Return what `name` has at a place of an axis, without the axis."""
        return self.g.add("Gather", [name, self.g.add_constant(index, np.int64)], axis=axis)

    def weights(self, index: int, direction: int) -> str | None:
        name = self.node.input(index)
        return None if name is None else self.one(name, 0, direction)

    def transposed(self, index: int, direction: int) -> str:
        return self.g.add("Transpose", [self.weights(index, direction)], perm=[1, 0])

    def product(self, index: int, direction: int) -> Callable[[str | None], str]:
        """Return the function that multiplies by weights."""
        if self.quantised:
            return self._quantised_product(index, direction)
        weights = self.transposed(index, direction)
        return lambda x: self.g.add("MatMul", [x, weights])

    def _quantised_product(self, index: int, direction: int) -> Callable[[str | None], str]:
        """Quantise what is multiplied by weights that are integers, and are not transposed.

        As in ONNX Runtime all steps of an input are quantised together, a state alone.
        """
        g, of_weights = self.g, 8 if index == 1 else 10
        scale, zero = (self.weights(of_weights + i, direction) for i in range(2))
        weights = self._centred(self.weights(index, direction), zero)

        def multiply(x: str | None) -> str:
            values, by, at_zero = dynamically_quantised(g, x)
            total = g.add("MatMul", [self._centred(values, at_zero), weights])
            return g.add("Mul", [total, g.add("Mul", [by, scale])])

        return multiply

    def _centred(self, name: str | None, zero: str | None) -> str:
        g = self.g
        return g.add("Sub", [g.cast(name, np.float32), g.cast(zero, np.float32)])

    def biases(self, direction: int) -> tuple[str | None, str | None]:
        both = self.weights(3, direction)
        if both is None:
            return None, None
        width = self.gates * self.hidden
        return self.part(both, 0, 0, width), self.part(both, 0, width, 2 * width)

    def plus(self, x: str, y: str | None) -> str:
        return x if y is None else self.g.add("Add", [x, y])

    def gate(self, x: str, index: int) -> str:
        return self.part(x, 1, index * self.hidden, (index + 1) * self.hidden)

    def initial(self, index: int, direction: int) -> str:
        name = self.node.input(index)
        if name is None:
            return self.zeros()
        return self.one(name, 1 if self.batch_first else 0, direction)

    def zeros(self) -> str:
        """Return a state of zeros, one line for each of the batch."""
        g = self.g
        if self.batch is not None:
            return g.add_constant(np.zeros((self.batch, self.hidden)), self.dtype)
        shape = g.add("Shape", [self.node.input(0)])
        batch = g.add("Gather", [shape, g.integers(0 if self.batch_first else 1)], axis=0)
        wanted = g.add("Concat", [batch, g.integers(self.hidden)], axis=0)
        return g.add("Expand", [g.add_constant(0, self.dtype), wanted])

    def run(self, begin: Callable[[int], tuple[list[str], Callable[..., list[str]]]]) -> bool:
        """Unroll all directions.

        `begin` gives, for a direction, its first states and a function from what a step reads and
        the states to the next ones; the first state is what comes out.
        """
        g, node = self.g, self.node
        x = node.input(0)
        if self.batch_first:
            x = g.add("Transpose", [x], perm=[1, 0, 2])
        series, last = [], []
        for direction, backwards in enumerate(self.reversed):
            states, step = begin(direction)
            inputs = self.product(1, direction)(x)
            outputs = []
            for t in range(self.steps)[:: -1 if backwards else 1]:
                before, states = states, step(self.one(inputs, 0, t), *states)
                outputs.append(states[0])
                if self.lengths is not None:
                    going = g.add("Less", [g.add_constant(t, np.int64), self.lengths])
                    nothing = g.add_constant(0, self.dtype)
                    states = [g.add("Where", [going, *pair]) for pair in zip(states, before)]
                    outputs[-1] = g.add("Where", [going, outputs[-1], nothing])
            series.append(self._stack(outputs[:: -1 if backwards else 1], 0))
            last.append(states)
        self._give(0, self._stack(series, 1), [2, 0, 1, 3])
        for index in range(len(last[0])):
            self._give(index + 1, self._stack([states[index] for states in last], 0), [1, 0, 2])
        return True

    def _stack(self, parts: list[str], axis: int) -> str:
        g = self.g
        wide = [g.add("Unsqueeze", [part, g.integers(axis)]) for part in parts]
        return g.add("Concat", wide, axis=axis)

    def _give(self, index: int, value: str, batch_first: list[int]) -> None:
        if not self.node.has_output(index):
            return
        outputs = [self.node.outputs[index]]
        if self.batch_first:
            self.g.add("Transpose", [value], outputs, perm=batch_first)
        else:
            self.g.add("Identity", [value], outputs)


def lstm(node: Node, g: GraphEditor) -> bool:
    """The blocks of weights are input, output, forget and cell.

    DynamicQuantizeLSTM is the same but for its products.
    """
    r = Recurrence(node, g)

    def begin(direction: int) -> tuple[list[str], Callable[..., list[str]]]:
        f, cell_in, cell_out = r.activations[direction]
        recur, (first, second) = r.product(2, direction), r.biases(direction)
        bias = None if first is None else r.plus(first, second)
        peepholes = r.weights(7, direction)

        def peep(x: str, index: int, cell: str) -> str:
            if peepholes is None:
                return x
            p = r.part(peepholes, 0, index * r.hidden, (index + 1) * r.hidden)
            return g.add("Add", [x, g.add("Mul", [p, cell])])

        def step(x: str, h: str, c: str) -> list[str]:
            total = r.plus(g.add("Add", [x, recur(h)]), bias)
            update = f(peep(r.gate(total, 0), 0, c))
            if node.attributes.get("input_forget", 0):
                forget = g.add("Sub", [g.add_constant(1, r.dtype), update])
            else:
                forget = f(peep(r.gate(total, 2), 2, c))
            fresh = g.add("Mul", [update, cell_in(r.gate(total, 3))])
            c = g.add("Add", [g.add("Mul", [forget, c]), fresh])
            output = f(peep(r.gate(total, 1), 1, c))
            return [g.add("Mul", [output, cell_out(c)]), c]

        return [r.initial(5, direction), r.initial(6, direction)], step

    return r.run(begin)


def gru(node: Node, g: GraphEditor) -> bool:
    """The blocks of weights are update, reset and hidden."""
    r = Recurrence(node, g)
    one = g.add_constant(1, r.dtype)

    def begin(direction: int) -> tuple[list[str], Callable[..., list[str]]]:
        f, hidden_of = r.activations[direction]
        weights, (first, second) = r.transposed(2, direction), r.biases(direction)
        gates = r.part(weights, 1, 0, 2 * r.hidden)
        own = r.part(weights, 1, 2 * r.hidden, 3 * r.hidden)

        def piece(bias: str | None, start: int, stop: int) -> str | None:
            return bias and r.part(bias, 0, start * r.hidden, stop * r.hidden)

        def step(x: str, h: str) -> list[str]:
            x = r.plus(x, first)
            total = r.plus(g.add("MatMul", [h, gates]), piece(second, 0, 2))
            both = g.add("Add", [r.part(x, 1, 0, 2 * r.hidden), total])
            update, reset = f(r.gate(both, 0)), f(r.gate(both, 1))
            if node.attributes.get("linear_before_reset", 0):
                inner = r.plus(g.add("MatMul", [h, own]), piece(second, 2, 3))
                inner = g.add("Mul", [reset, inner])
            else:
                inner = g.add("MatMul", [g.add("Mul", [reset, h]), own])
                inner = r.plus(inner, piece(second, 2, 3))
            fresh = hidden_of(g.add("Add", [r.gate(x, 2), inner]))
            kept = g.add("Mul", [update, h])
            return [g.add("Add", [g.add("Mul", [g.add("Sub", [one, update]), fresh]), kept])]

        return [r.initial(5, direction)], step

    return r.run(begin)


def rnn(node: Node, g: GraphEditor) -> bool:
    r = Recurrence(node, g)

    def begin(direction: int) -> tuple[list[str], Callable[..., list[str]]]:
        (f,) = r.activations[direction]
        weights, (first, second) = r.transposed(2, direction), r.biases(direction)
        bias = None if first is None else r.plus(first, second)

        def step(x: str, h: str) -> list[str]:
            return [f(r.plus(g.add("Add", [x, g.add("MatMul", [h, weights])]), bias))]

        return [r.initial(5, direction)], step

    return r.run(begin)
