# SPDX-License-Identifier: Apache-2.0
"""Which entries share memory: views first, then a plan by lifetimes."""

from __future__ import annotations

import math
import random
from bisect import bisect, insort
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from tvmgo.compiler.graph.nodes import COPY, RESHAPE_IN_PLACE, Entry, Graph, Node

TRIES = 30  # orders of values


def materialize_reshapes(graph: Graph) -> None:
    """Turn every reshape that must not be a view of its source into a copy.

    Parameters
    ----------
    graph : Graph
        Changed in place.

    Notes
    -----
    Inputs and outputs can be replaced by a user's buffer (``set_input_zero_copy``,
    ``set_output_zero_copy``), and executors of old releases then miss an alias. So only values that
    begin and end inside the graph are reshaped in place.
    """
    outputs = set(graph.heads)
    exposed: set[Entry] = set()
    for node in graph.nodes:
        if node.is_placeholder or not outputs.isdisjoint(node.entries()):
            exposed.update(node.entries())
    for node in graph.nodes:
        if node.function == RESHAPE_IN_PLACE:
            (source,) = node.inputs
            if source in exposed or node.entries()[0] in exposed:
                node.function = COPY


def plan_storage(graph: Graph) -> dict[Entry, int]:
    """Give every entry a storage id; entries with one id live at different times.

    Parameters
    ----------
    graph : Graph
        After `materialize_reshapes`.

    Returns
    -------
    dict of Entry to int
        Ids count up from 0. A pool is as large as its largest entry.

    Notes
    -----
    The largest values choose first, so that whoever comes later fits into any pool. Of those that are
    free meanwhile a value takes the one whose next or last use is nearest. Among values of one size the
    order makes a difference that nothing foretells, so several are tried. Sometimes it is better that
    values choose in the order in which they are made, each the pool that fits best.
    """
    lifetimes = find_lifetimes(graph)
    values = movable(lifetimes)
    chance = random.Random(0)
    best = min(fill_by_size(values), fill_in_order(values), key=total_bytes)
    for _ in range(TRIES):
        chance.shuffle(values)
        best = min(best, fill_by_size(values), key=total_bytes)
    ids: dict[object, int] = {}
    return {
        entry: ids.setdefault(lifetime if lifetime.is_fixed else best[lifetime], len(ids))
        for entry, lifetime in lifetimes.items()
    }


Pools = dict["Lifetime", "Pool"]  # by value


def fill_by_size(values: Iterable[Lifetime]) -> Pools:
    """Give every value a pool, the largest first; those of one size in the order given."""
    return fill_pools(
        sorted(values, key=lambda each: -each.nbytes), lambda pool, value: (pool.gap(value),)
    )


def fill_in_order(values: Iterable[Lifetime]) -> Pools:
    """Give every value the pool that must grow least for it; of those that need not, the smallest."""
    return fill_pools(
        values,
        lambda pool, value: (max(0, value.nbytes - pool.nbytes), pool.nbytes, pool.gap(value)),
    )


def fill_pools(
    values: Iterable[Lifetime], cost: Callable[[Pool, Lifetime], tuple[float, ...]]
) -> Pools:
    """Give every value, in this order, the free pool that costs least, or a new one."""
    pools: list[Pool] = []
    chosen: Pools = {}
    for value in values:
        costs = [(cost(pool, value), i) for i, pool in enumerate(pools) if pool.gap(value) > 0]
        if not costs:
            pools.append(Pool(value.nbytes))
        pool = pools[min(costs)[1] if costs else -1]
        pool.hold(value)
        chosen[value] = pool
    return chosen


def total_bytes(chosen: Pools) -> int:
    return sum(pool.nbytes for pool in set(chosen.values()))


