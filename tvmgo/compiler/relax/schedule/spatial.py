# SPDX-License-Identifier: Apache-2.0
"""Loops of nests that compute each element by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from tvm import tirx

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

SHORTEST = 16  # vectors for a task
TILE = 16  # steps of an axis along which inputs lie, where outputs lie along another one


def spatial_loops(nest: Nest, vector_bytes: int, parallel: bool) -> Any:
    """Write the loops of a nest on flat buffers."""
    outer, inner = vector_axis(nest)
    across = transposed_axis(nest, outer, inner)
    outer = [axis for axis in outer if axis is not across]
    extents = [axis.extent for axis in outer]

    def point_at(steps: Sequence[Any]) -> Point:
        return {axis.var: step for axis, step in zip(outer, steps)}

    if inner is None:
        return loops(extents, lambda steps: store(nest, point_at(steps)), parallel)
    found = pieces(inner.extent, lanes_for(nest, vector_bytes), whole_tail=not extents)

    def vectors(point: Point, piece: Piece, i: Any) -> Any:
        begin = i * number(piece.lanes) + number(piece.begin)
        return vector(piece.lanes, lambda lane: store(nest, {**point, inner.var: begin + lane}))

    def row(point: Point, some: Sequence[Piece]) -> Any:
        return sequence([loop(piece.count, partial(vectors, point, piece)) for piece in some])

    if across is not None:
        tiles = -(-across.extent // TILE)

        def tile(steps: list[Any]) -> Any:
            """Walk two axes in squares: all of a cache line is used while it is there."""
            point, first = point_at(steps[:-1]), steps[-1] * number(TILE)
            width = tirx.min(number(TILE), number(across.extent) - first)

            def line(piece: Piece, i: Any) -> Any:
                return loop(
                    TILE if across.extent % TILE == 0 else width,
                    lambda j: vectors({**point, across.var: first + j}, piece, i),
                )

            return sequence([loop(piece.count, partial(line, piece)) for piece in found])

        return loops([*extents, tiles], tile, parallel)

    main, *rest = found
    tasks = math.prod(extents)
    chunks = min(TASKS // tasks, main.count // SHORTEST) if parallel and tasks < TASKS // 2 else 1
    if chunks <= 1:
        return loops(extents, lambda steps: row(point_at(steps), found), parallel)
    each = -(-main.count // chunks)
    chunks = -(-main.count // each)

    def chunk(steps: list[Any]) -> Any:
        point, first = point_at(steps[:-1]), steps[-1] * number(each)
        count = tirx.min(number(each), number(main.count) - first)
        whole = loop(
            each if main.count % each == 0 else count, lambda i: vectors(point, main, first + i)
        )
        if not rest:
            return whole
        is_last = steps[-1] == number(chunks - 1)
        return sequence([whole, tirx.IfThenElse(is_last, row(point, rest), None)])

    return loops([*extents, chunks], chunk, parallel)


def store(nest: Nest, point: Point) -> Any:
    indices = [substitute(index, point) for index in nest.indices]
    return tirx.BufferStore(nest.buffer, substitute(nest.value, point), indices)


def vector_axis(nest: Nest) -> tuple[list[Axis], Axis | None]:
    """Return the other axes, and the one along which the result lies."""
    accesses = Accesses(nest)
    for axis in reversed(nest.axes):
        if accesses.store_stride(axis.var) == 1:
            return [other for other in nest.axes if other is not axis], axis
    return list(nest.axes), None


def transposed_axis(nest: Nest, outer: list[Axis], inner: Axis | None) -> Axis | None:
    """Return the axis along which an input lies that the inner axis walks in large steps."""
    if inner is None:
        return None
    accesses = Accesses(nest)
    steps = accesses.strides(inner.var)[1:]
    for axis in reversed(outer):
        for step, other in zip(steps, accesses.strides(axis.var)[1:]):
            if other == 1 and step not in (None, -1, 0, 1) and axis.extent > 1:
                return axis
    return None
