# SPDX-License-Identifier: Apache-2.0
"""The debug variant of the graph executor: single nodes, and what lies between them."""

import json

import numpy as np
import pytest

import tvmgo
from tests.graph.executors import (
    CREATE_DEBUG,
    EXT_DEV,
    OLD_CREATE_DEBUG,
    create,
    create_debug,
    device_graph,
    worked_debug,
    write,
)
from tests.graphs import WORKED_GRAPH, WORKED_PARAMS, document, op, var
from tests.helpers import f32
from tvmgo import debug_executor


def branching():
    """x -> min_max (two outputs) -> negate of the second, whose entry id is not its node id."""
    return document(
        [
            var("x", (3,)),
            op("min_max", ["x"], name="m", outs=[((), "float32", None)] * 2),
            op("negate", [("m", 1)], (), name="n"),
        ],
        ["n"],
    )


# ---------------------------------------------------------------- the module


@pytest.mark.parametrize("name", [CREATE_DEBUG, OLD_CREATE_DEBUG])
def test_debug_module_is_of_the_same_kind_and_runs(name):
    module = worked_debug(name)
    assert module.kind == "GraphExecutor"
    module["run"]()
    np.testing.assert_array_equal(module["get_output"](0).numpy(), f32(6.25, 0))


def test_plain_module_has_no_debug_functions():
    for name in ("debug_get_output", "execute_node", "profile", "run_individual"):
        assert name in create_debug(WORKED_GRAPH)
        assert name not in create(WORKED_GRAPH)
    assert "nothing" not in create_debug(WORKED_GRAPH)


def test_create_with_too_few_arguments_names_the_variant():
    with pytest.raises(TypeError, match=f"{CREATE_DEBUG}: .*at least 4, but it has 2"):
        tvmgo.get_global_function(CREATE_DEBUG)(WORKED_GRAPH, None)


def test_debug_call_from_a_kernel_of_the_same_graph_raises(kernel):
    module = None

    def reenter(x, out):
        module["profile"]()

    module = create_debug(document([var("x"), op(kernel(reenter), ["x"], name="k")], ["k"]))
    with pytest.raises(RuntimeError, match="profile: the graph executor is busy"):
        module["run"]()
    module = None


# ---------------------------------------------------------------- debug_get_output


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (0, [1, 2]),
        ("x", [1, 2]),
        ("k0", [1.5, -2]),
        (2, [2.5, 0]),
        ("add0", [2.5, 0]),
        (3, [6.25, 0]),
        ("sq0", [6.25, 0]),
    ],
)
def test_debug_get_output_runs_up_to_the_node_inclusive(node, expected):
    module, out = worked_debug(), tvmgo.empty((2,))
    assert module["debug_get_output"](node, out) is None
    np.testing.assert_array_equal(out.numpy(), f32(*expected))
    np.testing.assert_array_equal(worked_debug()["debug_get_output"](node).numpy(), f32(*expected))


def test_debug_get_output_runs_nothing_beyond_the_node(counting):
    module, calls = counting()
    module["debug_get_output"]("b")
    assert calls == ["a", "b"]


def test_debug_get_output_finds_entries_behind_nodes_of_several_outputs():
    module = create_debug(branching())
    module["set_input"]("x", tvmgo.array(f32(3, -1, 2)))
    assert module["debug_get_output"]("n").numpy() == -3
    assert module["debug_get_output"](1).numpy() == -1  # the first of its outputs


def test_debug_get_output_of_a_repeated_name_is_the_first():
    graph = json.loads(WORKED_GRAPH)
    graph["nodes"][3]["name"] = "add0"
    module = create_debug(graph)
    module["set_input"]("x", tvmgo.array(f32(1, 2)))
    np.testing.assert_array_equal(module["debug_get_output"]("add0").numpy(), f32(1, 2))


def test_debug_get_output_of_a_nop_is_its_input_in_another_shape():
    nodes = [
        var("x", (4,)),
        op("negate", ["x"], (4,), sid=7, name="n"),
        op("__nop", ["n"], (2, 2), sid=7, name="r"),
    ]
    module = create_debug(document(nodes, ["r"]))
    module["set_input"]("x", tvmgo.array(f32(1, 2, 3, 4)))
    np.testing.assert_array_equal(
        module["debug_get_output"]("r").numpy(), f32(-1, -2, -3, -4).reshape(2, 2)
    )


def test_debug_get_output_without_output_raises():
    module = create_debug(document([op("tick", [], outs=[], name="t")], []))
    with pytest.raises(ValueError, match='node "t" has no outputs'):
        module["debug_get_output"]("t")


@pytest.mark.parametrize(
    ("node", "out", "error", "message"),
    [
        ("nobody", None, KeyError, 'the graph has no node "nobody"'),
        (4, None, IndexError, "an index below 4, got 4"),
        (-1, None, IndexError, "got -1"),
        (1.5, None, TypeError, "node.*expected an integer, got float"),
        (
            2,
            np.zeros((3,), "float32"),
            ValueError,
            r'node "add0": expected a tensor like float32\[2\]',
        ),
        (2, "text", TypeError, "out.*expected a tensor"),
    ],
    ids=["name", "index", "negative", "float", "shape", "no-tensor"],
)
def test_debug_get_output_with_bad_arguments_raises(node, out, error, message):
    arguments = [node] if out is None else [node, out]
    with pytest.raises(error, match=message):
        worked_debug()["debug_get_output"](*arguments)


# ---------------------------------------------------------------- execute_node


def test_execute_node_continues_where_it_ended(counting):
    module, calls = counting()
    for node, expected in [
        (0, ""),
        (1, "a"),
        (3, "bc"),
        (3, ""),
        ("b", "ab"),
        ("c", "c"),
        ("x", ""),
        ("a", "a"),
    ]:
        calls.clear()
        module["execute_node"](node)
        assert "".join(calls) == expected, node


