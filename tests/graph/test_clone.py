# SPDX-License-Identifier: Apache-2.0
"""Clones of an executor: the graph, the kernels and the parameters in common, all else their own.

Most graphs here are ``y = (x + w) ** 2``, with ``w`` the parameter.
"""

import gc
import json

import numpy as np
import pytest

import tvmgo
from tests.blobs import params_blob
from tests.graphs import WORKED_GRAPH, WORKED_PARAMS, document, op, var
from tests.helpers import address_of, f32, in_threads

BOTH = pytest.mark.parametrize(
    "create",
    [tvmgo.graph_executor.create, tvmgo.debug_executor.create],
    ids=["plain", "debug"],
)
W = f32(1.5, -2)
NODES = [
    var("x"),
    var("w"),
    op("add", ["x", "w"], name="sum"),
    op("square", ["sum"], name="y"),
]


def make(nodes=NODES, heads=("y",), create=tvmgo.graph_executor.create, library=None):
    return create(json.dumps(document(nodes, heads)), library, tvmgo.cpu(0))


def loaded(nodes=NODES, heads=("y",), create=tvmgo.graph_executor.create):
    graph = make(nodes, heads, create)
    graph.load_params(params_blob([("w", W)]))
    return graph


def result(graph, x):
    graph.run(x=x)
    return graph.get_output(0).numpy()


def expect(graph, w):
    """The graph adds `w`, and squares."""
    x = f32(3, 5)
    np.testing.assert_array_equal(result(graph, x), (x + w) ** 2)


# Ways to give a parameter another value: (graph, value).


def by_set_input(graph, value):
    graph.set_input("w", value)


def by_load_params(graph, value):
    graph.load_params(params_blob([("w", value)]))


def by_zero_copy(graph, value):
    graph.set_input_zero_copy("w", tvmgo.array(value))


def through_a_view(graph, value):
    np.asarray(graph.get_input("w"))[...] = value


CHANGES = pytest.mark.parametrize(
    "change", [by_set_input, by_load_params, by_zero_copy, through_a_view]
)


# ---------------------------------------------------------------- what a clone is


@BOTH
def test_clone_gives_right_answers(create):
    graph = loaded(create=create)
    clone = graph.clone()
    assert type(clone) is type(graph)
    assert clone.module.kind == "GraphExecutor"
    for each in (clone, graph, clone.clone()):
        expect(each, W)


@BOTH
def test_clone_of_a_clone_outlives_its_parents(create):
    clone = loaded(create=create).clone().clone()
    gc.collect()
    expect(clone, W)


def test_clone_starts_with_inputs_of_zero():
    graph = loaded()
    graph.run(x=f32(3, 5))
    clone = graph.clone()
    np.testing.assert_array_equal(clone.get_input("x").numpy(), f32(0, 0))
    clone.run()
    np.testing.assert_array_equal(clone.get_output(0).numpy(), W**2)
    np.testing.assert_array_equal(graph.get_input("x").numpy(), f32(3, 5))


def test_inputs_and_outputs_of_clones_are_their_own():
    graph = loaded()
    clone = graph.clone()
    graph.run(x=f32(1, 2))
    y = graph.get_output(0)
    clone.run(x=f32(3, 5))
    np.testing.assert_array_equal(y.numpy(), (f32(1, 2) + W) ** 2)
    np.testing.assert_array_equal(clone.get_output(0).numpy(), (f32(3, 5) + W) ** 2)


def test_clone_lists_the_same_inputs():
    graph = loaded()
    assert graph.clone().get_input_info() == graph.get_input_info()
    assert list(graph.get_input_info()[0]) == ["x"]
    assert list(make().clone().get_input_info()[0]) == ["x", "w"]


def test_what_is_lent_stays_with_the_one_it_was_lent_to():
    graph = loaded()
    x, y = tvmgo.array(f32(3, 5)), tvmgo.empty((2,), "float32")
    graph.set_input_zero_copy("x", x)
    graph.set_output_zero_copy(0, y)
    clone = graph.clone()
    clone.run()
    np.testing.assert_array_equal(clone.get_output(0).numpy(), W**2)
    assert address_of(clone.get_output(0)) != address_of(y)
    graph.run()
    np.testing.assert_array_equal(y.numpy(), (f32(3, 5) + W) ** 2)


