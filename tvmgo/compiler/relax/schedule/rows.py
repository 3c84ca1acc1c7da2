# SPDX-License-Identifier: Apache-2.0
"""Nests over the same rows, such as those of a softmax: row by row, while the row is at hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tvmgo.compiler.relax.schedule.costs import SERIAL_NANOSECONDS, nanoseconds
from tvmgo.compiler.relax.schedule.expressions import constant, loads_of
from tvmgo.compiler.relax.schedule.nests import Nest

SHORTEST = 16  # elements of a row worth a vector
FEWEST = 8  # rows, for so many threads
LARGEST = 1 << 18  # bytes of what lies between the nests of one row


def common_rows(nests: Sequence[Nest], between: Sequence[Any]) -> int:
    """Return how many leading dimensions walk rows that depend on no other row; 0 for none.

    Parameters
    ----------
    nests : sequence of Nest
        In order.
    between : sequence of buffers
        Those that only these nests use.
    """
    if len(nests) < 2:
        return 0
    most = min(len(nest.indices) for nest in nests)
    return next((r for r in range(most, 0, -1) if are_rows(nests, between, r)), 0)


def are_rows(nests: Sequence[Nest], between: Sequence[Any], rank: int) -> bool:
    shape = shape_of(nests[0].buffer)[:rank]
    rows = math.prod(shape)
    if rows < 2 or any(shape_of(nest.buffer)[:rank] != shape for nest in nests):
        return False
    work = sum(map(nanoseconds, nests))
    if rows < FEWEST and work > SERIAL_NANOSECONDS:
        return False
    most = max(nest.points for nest in nests)
    for nest in nests:
        if nest.points // rows < SHORTEST and nest.points * SHORTEST > most:
            return False
        if not all(
            in_row(nest, load, rank)
            for load in loads_of(nest.expressions)
            if load.source in between
        ):
            return False
        if not all(is_step(nest, index) for index in nest.indices[:rank]):
            return False
    size = sum(math.prod(shape_of(b)[rank:]) * 8 for b in between)
    return size <= LARGEST


def in_row(nest: Nest, load: Any, rank: int) -> bool:
    """Tell whether a nest reads the row that it writes."""
    pairs = zip(load.indices[:rank], nest.indices[:rank], shape_of(load.source))
    return len(load.indices) >= rank and all(size == 1 or a.same_as(b) for a, b, size in pairs)


def is_step(nest: Nest, index: Any) -> bool:
    return constant(index) == 0 or any(axis.var.same_as(index) for axis in nest.axes)


def at_row(nest: Nest, point: Sequence[Any]) -> Nest:
    """Return what a nest does in one row."""
    steps = {index: step for index, step in zip(nest.indices, point) if constant(index) is None}
    left = [axis for axis in nest.axes if axis.var not in steps]
    return nest.substituted(steps, left)


def shape_of(buffer: Any) -> list[int]:
    return [int(size) for size in buffer.ty.shape]