def test_execute_node_goes_on_after_a_failure_at_the_node_that_failed(kernel):
    calls, fails = [], [True]

    def flaky(x, out):
        calls.append("flaky")
        if fails.pop():
            raise LookupError("not yet")

    def counted(x, out):
        calls.append("counted")

    module = create_debug(
        document(
            [var("x"), op(kernel(counted), ["x"], name="a"), op(kernel(flaky), ["a"], name="b")],
            ["b"],
        )
    )
    with pytest.raises(LookupError, match="not yet"):
        module["execute_node"](2)
    fails.append(False)
    module["execute_node"](2)
    assert calls == ["counted", "flaky", "flaky"]


def test_get_node_output_copies_the_last_executed_node():
    module = worked_debug()
    with pytest.raises(ValueError, match="last executed.*which is none, got 2"):
        module["get_node_output"](2, 0)
    module["execute_node"]("add0")
    copy = module["get_node_output"](2, 0)
    np.testing.assert_array_equal(copy.numpy(), f32(2.5, 0))
    with pytest.raises(ValueError, match="which is node 2, got 3"):
        module["get_node_output"](3, 0)
    module["set_input"]("x", tvmgo.array(f32(9, 9)))
    module["run"]()
    np.testing.assert_array_equal(copy.numpy(), f32(2.5, 0))


def test_get_node_output_finds_the_second_output():
    module = create_debug(branching())
    module["set_input"]("x", tvmgo.array(f32(3, -1, 2)))
    module["execute_node"]("m")
    assert [float(module["get_node_output"]("m", i).numpy()) for i in (0, 1)] == [-1, 3]
    with pytest.raises(IndexError, match="output.*an index below 2, got 2"):
        module["get_node_output"]("m", 2)


def test_get_output_by_layer_is_live():
    module = create_debug(branching())
    high = module["get_output_by_layer"](1, 1)
    module["set_input"]("x", tvmgo.array(f32(3, -1, 2)))
    module["run"]()
    assert high.numpy() == 3 and module["get_output_by_layer"]("n", 0).numpy() == -3


@pytest.mark.usefixtures("fake_runtime")
def test_get_node_output_comes_to_the_cpu():
    module = create_debug(device_graph(), 1, 0, EXT_DEV, 0)
    module["set_input"]("x", tvmgo.array(f32(1, 2)))
    module["execute_node"]("sent")
    copy = module["get_node_output"]("sent", 0)
    assert str(copy.device) == "cpu:0"
    np.testing.assert_array_equal(copy.numpy(), f32(1, 2))


# ---------------------------------------------------------------- the Python helper


def helper(dump_root=None):
    graph = debug_executor.create(WORKED_GRAPH, None, tvmgo.cpu(0), dump_root)
    graph.load_params(WORKED_PARAMS)
    return graph


def test_helper_runs_like_the_plain_one():
    graph = helper()
    graph.run(x=[1.0, 2.0])
    np.testing.assert_array_equal(graph.get_output(0).numpy(), f32(6.25, 0))


def test_helper_shows_nodes():
    graph = helper()
    graph.set_input("x", f32(1, 2))
    out = np.zeros(2, "float32")
    assert graph.debug_get_output("add0", out) is out
    np.testing.assert_array_equal(out, f32(2.5, 0))
    np.testing.assert_array_equal(graph.debug_get_output(3).numpy(), f32(6.25, 0))
    graph.execute_node("add0")
    np.testing.assert_array_equal(graph.get_node_output("add0").numpy(), f32(2.5, 0))


def test_helper_returns_times():
    graph = helper()
    times = graph.run_individual(number=2, repeat=3)
    assert [len(row) for row in times] == [3] * 4
    assert times[:2] == [[0.0] * 3] * 2 and min(times[2] + times[3]) > 0
    result = graph.run_individual_node(2, number=2, repeat=3)
    assert len(result.results) == 3 and result.min > 0


def test_helper_profiles():
    report = helper().profile(x=[1.0, 2.0])
    assert [row["Name"]["string"] for row in report["calls"]] == ["test_ge.add", "test_ge.square"]


def test_helper_writes_down_all_outputs(tmp_path):
    graph = helper(tmp_path / "dump")
    graph.run(x=[1.0, 2.0])
    blob = (tmp_path / "dump" / "output_tensors.params").read_bytes()
    written = tvmgo.get_global_function("runtime.LoadParams")(blob)
    expected = {"x": [1, 2], "k0": [1.5, -2], "add0": [2.5, 0], "sq0": [6.25, 0]}
    assert set(written) == {
        f"{name}____topo-index:{i}____output-num:0" for i, name in enumerate(expected)
    }
    for i, (name, values) in enumerate(expected.items()):
        np.testing.assert_array_equal(
            written[f"{name}____topo-index:{i}____output-num:0"].numpy(), f32(*values)
        )


def test_helper_that_writes_down_runs_the_whole_graph_each_time(tmp_path, kernel):
    calls = []
    name = kernel(lambda out: (calls.append(0), write(out, f32(len(calls), 0))))
    text = json.dumps(document([op(name, [], name="t")], ["t"]))
    graph = debug_executor.create(text, None, tvmgo.cpu(0), tmp_path)
    graph.execute_node(0)
    for count in (2, 3):
        graph.run()
        assert len(calls) == count
        np.testing.assert_array_equal(graph.get_node_output(0).numpy(), f32(count, 0))


def test_helper_needs_the_graph_to_write_it_down(tmp_path):
    with pytest.raises(ValueError, match="dump_root: needs graph_json_str"):
        debug_executor.GraphModuleDebug(worked_debug(), dump_root=tmp_path)