def planned_bytes(storage: Mapping[Entry, int]) -> int:
    """Return how many bytes all values have in a plan, but for inputs and parameters."""
    sizes: dict[int, int] = {}
    for entry, number in storage.items():
        nbytes = 0 if entry.node.is_placeholder else entry.spec.nbytes
        sizes[number] = max(sizes.get(number, 0), nbytes)
    return sum(sizes.values())


def least_bytes(graph: Graph) -> int:
    """Return how many bytes of values there are at once, at most: no plan can do with less."""
    changes = sorted(
        change
        for each in movable(find_lifetimes(graph))
        for change in ((each.first, each.nbytes), (each.last + 1, -each.nbytes))
    )
    return max(accumulate((nbytes for _, nbytes in changes), initial=0))


@dataclass(eq=False)
class Lifetime:
    """From which node to which, inclusive, a value is needed; a fixed one has memory of its own."""

    first: int
    last: int
    nbytes: int
    is_fixed: bool


def find_lifetimes(graph: Graph) -> dict[Entry, Lifetime]:
    """Return the lifetime of every entry; entries in the same memory have the same one."""
    roots = find_roots(graph)
    uses = Counter(roots[entry] for node in graph.nodes for entry in node.inputs)
    uses.update(roots[entry] for entry in graph.heads)  # a use that nothing ends
    lifetimes: dict[Entry, Lifetime] = {}
    for number, node in enumerate(graph.nodes):
        # A kernel may assume that its arguments do not overlap, so its outputs begin while its inputs
        # are still needed.
        inherited = find_inherited(node, roots, uses)
        for entry in node.inputs:
            lifetimes[entry].last = number
        for entry in node.entries():
            if inherited is not None:
                lifetimes[entry] = lifetimes[inherited]
            elif roots[entry] != entry:
                lifetimes[entry] = lifetimes[roots[entry]]
            else:
                nbytes = entry.spec.nbytes
                lifetimes[entry] = Lifetime(number, number, nbytes, node.is_placeholder)
        uses.subtract(roots[entry] for entry in node.inputs)
    for entry in graph.heads:
        lifetimes[entry].last = len(graph.nodes)
    return lifetimes


def movable(lifetimes: Mapping[Entry, Lifetime]) -> list[Lifetime]:
    """Return the values for which a plan finds memory, each once, in the order of their nodes."""
    return [each for each in dict.fromkeys(lifetimes.values()) if not each.is_fixed]


def find_inherited(node: Node, roots: dict[Entry, Entry], uses: Counter[Entry]) -> Entry | None:
    """Return the value in whose memory a node puts its output: one that nobody else reads."""
    for number in node.in_place:
        root = roots[node.inputs[number]]
        if (
            uses[root] == 1
            and not root.node.is_placeholder
            and root.spec.nbytes == node.outputs[0].nbytes
        ):
            return root
    return None


def find_roots(graph: Graph) -> dict[Entry, Entry]:
    """Map every entry to the one whose storage it shares.

    That is itself, unless it is a view, or its kernel adds to what an earlier one has written. What
    others read of that stays as it is, so that they may come before or after.
    """
    roots: dict[Entry, Entry] = {}
    for node in graph.nodes:
        shared = 0 if node.function == RESHAPE_IN_PLACE else node.extends
        for entry in node.entries():
            roots[entry] = entry if shared is None else roots[node.inputs[shared]]
    return roots


@dataclass(eq=False)
class Pool:
    """Memory for values that live one after the other: from which node to which, in order."""

    nbytes: int
    held: list[tuple[int, int]] = field(default_factory=list)

    def gap(self, value: Lifetime) -> float:
        """Return the nodes between a value and the nearest held; none if they need memory at once."""
        at = bisect(self.held, (value.first,))
        before = value.first - self.held[at - 1][1] if at else math.inf
        behind = self.held[at][0] - value.last if at < len(self.held) else math.inf
        return min(before, behind)

    def hold(self, value: Lifetime) -> None:
        insort(self.held, (value.first, value.last))
        self.nbytes = max(self.nbytes, value.nbytes)
