# SPDX-License-Identifier: Apache-2.0
"""Vectors of elements that lie near each other, but not side by side.

Every second element, each one twice, or backwards: the compiler would load them one by one. Here
what they lie in is loaded, and they are picked from that.
"""

from __future__ import annotations

from typing import Any

import tvm
from tvm import sym, tirx

from tvmgo.compiler.relax.schedule.expressions import (
    coefficient,
    constant,
    loads_of,
    map_loads,
    number,
    substitute,
    variables_of,
)

FARTHEST = 2  # vectors in which the elements of one may lie
LARGEST = 1 << 40  # no variable is so large


def pick(lane: Any, lanes: int, statement: Any) -> tuple[list[Any], Any]:
    """Return statements that load what the lanes of a vector read, and what is left of a lane's own."""
    before: list[Any] = []

    def change(load: Any) -> Any:
        offsets = offsets_of(load, lane, lanes)
        if offsets is None:
            return load
        picked = tirx.decl_buffer((lanes,), load.source.ty.dtype, "picked")
        first = substitute(load.indices[0], {lane: number(0)})
        value = shuffled(load.source, first, offsets)
        before.extend(
            [
                tirx.AllocBuffer(picked),
                tirx.BufferStore(picked, value, [tirx.Ramp(number(0), number(1), lanes)]),
            ]
        )
        return picked[lane]

    statement = map_loads(statement, change)
    return before, statement


def offsets_of(load: Any, lane: Any, lanes: int) -> list[int] | None:
    """Return how far from the first one each lane reads, if not side by side yet near it."""
    if len(load.indices) != 1 or "bool" in str(load.ty) or loads_of(load.indices[0]):
        return None
    index = load.indices[0]
    if coefficient(index, lane) in (0, 1):
        return None
    analyzer = sym.Analyzer()
    for variable in variables_of(index):
        analyzer.bind(variable, tvm.ir.Range(number(0), number(LARGEST)))
    first = substitute(index, {lane: number(0)})
    offsets = []
    for each in range(lanes):
        offset = constant(analyzer.simplify(substitute(index, {lane: number(each)}) - first))
        if offset is None:
            return None
        offsets.append(offset)
    return offsets if max(offsets) - min(offsets) < FARTHEST * lanes else None


def shuffled(source: Any, first: Any, offsets: list[int]) -> Any:
    """Pick elements from the one or two vectors, overlapping ones, that reach from first to last."""
    low, span = min(offsets), max(offsets) - min(offsets) + 1
    width = 1 << (span.bit_length() - 1)
    begins = [0] if span == width else [0, span - width]
    vectors = [
        source[tirx.Ramp(first + number(low + begin), number(1), width)]
        if width > 1
        else source[first + number(low + begin)]
        for begin in begins
    ]
    places = [o - low if o - low < width else o - low - begins[-1] + width for o in offsets]
    enough = -(-len(places) // (width * len(vectors)))  # TVM picks no more than there are
    return tirx.Shuffle(vectors * enough, places)
