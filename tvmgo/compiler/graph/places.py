# SPDX-License-Identifier: Apache-2.0
"""Where values lie in one block of memory: parts of it hold large values, and later several small ones."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from tvmgo.compiler.graph.nodes import Entry, Graph
from tvmgo.compiler.graph.storage import Lifetime, find_lifetimes, movable

UNIT = 64  # bytes; every value begins at a multiple, as memory of its own does
TRIES = 30  # orders of values

Places = dict[Lifetime, int]


def plan_places(graph: Graph) -> tuple[dict[Entry, int], int]:
    """Give every value of a graph, but for inputs and parameters, its place in a block of memory.

    Parameters
    ----------
    graph : Graph
        After `materialize_reshapes`.

    Returns
    -------
    places : dict of Entry to int
        In units of `UNIT` bytes.
    nbytes : int
        Of the block.

    Notes
    -----
    Storage ids (`plan_storage`) are all that the executors of TVM know: a value has one of them for
    itself, however small it is. Values that are needed at once lie apart in either plan.
    """
    lifetimes = find_lifetimes(graph)
    values = movable(lifetimes)
    chance = random.Random(0)
    orders = [sorted(values, key=lambda each: -each.nbytes), values]
    for _ in range(TRIES):
        noisy = [(-each.nbytes * chance.uniform(0.5, 1.5), i) for i, each in enumerate(values)]
        orders.append([values[i] for _, i in sorted(noisy)])
    best = min((place(order) for order in orders), key=size)
    return {
        entry: best[lifetime] for entry, lifetime in lifetimes.items() if lifetime in best
    }, size(best) * UNIT


def units(value: Lifetime) -> int:
    return max(1, -(-value.nbytes // UNIT))


def size(places: Mapping[Lifetime, int]) -> int:
    return max((start + units(value) for value, start in places.items()), default=0)


def place(values: Iterable[Lifetime]) -> Places:
    """Give every value, in this order, the smallest gap between those that live with it."""
    places: Places = {}
    for value in values:
        taken = sorted(
            (start, start + units(other))
            for other, start in places.items()
            if other.first <= value.last and value.first <= other.last
        )
        needed, end = units(value), 0
        best: tuple[int, int] | None = None
        for start, stop in taken:
            gap = start - end
            if gap >= needed and (best is None or gap < best[0]):
                best = gap, end
            end = max(end, stop)
        places[value] = end if best is None else best[1]
    return places
