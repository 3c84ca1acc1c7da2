# SPDX-License-Identifier: Apache-2.0
"""Which values of a graph share memory."""

import numpy as np
import pytest

from tvmgo.compiler.graph.nodes import Entry, Graph, Node, TensorSpec
from tvmgo.compiler.graph.storage import (
    least_bytes,
    materialize_reshapes,
    plan_storage,
    planned_bytes,
)


def tensor(nbytes):
    return TensorSpec((nbytes,), "uint8")


def placeholder(name, nbytes):
    return Node(name, [tensor(nbytes)])


def call(name, sizes, *sources, function="kernel"):
    inputs = [source if isinstance(source, Entry) else Entry(source, 0) for source in sources]
    return Node(name, [tensor(nbytes) for nbytes in sizes], inputs, function)


def plan(nodes, *heads):
    """Materialize reshapes and plan; return storage ids by node name, one for each output."""
    graph = Graph(nodes, [Entry(head, 0) for head in heads], {})
    materialize_reshapes(graph)
    storage = plan_storage(graph)
    return {node.name: [storage[entry] for entry in node.entries()] for node in nodes}


def test_plan_gives_inputs_storage_of_their_own():
    x = placeholder("x", 8)
    a = call("a", [8], x)
    b = call("b", [8], a)
    y = placeholder("y", 8)
    c = call("c", [8], b, y)
    storage = plan([x, a, b, y, c], c)
    assert storage["c"] == storage["a"]  # free since b has run
    assert len({storage[name][0] for name in "xyab"}) == 4


def test_plan_keeps_a_kernels_inputs_and_outputs_apart():
    x = placeholder("x", 8)
    a = call("a", [8], x)
    b = call("b", [8, 8], a, a)
    storage = plan([x, a, b], b)
    assert len({*storage["a"], *storage["b"]}) == 3


def test_plan_holds_a_value_until_its_last_use():
    x = placeholder("x", 8)
    a = call("a", [8], x)
    b = call("b", [8], a)
    c = call("c", [8], b)
    d = call("d", [8], c, a)
    storage = plan([x, a, b, c, d], d)
    assert storage["a"] not in (storage["b"], storage["c"], storage["d"])


def test_plan_never_releases_an_output():
    x = placeholder("x", 8)
    a = call("a", [8], x)
    b = call("b", [8], a)
    c = call("c", [8], b)
    d = call("d", [8], c)
    storage = plan([x, a, b, c, d], a, d)
    assert storage["a"] not in (storage["b"], storage["c"], storage["d"])
    assert storage["d"] == storage["b"]


def test_plan_releases_an_output_that_nobody_reads():
    x = placeholder("x", 8)
    a = call("a", [8, 8], x)
    b = call("b", [8], a)
    storage = plan([x, a, b], b)
    assert storage["b"] == [storage["a"][1]]


def test_plan_counts_uses_of_views_on_their_source():
    x = placeholder("x", 8)
    a = call("a", [8], x)
    view = call("view", [8], a, function="__nop")
    b = call("b", [8], a)
    c = call("c", [8], b)
    d = call("d", [8], c, view)
    storage = plan([x, a, view, b, c, d], d)
    assert storage["view"] == storage["a"]
    assert storage["a"] not in (storage["b"], storage["c"], storage["d"])


def chain(*sizes):
    nodes = [placeholder("x", 1)]
    for number, nbytes in enumerate(sizes):
        nodes.append(call(f"v{number}", [nbytes], nodes[-1]))
    return nodes


def test_plan_of_a_chain_takes_no_more_than_two_neighbours_need():
    nodes = chain(10, 40, 10, 100, 20, 100, 30, 1)
    graph = Graph(nodes, [Entry(nodes[-1], 0)], {})
    assert planned_bytes(plan_storage(graph)) == least_bytes(graph) == 100 + 30