def test_parameter_under_a_lent_tensor_is_cloned_as_it_was_loaded():
    graph = loaded()
    by_zero_copy(graph, f32(7, 7))
    expect(graph.clone(), W)
    expect(graph, f32(7, 7))


def test_parameter_that_is_an_output_lent_to_the_caller_is_cloned_with_its_value():
    graph = loaded(heads=("y", "w"))
    graph.set_output_zero_copy(1, tvmgo.array(f32(0, 0)))
    graph.set_input("w", f32(8, 9))  # goes to the caller's tensor
    expect(graph.clone(), f32(8, 9))


def test_clone_of_a_factorys_executor():
    factory = tvmgo.get_global_function("tvm.graph_executor_factory.create")(
        json.dumps(document(NODES, ["y"])), None, "m", "w", tvmgo.array(W)
    )
    graph = tvmgo.graph_executor.GraphModule(factory["m"](tvmgo.cpu(0)))
    expect(graph.clone(), W)


def test_clone_while_running_raises(kernel):
    graph = None
    errors = []

    def clone_it(x, out):
        with pytest.raises(RuntimeError, match="clone: the graph executor is busy") as error:
            graph.clone()
        errors.append(error.type)

    graph = make([var("x"), op(kernel(clone_it), ["x"], name="y")])
    graph.run()
    assert len(errors) == 1
    graph = None


def test_clone_takes_no_arguments():
    with pytest.raises(TypeError, match="clone: expected 0 arguments, got 1"):
        make().module["clone"](1)


# ---------------------------------------------------------------- the debug variant


def test_clone_of_a_debug_executor_can_be_looked_into():
    graph = loaded(create=tvmgo.debug_executor.create)
    graph.set_input("x", f32(3, 5))
    graph.execute_node("y")
    clone = graph.clone()
    with pytest.raises(ValueError):
        clone.get_node_output("y")  # nothing was executed there
    clone.set_input("x", f32(1, 2))
    np.testing.assert_array_equal(clone.debug_get_output("sum").numpy(), f32(1, 2) + W)
    np.testing.assert_array_equal(graph.get_node_output("y").numpy(), (f32(3, 5) + W) ** 2)


def test_clone_of_a_debug_executor_writes_to_a_folder_of_its_own(tmp_path):
    text = json.dumps(document(NODES, ["y"]))
    graph = tvmgo.debug_executor.create(text, None, tvmgo.cpu(0), tmp_path / "first")
    graph.clone().run(x=f32(1, 2))
    assert list(tmp_path.iterdir()) == []
    graph.clone(tmp_path / "second").run(x=f32(1, 2))
    assert [path.name for path in tmp_path.iterdir()] == ["second"]
    assert (tmp_path / "second" / "output_tensors.params").stat().st_size > 0


def test_clone_with_a_folder_needs_the_nodes_names(tmp_path):
    module = loaded(create=tvmgo.debug_executor.create).module
    graph = tvmgo.debug_executor.GraphModuleDebug(module)
    with pytest.raises(tvmgo.TVMValueError, match="^dump_root: needs graph_json_str"):
        graph.clone(tmp_path)


# ---------------------------------------------------------------- parameters


def where_the_kernel_reads(kernel):
    """A graph of x and w whose kernel writes down where w lies."""
    seen = []
    name = kernel(lambda x, w, out: seen.append(address_of(w)))
    return loaded([var("x"), var("w"), op(name, ["x", "w"], name="y")]), seen


def test_parameters_are_shared_not_copied(kernel):
    graph, seen = where_the_kernel_reads(kernel)
    clones = [graph.clone(), graph.clone()]
    for each in (graph, *clones, clones[0].clone()):
        each.run()
    assert len(seen) == 4
    assert len(set(seen)) == 1


def test_view_taken_before_cloning_reaches_the_one_it_was_taken_of(kernel):
    graph, seen = where_the_kernel_reads(kernel)
    view = graph.get_input("w")
    clone = graph.clone()
    graph.run()
    clone.run()
    assert seen[0] == address_of(view)
    assert seen[1] != seen[0]


