# SPDX-License-Identifier: Apache-2.0
"""Loops of nests that accumulate.

Either neighbouring results are accumulated in a vector, each from its own terms in their order; or
one result's neighbouring terms are, in several vectors that are combined in the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tvm import tirx

from tvmgo.compiler.relax.schedule.accumulators import Accumulator, fold, grouped
from tvmgo.compiler.relax.schedule.axes import Accesses
from tvmgo.compiler.relax.schedule.expressions import number, substitute
from tvmgo.compiler.relax.schedule.loops import (
    TASKS,
    Piece,
    Point,
    lanes_for,
    loop,
    loops,
    pieces,
    sequence,
    vector,
)
from tvmgo.compiler.relax.schedule.nests import Axis, Nest

COLUMNS = 4  # vectors of neighbouring results at a time
ROWS = (4, 3, 2)  # results at a time that use the same vectors
PARTS = 4  # vectors into which one result is accumulated: so many additions are under way


def reduction_loops(nest: Nest, vector_bytes: int, parallel: bool) -> Any:
    """Write the loops of a nest on flat buffers."""
    lanes = lanes_for(nest, vector_bytes)
    along = column_axis(nest)
    if along is not None and along.extent >= min(lanes, 4):
        return by_columns(nest, along, lanes, parallel)
    within = term_axis(nest)
    if within is not None and within.extent >= min(lanes, 4):
        return by_terms(nest, within, lanes, parallel)
    if along is not None:
        return by_columns(nest, along, lanes, parallel)
    return by_terms(nest, None, 1, parallel)


def column_axis(nest: Nest) -> Axis | None:
    """Return the axis along which results lie, if no vector of terms has to be gathered."""
    accesses = Accesses(nest)
    for axis in reversed(nest.axes):
        if accesses.store_stride(axis.var) == 1:
            steps = accesses.strides(axis.var)[1:]
            return axis if all(step in (0, 1, 2) for step in steps) else None
    return None


def term_axis(nest: Nest) -> Axis | None:
    assert nest.reduction is not None
    if not nest.reduction.any_order or not nest.reduction.axes:
        return None
    axis = nest.reduction.axes[-1]
    steps = Accesses(nest).strides(axis.var)[1:]
    return axis if all(step in (0, 1) for step in steps) else None


def accumulate(axes: Sequence[Axis], body: Callable[[Point], Any]) -> Any:
    return loops(
        [axis.extent for axis in axes],
        lambda steps: body({axis.var: step for axis, step in zip(axes, steps)}),
    )


def finish(nest: Nest, point: Point, result: Any) -> Any:
    assert nest.reduction is not None
    values = {**point, nest.reduction.result: result}
    indices = [substitute(index, values) for index in nest.indices]
    return tirx.BufferStore(nest.buffer, substitute(nest.value, values), indices)


def by_columns(nest: Nest, along: Axis, lanes: int, parallel: bool) -> Any:
    """Accumulate neighbouring results at a time, and several rows of them that share inputs."""
    assert nest.reduction is not None
    reduced = nest.reduction.axes
    outer = [axis for axis in nest.axes if axis is not along]
    shared = shared_axis(nest, outer)
    rows = row_count(shared)
    groups = grouped(pieces(along.extent, lanes), COLUMNS)
    extents = [axis.extent // (rows if axis is shared else 1) for axis in outer]

    def tile(piece: Piece, columns: int, steps: Sequence[Any], i: Any) -> Any:
        point = {axis.var: step for axis, step in zip(outer, steps)}
        cells = [Accumulator(nest, piece.lanes) for _ in range(rows * columns)]

        def place(cell: int, lane: Any) -> Point:
            row, column = divmod(cell, columns)
            first = i * number(columns * piece.lanes) + number(piece.begin + column * piece.lanes)
            values = {**point, along.var: first + lane}
            if shared is not None:
                values[shared.var] = point[shared.var] * number(rows) + number(row)
            return values

        def term_place(cell: int, terms: Point, lane: Any) -> Point:
            return {**place(cell, lane), **terms}

        def step(terms: Point) -> Any:
            return sequence(
                [cell.add(partial(term_place, n, terms)) for n, cell in enumerate(cells)]
            )

        def end(cell: int, lane: Any) -> Any:
            return finish(nest, place(cell, lane), cells[cell].result(lane))

        starts = [statement for cell in cells for statement in cell.start()]
        ends = [vector(piece.lanes, partial(end, cell)) for cell in range(len(cells))]
        return tirx.SeqStmt([*starts, accumulate(reduced, step), *ends])

    def row(steps: list[Any]) -> Any:
        return sequence(
            [loop(piece.count, partial(tile, piece, columns, steps)) for piece, columns in groups]
        )

    def column(piece: Piece, columns: int, steps: list[Any]) -> Any:
        return tile(piece, columns, steps[1:], steps[0])

    if not parallel or math.prod(extents) >= TASKS // 4:
        return loops(extents, row, parallel)
    return sequence(
        [
            loops([piece.count, *extents], partial(column, piece, columns), parallel)
            for piece, columns in groups
        ]
    )


def shared_axis(nest: Nest, outer: Sequence[Axis]) -> Axis | None:
    """Return an axis along which some input is the same, so that one load serves several rows."""
    accesses = Accesses(nest)
    for axis in reversed(outer):
        steps = accesses.strides(axis.var)[1:]
        if 0 in steps and None not in steps and row_count(axis) > 1:
            return axis
    return None


def row_count(axis: Axis | None) -> int:
    if axis is None:
        return 1
    return next((rows for rows in ROWS if axis.extent % rows == 0), 1)


def by_terms(nest: Nest, within: Axis | None, lanes: int, parallel: bool) -> Any:
    assert nest.reduction is not None
    variables = [axis.var for axis in nest.axes]
    return loops(
        [axis.extent for axis in nest.axes],
        lambda steps: one_result(nest, dict(zip(variables, steps)), within, lanes),
        parallel,
    )


def one_result(nest: Nest, point: Point, within: Axis | None, lanes: int) -> Any:
    assert nest.reduction is not None
    outer = [axis for axis in nest.reduction.axes if axis is not within]
    if within is None:
        total = Accumulator(nest, 1)
        added = accumulate(outer, lambda terms: total.add(lambda lane: {**point, **terms}))
        ended = finish(nest, point, total.result(number(0)))
        return tirx.SeqStmt([*total.start(), added, ended])
    groups = grouped(pieces(within.extent, lanes), PARTS)
    cells = [[Accumulator(nest, piece.lanes) for _ in range(parts)] for piece, parts in groups]

    def place(first: Any, terms: Point, lane: Any) -> Point:
        return {**point, **terms, within.var: first + lane}

    def group(piece: Piece, into: list[Accumulator], terms: Point, i: Any) -> Any:
        first = i * number(len(into) * piece.lanes) + number(piece.begin)
        return sequence(
            [
                cell.add(partial(place, first + number(part * piece.lanes), terms))
                for part, cell in enumerate(into)
            ]
        )

    def step(terms: Point) -> Any:
        return sequence(
            [
                loop(piece.count, partial(group, piece, into, terms))
                for (piece, _), into in zip(groups, cells)
            ]
        )

    every = [cell for some in cells for cell in some]
    total, combined = fold(nest, every)
    starts = [statement for cell in every for statement in cell.start()]
    ended = finish(nest, point, total.result(number(0)))
    return tirx.SeqStmt([*starts, accumulate(outer, step), *combined, ended])