def test_a_value_takes_no_memory_of_one_that_is_needed_at_the_same_time():
    """By chance: everything that is in one pool lives at different times."""
    random = np.random.default_rng(0)
    for _ in range(50):
        nodes = [placeholder("x", 1)]
        for number in range(30):
            sources = [nodes[i] for i in random.integers(0, len(nodes), 2)]
            nodes.append(call(f"v{number}", [int(random.integers(1, 100))], *sources))
        heads = [nodes[-1], nodes[int(random.integers(1, 30))]]
        storage = plan(nodes, *heads)
        last = {node.name: i for i, node in enumerate(nodes)}
        for i, node in enumerate(nodes):
            last.update({entry.node.name: i for entry in node.inputs})
        last.update({head.name: len(nodes) for head in heads})
        held = {}
        for i, node in enumerate(nodes):
            for other in held.setdefault(storage[node.name][0], []):
                assert last[other] < i, (other, node.name)
            held[storage[node.name][0]].append(node.name)
        graph = Graph(nodes, [Entry(head, 0) for head in heads], {})
        planned = planned_bytes(plan_storage(graph))
        assert least_bytes(graph) <= planned <= 1.3 * least_bytes(graph)


def in_place(name, sizes, *sources, at=0):
    node = call(name, sizes, *sources)
    node.in_place = (at,)
    return node


def test_plan_puts_an_output_in_place_of_an_input_that_nobody_else_reads():
    x = placeholder("x", 8)
    a = call("a", [8], x)
    b = call("b", [8], x)
    c = in_place("c", [8], a, b, at=1)
    d = call("d", [8], c)
    e = call("e", [8], d)
    storage = plan([x, a, b, c, d, e], e)
    assert storage["c"] == storage["b"]
    assert storage["d"] == storage["a"]
    assert storage["e"] == storage["c"]


@pytest.mark.parametrize("reader", ["later", "itself", "output", "view"])
def test_plan_puts_nothing_in_place_of_what_is_read_besides(reader):
    x = placeholder("x", 8)
    a = call("a", [8], x)
    view = call("view", [8], a, function="__nop")
    b = in_place("b", [8], a, *([a] if reader == "itself" else []))
    last = {"later": a, "view": view}.get(reader, b)
    c = call("c", [8], b, last)
    heads = [c, a] if reader == "output" else [c]
    nodes = [x, a, *([view] if reader == "view" else []), b, c]
    storage = plan(nodes, *heads)
    assert storage["b"] != storage["a"]


def test_plan_puts_nothing_in_place_of_inputs_or_of_another_size():
    x = placeholder("x", 8)
    a = in_place("a", [8], x)
    b = in_place("b", [4], a)
    storage = plan([x, a, b], b)
    assert len({storage[name][0] for name in "xab"}) == 3


def extending(name, nbytes, *sources):
    """A node that adds to what its last source has written."""
    node = call(name, [nbytes], *sources)
    node.extends = len(sources) - 1
    return node


def test_plan_keeps_what_is_extended_until_nobody_reads_any_of_it():
    x = placeholder("x", 8)
    a = call("a", [8], x)
    b = extending("b", 8, x, a)
    c = call("c", [8], b)
    d = call("d", [8], c)
    e = call("e", [8], d, a)  # reads what there was before, and still is
    f = call("f", [8], e)
    storage = plan([x, a, b, c, d, e, f], f)
    assert storage["b"] == storage["a"]
    assert storage["a"] not in (storage["c"], storage["d"], storage["e"])
    assert storage["f"] in (storage["a"], storage["c"], storage["d"])


def test_plan_puts_a_result_in_place_of_what_was_extended_when_it_is_read_last():
    x = placeholder("x", 8)
    a = call("a", [8], x)
    b = extending("b", 8, a)
    early, late = in_place("early", [8], a), in_place("late", [8], b)
    end = call("end", [8], early, late)
    storage = plan([x, a, b, early, late, end], end)
    assert storage["early"] != storage["a"]
    assert storage["late"] == storage["a"]


@pytest.mark.parametrize(
    "case", ["of_input", "to_output", "of_output", "of_view_of_input", "inner"]
)
def test_reshapes_of_what_users_can_replace_become_copies(case):
    x = placeholder("x", 8)
    a = call("a", [8], x)
    source = {"of_input": x, "of_view_of_input": call("first", [8], x, function="__nop")}.get(
        case, a
    )
    view = call("view", [8], source, function="__nop")
    end = call("end", [8], view, a)
    heads = {"to_output": [end, view], "of_output": [end, a]}.get(case, [end])
    nodes = [x, a, *([source] if source.name == "first" else []), view, end]
    plan(nodes, *heads)
    assert view.function == ("__nop" if case in ("inner", "of_view_of_input") else "__copy")
    if source.name == "first":
        assert source.function == "__copy"