@BOTH
@pytest.mark.parametrize("use", ["set_input", "run", "get_input", "get_output", "call"])
def test_helper_hands_out_no_parameter(create, use, kernel):
    """What was handed out is copied by each clone after that; these uses hand out nothing."""
    seen = []
    name = kernel(lambda x, w, out: seen.append(address_of(w)))
    nodes = [var("x"), var("w"), op(name, ["x", "w"], name="y")]
    graph = loaded(nodes, heads=("y", "w"), create=create)
    first = graph.clone()
    out = tvmgo.empty((2,))
    {
        "set_input": lambda: first.set_input("w", f32(7, 8)),
        "run": lambda: first.run(w=f32(7, 8)),
        "get_input": lambda: first.get_input("w", out),
        "get_output": lambda: first.get_output("w", out),
        "call": lambda: first(x=f32(1, 2)),
    }[use]()
    if use == "get_output" and create is tvmgo.debug_executor.create:
        first.debug_get_output("w", out)
    second = first.clone()
    seen.clear()
    for each in (first, second):
        each.run()
    assert seen[0] == seen[1]


@CHANGES
@pytest.mark.parametrize("changed", [0, 1, 2], ids=["original", "clone", "clone of clone"])
def test_changing_a_parameter_leaves_the_others_unchanged(change, changed):
    graphs = [loaded()]
    graphs += [graphs[0].clone()]
    graphs += [graphs[1].clone()]
    change(graphs[changed], f32(10, 20))
    for i, graph in enumerate(graphs):
        expect(graph, f32(10, 20) if i == changed else W)


@CHANGES
def test_changing_a_parameter_before_cloning_and_again_after(change):
    graph = loaded()
    graph.clone()  # so that the next change is one of a shared parameter
    if change is by_zero_copy:
        by_set_input(graph, f32(10, 20))
    else:
        change(graph, f32(10, 20))
    clone = graph.clone()
    change(graph, f32(30, 40))
    expect(clone, f32(10, 20))
    expect(graph, f32(30, 40))


def test_writing_through_a_view_taken_before_cloning_leaves_the_clones_unchanged():
    graph = loaded()
    view = np.asarray(graph.get_input("w"))
    first = graph.clone()
    view[...] = f32(10, 20)
    second = graph.clone()
    view[...] = f32(30, 40)
    expect(first, W)
    expect(second, f32(10, 20))
    expect(graph, f32(30, 40))


def test_view_of_a_parameter_in_a_clone_shows_what_the_clone_is_given():
    graph = loaded()
    clone = graph.clone()
    view = clone.get_input("w")
    by_load_params(clone, f32(10, 20))
    np.testing.assert_array_equal(view.numpy(), f32(10, 20))
    np.testing.assert_array_equal(graph.get_input("w").numpy(), W)


def test_parameter_that_is_an_output_is_handed_out_as_the_clones_own():
    graph = loaded(heads=("y", "w"))
    clone = graph.clone()
    np.asarray(clone.get_output(1))[...] = f32(10, 20)
    expect(graph, W)
    expect(clone, f32(10, 20))


def test_inner_tensor_of_a_debug_executor_is_the_clones_own():
    graph = loaded(create=tvmgo.debug_executor.create)
    clone = graph.clone()
    np.asarray(clone.module["get_output_by_layer"]("w", 0))[...] = f32(10, 20)
    np.asarray(clone.debug_get_output("w"))[1] = 30
    expect(graph, W)
    expect(clone, f32(10, 30))


def test_sharing_parameters_with_a_clone_leaves_the_others_unchanged():
    graph, borrower = loaded(), make()
    clone = graph.clone()
    borrower.share_params(clone, params_blob([("w", W)]))
    through_a_view(borrower, f32(10, 20))  # the clone's own memory, as share_params promises
    expect(borrower, f32(10, 20))
    expect(clone, f32(10, 20))
    expect(graph, W)


def test_sharing_parameters_of_what_is_no_executor():
    with pytest.raises(TypeError, match="other: expected a GraphModule, got int"):
        make().share_params(3, params_blob([("w", W)]))


def test_failed_load_into_a_clone_changes_none():
    graph = loaded()
    clone = graph.clone()
    with pytest.raises(ValueError):
        clone.load_params(params_blob([("w", f32(1, 2, 3))]))
    expect(clone, W)
    expect(graph, W)


