# SPDX-License-Identifier: Apache-2.0
"""Where values lie in a block of memory, checked by arithmetic."""

import json
import random

import pytest

from tests.compiler.test_storage import call, placeholder
from tvmgo.compiler.graph.graph_json import graph_to_json
from tvmgo.compiler.graph.nodes import RESHAPE_IN_PLACE, Entry, Graph
from tvmgo.compiler.graph.places import UNIT, plan_places
from tvmgo.compiler.graph.storage import (
    find_lifetimes,
    least_bytes,
    materialize_reshapes,
    plan_storage,
    planned_bytes,
)


def random_graph(seed):
    chance = random.Random(seed)
    nodes = [placeholder("x", 64)]
    for i in range(chance.randint(1, 40)):
        sources = chance.sample(nodes[-6:], chance.randint(1, min(3, len(nodes[-6:]))))
        sizes = [chance.choice([1, 63, 64, 640, 6400]) for _ in range(chance.choice([1, 1, 2]))]
        function = chance.choice(["kernel"] * 4 + [RESHAPE_IN_PLACE])
        if function == RESHAPE_IN_PLACE:
            sources, sizes = sources[:1], [sources[0].outputs[0].nbytes]
        nodes.append(call(f"n{i}", sizes, *sources, function=function))
    graph = Graph(nodes, [Entry(nodes[-1], 0)], {})
    for node in nodes[1:]:
        node.in_place = tuple(chance.sample(range(len(node.inputs)), 1)) * chance.randint(0, 1)
    materialize_reshapes(graph)
    return graph


@pytest.mark.parametrize("seed", range(50))
def test_values_that_are_needed_at_once_lie_apart(seed):
    graph = random_graph(seed)
    places, nbytes = plan_places(graph)
    lifetimes = find_lifetimes(graph)
    written = [entry for node in graph.nodes if node.function for entry in node.entries()]
    assert set(places) >= {entry for entry in written if not lifetimes[entry].is_fixed}
    for i, a in enumerate(written):
        start, end = places[a] * UNIT, places[a] * UNIT + lifetimes[a].nbytes
        assert start >= 0
        assert end <= nbytes
        for b in written[:i]:
            one, other = lifetimes[a], lifetimes[b]
            if one is other:
                assert places[a] == places[b]
            elif one.first <= other.last and other.first <= one.last:
                begin = places[b] * UNIT
                assert end <= begin or begin + other.nbytes <= start
    assert nbytes >= least_bytes(graph)


def test_large_value_and_several_small_ones_share_memory():
    """Storage ids need 4,096 for the large value and 1,024 for each of the small ones."""
    x = placeholder("x", 64)
    large = call("large", [4096], x)
    small = [call(f"small{i}", [1024], large if i == 0 else x) for i in range(4)]
    last = call("last", [64], *small)
    graph = Graph([x, large, *small, last], [Entry(last, 0)], {})
    places, nbytes = plan_places(graph)
    assert nbytes == least_bytes(graph) == 4096 + 1024
    assert planned_bytes(plan_storage(graph)) > 1.4 * nbytes
    attrs = json.loads(graph_to_json(graph, plan_storage(graph), places))["attrs"]
    tag, written = attrs["tvmgo_place"]
    assert tag == "list_int"
    assert written[0] == -1
    assert max(written) * UNIT < nbytes


def test_inputs_have_memory_of_their_own():
    x = placeholder("x", 64)
    places, nbytes = plan_places(Graph([x], [Entry(x, 0)], {}))
    assert (places, nbytes) == ({}, 0)
