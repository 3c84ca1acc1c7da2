# SPDX-License-Identifier: Apache-2.0
"""Which entries share memory: views first, then a plan by liveness."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tvmgo.compiler.graph.nodes import COPY, RESHAPE_IN_PLACE, Entry, Graph, Node

# A free pool serves a value at most this much smaller or larger than itself, as in TVM's own
# planner: beyond that, growing or blocking it costs more than a new pool.
REUSE_RATIO = 16


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
    """
    roots = find_roots(graph)
    uses = Counter(roots[entry] for node in graph.nodes for entry in node.inputs)
    uses.update(roots[entry] for entry in graph.heads)  # a use that nothing releases
    pools = Pools()
    storage: dict[Entry, int] = {}
    for node in graph.nodes:
        # A kernel may assume that its arguments do not overlap, so its outputs are placed while its
        # inputs are still held.
        inherited = find_inherited(node, roots, uses)
        for entry in node.entries():
            if inherited is not None:
                storage[entry] = storage[inherited]
            elif node.is_placeholder:
                storage[entry] = pools.add(entry.spec.nbytes)
            elif roots[entry] != entry:
                storage[entry] = storage[roots[entry]]
            else:
                storage[entry] = pools.take(entry.spec.nbytes)
        uses.subtract(roots[entry] for entry in node.inputs)
        for root in {roots[entry] for entry in (*node.inputs, *node.entries())}:
            if uses[root] == 0 and not root.node.is_placeholder and root != inherited:
                pools.release(storage[root])
    return storage


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
    """Map every entry to the one whose storage it shares: itself, unless it is a view."""
    roots: dict[Entry, Entry] = {}
    for node in graph.nodes:
        for entry in node.entries():
            roots[entry] = roots[node.inputs[0]] if node.function == RESHAPE_IN_PLACE else entry
    return roots


@dataclass
class Pools:
    """Sizes of all pools in bytes, by id, and the ids that are free."""

    sizes: list[int] = field(default_factory=list)
    free: set[int] = field(default_factory=set)

    def add(self, nbytes: int) -> int:
        self.sizes.append(nbytes)
        return len(self.sizes) - 1

    def take(self, nbytes: int) -> int:
        """Best fit among the free pools; else grow the largest; else a new pool."""
        larger = [i for i in self.free if nbytes <= self.sizes[i] <= nbytes * REUSE_RATIO]
        smaller = [i for i in self.free if self.sizes[i] < nbytes <= self.sizes[i] * REUSE_RATIO]
        if larger:
            chosen = min(larger, key=lambda i: (self.sizes[i], i))
        elif smaller:
            chosen = max(smaller, key=lambda i: (self.sizes[i], i))
            self.sizes[chosen] = nbytes
        else:
            return self.add(nbytes)
        self.free.remove(chosen)
        return chosen

    def release(self, pool: int) -> None:
        self.free.add(pool)
