# SPDX-License-Identifier: Apache-2.0
"""Vectors of partial results."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tvm import tirx

from tvmgo.compiler.relax.schedule.expressions import element_type, number, substitute
from tvmgo.compiler.relax.schedule.loops import Piece, Point, vector
from tvmgo.compiler.relax.schedule.nests import Nest

WIDE_SUMS = {"float16": "float32", "bfloat16": "float32"}


class Accumulator:
    """A vector of partial results, in memory that the compiler keeps in a register."""

    def __init__(self, nest: Nest, lanes: int) -> None:
        assert nest.reduction is not None
        self.reduction = nest.reduction
        kept = element_type(self.reduction.result)
        self.dtype = WIDE_SUMS.get(kept, kept) if is_sum(self.reduction) else kept
        self.lanes = lanes
        self.memory = tirx.decl_buffer((lanes,), self.dtype, "partial")

    def start(self) -> list[Any]:
        identity = self.reduction.identity
        if element_type(identity) != self.dtype:
            identity = tirx.Cast(self.dtype, identity)
        return [tirx.AllocBuffer(self.memory), self.store(lambda lane: identity)]

    def store(self, value: Callable[[Any], Any]) -> Any:
        return vector(self.lanes, lambda lane: tirx.BufferStore(self.memory, value(lane), [lane]))

    def add(self, values: Callable[[Any], Point]) -> Any:
        """Add the term at the point that each lane has."""

        def combined(lane: Any) -> Any:
            term = substitute(self.reduction.term, values(lane))
            return self.combine(self.memory[lane], term)

        return self.store(combined)

    def combine(self, a: Any, b: Any) -> Any:
        if self.dtype != element_type(self.reduction.result):
            return a + (b if element_type(b) == self.dtype else tirx.Cast(self.dtype, b))
        return self.reduction.combine(a, b)

    def result(self, lane: Any) -> Any:
        kept = element_type(self.reduction.result)
        value = self.memory[lane]
        return value if self.dtype == kept else tirx.Cast(kept, value)


def is_sum(reduction: Any) -> bool:
    a, b = reduction.result, tirx.Var("b", reduction.result.ty)
    return isinstance(reduction.combine(a, b), tirx.Add)


def fold(nest: Nest, cells: list[Accumulator]) -> tuple[Accumulator, list[Any]]:
    """Combine vectors, the widest first, and then their halves, until one element is left."""
    total, *others = cells
    statements = []
    while others or total.lanes > 1:
        if others and others[0].lanes == total.lanes:
            statements.append(total.store(partial(combined, total, others.pop(0), 0)))
            continue
        half = Accumulator(nest, total.lanes // 2)
        statements.append(tirx.AllocBuffer(half.memory))
        statements.append(half.store(partial(combined, total, total, half.lanes)))
        total = half
    return total, statements


def combined(a: Accumulator, b: Accumulator, further: int, lane: Any) -> Any:
    """Combine a lane of one with a lane of the other that lies so much further."""
    return a.combine(a.memory[lane], b.memory[lane + number(further)])


def grouped(found: list[Piece], size: int) -> list[tuple[Piece, int]]:
    """Take several vectors at a time: (piece of groups, vectors in a group)."""
    groups = []
    for piece in found:
        whole, rest = divmod(piece.count, size)
        if whole:
            groups.append((Piece(piece.begin, whole, piece.lanes), size))
        if rest:
            begin = piece.begin + whole * size * piece.lanes
            groups.append((Piece(begin, 1, piece.lanes), rest))
    return groups
