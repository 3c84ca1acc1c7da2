# SPDX-License-Identifier: Apache-2.0
"""Loops around statements."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tvm
from tvm import tirx

from tvmgo.compiler.relax.schedule.expressions import Load, data_nodes, is_choice, number
from tvmgo.compiler.relax.schedule.lanes import pick
from tvmgo.compiler.relax.schedule.nests import Nest

# As many equal tasks as most processors have threads, several times over.
TASKS = 64


Point = dict[Any, Any]  # what the variables of axes are


class Piece(NamedTuple):
    """Part of an axis: `count` vectors of so many lanes from `begin` on."""

    begin: int
    count: int  # type: ignore[assignment]  # hides tuple's
    lanes: int


def loop(extent: Any, body: Callable[[Any], Any], kind: tirx.ForKind = tirx.ForKind.SERIAL) -> Any:
    if isinstance(extent, int):
        if extent == 1:
            return body(number(0))
        extent = number(extent)
    var = tvm.ir.Var("i", number(0).ty)
    return tirx.For(var, number(0), extent, kind, body(var))


def loops(extents: Sequence[int], body: Callable[[list[Any]], Any], parallel: bool = False) -> Any:
    """Nest loops; in parallel over as many of the outer ones as make enough tasks."""
    if 1 in extents:
        longer = [extent for extent in extents if extent > 1]

        def spread(steps: list[Any]) -> Any:
            given = iter(steps)
            return body([next(given) if extent > 1 else number(0) for extent in extents])

        return loops(longer, spread, parallel)
    if parallel:
        count = next(
            (n for n in range(len(extents)) if math.prod(extents[:n]) >= TASKS), len(extents)
        )
        outer, inner = list(extents[:count]), extents[count:]

        def task(index: Any) -> Any:
            point = []
            for place, extent in enumerate(outer):
                rest = math.prod(outer[place + 1 :])
                step = tirx.floordiv(index, number(rest)) if rest > 1 else index
                point.append(tirx.floormod(step, number(extent)) if place else step)
            return loops(inner, lambda steps: body([*point, *steps]))

        if math.prod(outer) > 1:
            return loop(math.prod(outer), task, tirx.ForKind.PARALLEL)
    if not extents:
        return body([])
    return loop(extents[0], lambda i: loops(extents[1:], lambda steps: body([i, *steps])))


def vector(lanes: int, statement: Callable[[Any], Any]) -> Any:
    if lanes == 1:
        return statement(number(0))
    lane = tvm.ir.Var("lane", number(0).ty)
    before, picked = pick(lane, lanes, statement(lane))
    whole = tirx.For(lane, number(0), number(lanes), tirx.ForKind.VECTORIZED, picked)
    return sequence([*before, whole])


def sequence(statements: Sequence[Any]) -> Any:
    return statements[0] if len(statements) == 1 else tirx.SeqStmt(list(statements))


def pieces(extent: int, lanes: int, *, whole_tail: bool = False) -> list[Piece]:
    """Cover an axis by vectors, and what is left by shorter ones, or one element at a time."""
    found = [Piece(0, extent // lanes, lanes)] if extent >= lanes else []
    begin = extent // lanes * lanes
    if whole_tail and begin < extent and found:
        return [*found, Piece(begin, extent - begin, 1)]
    while begin < extent:
        lanes //= 2
        if begin + lanes <= extent:
            found.append(Piece(begin, 1, lanes))
            begin += lanes
    return found


def lanes_for(nest: Nest, vector_bytes: int) -> int:
    """Return how many elements fit into a vector of the widest type that is computed with.

    Where something is chosen that may not be computed otherwise, it is one.
    """
    expressions = [nest.value, *([nest.reduction.term] if nest.reduction else [])]
    widths = [width(nest.buffer.ty.dtype)]
    for node in (node for expression in expressions for node in data_nodes(expression)):
        if is_choice(node):
            return 1
        if isinstance(node, (Load, tirx.Cast)):
            widths.append(width(node.ty))
    return max(1, vector_bytes * 8 // max(widths))


def width(ty: Any) -> int:
    return int(tvm.DataType(str(ty)).bits)