@CHANGES
def test_parameter_that_shares_its_storage_with_an_activation(change):
    """The sum overwrites w, so that each run needs w set again, in a clone as in any other."""
    nodes = [
        var("x"),
        var("w", sid=1),
        op("add", ["x", "w"], name="kept"),
        op("negate", ["kept"], sid=1, name="y"),
    ]
    graph = loaded(nodes)
    clone = graph.clone()
    np.testing.assert_array_equal(result(graph.clone(), f32(3, 5)), -(f32(3, 5) + W))
    change(clone, f32(10, 20))
    np.testing.assert_array_equal(result(graph, f32(3, 5)), -(f32(3, 5) + W))
    np.testing.assert_array_equal(result(clone, f32(3, 5)), -(f32(3, 5) + f32(10, 20)))


def test_cloning_leaves_the_storage_of_the_original_as_planned():
    nodes = [
        var("w", sid=1),
        op("negate", ["w"], name="kept"),
        op("square", ["kept"], sid=1, name="y"),
    ]
    graph = loaded(nodes)
    graph.clone()
    graph.set_input("w", f32(10, 20))
    graph.run()
    assert address_of(graph.get_input("w")) == address_of(graph.get_output("y"))
    np.testing.assert_array_equal(graph.get_output("y").numpy(), f32(100, 400))


def test_parameter_of_its_own_is_written_in_place(kernel):
    """The first write after cloning makes a copy, and no later one does."""
    graph, seen = where_the_kernel_reads(kernel)
    graph.clone()
    for value in (1, 2, 3):
        graph.run(w=f32(value, value))
    assert len(set(seen)) == 1


def test_parameter_seen_in_another_shape_stays_shared_and_private():
    nodes = [
        var("x", (2, 1)),
        var("w", sid=1),
        op("__nop", ["w"], (2, 1), sid=1, name="column"),
        op("add", ["x", "column"], (2, 1), name="sum"),
        op("square", ["sum"], (2, 1), name="y", flatten="1"),
    ]
    graph = loaded(nodes)
    clone = graph.clone()
    column = f32(3, 5).reshape(2, 1)
    through_a_view(clone, f32(10, 20))
    for each, w in ((graph, W), (clone, f32(10, 20)), (clone.clone(), f32(10, 20))):
        np.testing.assert_array_equal(result(each, column), (column + w.reshape(2, 1)) ** 2)


def test_linked_parameters_are_shared(linked):
    nodes = [
        var("x"),
        var("w", sid=7),
        op("add", ["x", "w"], name="sum"),
        op("square", ["sum"], name="y"),
    ]
    graph = make(nodes, library=linked)
    clone = graph.clone()
    through_a_view(clone, f32(10, 20))  # a copy, here as everywhere
    expect(graph, W)
    expect(clone, W)
    with pytest.raises(ValueError, match="linked into the library"):
        clone.set_input("w", f32(10, 20))
    by_zero_copy(clone, f32(10, 20))
    expect(clone, f32(10, 20))
    expect(graph, W)


def test_replaced_parameters_are_freed():
    graph = loaded()
    clones = [graph.clone() for _ in range(3)]
    before = tvmgo.live_objects()
    for _ in range(5):
        for each in (graph, *clones):
            by_load_params(each, f32(10, 20))
    clones.append(graph.clone())
    del clones[1:]
    expect(clones[0], f32(10, 20))
    gc.collect()
    after = tvmgo.live_objects()
    assert all(after[kind] <= before[kind] for kind in before)


# ---------------------------------------------------------------- threads


def test_clones_on_many_threads_give_right_answers():
    graph = loaded()

    def work(number):
        random = np.random.default_rng(number)
        clone = clones[number]
        w = W
        for turn in range(60):
            x = random.normal(size=2).astype("float32")
            np.testing.assert_array_equal(result(clone, x), np.square(x + w))
            if turn % 10 == number % 10:
                w = random.normal(size=2).astype("float32")
                (by_set_input, by_load_params, through_a_view)[turn % 3](clone, w)
            if turn % 15 == 0:
                clone = clone.clone()

    clones = [graph.clone() for _ in range(12)]
    in_threads(work, len(clones))
    expect(graph, W)


def test_many_threads_clone_one_program():
    program = tvmgo.get_global_function("tvmgo.graph_program.create")(
        WORKED_GRAPH, None, tvmgo.cpu().device_type, 0
    )
    program["load_params"](WORKED_PARAMS)

    def work(number):
        for turn in range(20):
            graph = tvmgo.graph_executor.GraphModule(program["create_state"]())
            x = f32(number, turn)
            np.testing.assert_array_equal(result(graph, x), (x + W) ** 2)

    in_threads(work, 8)
