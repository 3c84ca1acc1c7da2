# SPDX-License-Identifier: Apache-2.0
"""What one step of LSTM, GRU and RNN computes of the sums of its gates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Union

from tvmgo.compiler.relax.templates.kernels.activations import ACTIVATIONS, like, within
from tvmgo.compiler.relax.templates.kernels.emitting import kept


@dataclass(frozen=True)
class Activation:
    """A function with its numbers; `clip`, if not 0, bounds its argument."""

    name: str
    alpha: float = 0.0
    beta: float = 0.0
    clip: float = 0.0

    def __call__(self, x: Any) -> Any:
        if self.clip:
            x = within(kept(x), -self.clip, self.clip)
        return kept(ACTIVATIONS[self.name](kept(x), self.alpha, self.beta))


@dataclass(frozen=True)
class Product:
    """What is multiplied by recurrent weights within a step.

    Attributes
    ----------
    gates : sequence of int
        Blocks of the weights.
    source : int
        The state that they are multiplied with: 0 is the hidden one.
    """

    gates: Sequence[int]
    source: int


@dataclass(frozen=True)
class Units:
    """Some units of a cell, a vector of each value.

    Attributes
    ----------
    sums : dict of int to Expr
        By gate: what the recurrent weights give.
    inputs : callable
        Takes a gate; returns what the input's weights and the biases give.
    state : callable
        Takes the number of a state; returns what it was before the step, or what an earlier product
        of the step has put there.
    bias : callable
        Returns that of the recurrent weights of a gate, where it is apart from `inputs`.
    peephole : callable
        Takes a gate; returns its weights of the cell's state, or None.
    """

    sums: dict[int, Any]
    inputs: Callable[[int], Any]
    state: Callable[[int], Any]
    bias: Callable[[], Any]
    peephole: Callable[[int], Any]

    def total(self, gate: int) -> Any:
        return self.inputs(gate) + self.sums[gate]


# The states that a product of a step makes, by number.
States = dict[int, Any]


class Rnn:
    gates = 1
    results = 1  # states that come out
    states = 1
    products: Sequence[Product] = (Product((0,), 0),)

    def __init__(self, activations: Sequence[Activation]) -> None:
        (self.hidden,) = activations

    def finish(self, product: int, units: Units) -> States:
        return {0: self.hidden(units.total(0))}


class Lstm:
    """Gates: input, output, forget, cell. State 1 is the cell's."""

    gates = 4
    results = 2
    states = 2
    products: Sequence[Product] = (Product((0, 1, 2, 3), 0),)

    def __init__(self, activations: Sequence[Activation], input_forget: bool = False) -> None:
        self.gate, self.cell_in, self.cell_out = activations
        self.input_forget = input_forget

    def finish(self, product: int, units: Units) -> States:
        def gate(number: int, cell: Any) -> Any:
            peephole = units.peephole(number)
            total = units.total(number)
            return self.gate(total if peephole is None else total + peephole * cell)

        cell = units.state(1)
        update = gate(0, cell)
        forget = like(1.0, update) - update if self.input_forget else gate(2, cell)
        cell = kept(forget * cell + update * self.cell_in(units.total(3)))
        return {1: cell, 0: gate(1, cell) * self.cell_out(cell)}


class Gru:
    """Gates: update, reset, hidden. The hidden one is reset behind its product."""

    gates = 3
    results = 1
    states = 1
    products: Sequence[Product] = (Product((0, 1, 2), 0),)

    def __init__(self, activations: Sequence[Activation]) -> None:
        self.gate, self.hidden = activations

    def finish(self, product: int, units: Units) -> States:
        update, reset = self.gate(units.total(0)), self.gate(units.total(1))
        inner = reset * (units.sums[2] + units.bias())
        return {0: self.next(update, self.hidden(units.inputs(2) + inner), units.state(0))}

    @staticmethod
    def next(update: Any, fresh: Any, before: Any) -> Any:
        return (like(1.0, update) - update) * fresh + update * before


class GruResetBefore(Gru):
    """The state is reset before its product, which thus waits for all of the gates.

    State 1 is the update gate, 2 what is reset.
    """

    states = 3
    products = (Product((0, 1), 0), Product((2,), 2))

    def finish(self, product: int, units: Units) -> States:
        before = units.state(0)
        if product == 0:
            return {1: self.gate(units.total(0)), 2: self.gate(units.total(1)) * before}
        return {0: self.next(units.state(1), self.hidden(units.total(2)), before)}


Cell = Union[Rnn, Lstm, Gru]
