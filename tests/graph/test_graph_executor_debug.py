# SPDX-License-Identifier: Apache-2.0
"""The debug variant of the graph executor: single nodes, what lies between, times, profiles."""

import json
import signal
import struct
import time

import numpy as np
import pytest

import tvmgo
from tests.graph.test_graph_executor_core import (  # noqa: F401 (fixtures among them)
    EXT_DEV,
    KERNELS,
    WORKED_GRAPH,
    WORKED_PARAMS,
    device_graph,
    document,
    f32,
    fake_runtime,
    kernel,
    native,
    op,
    registered_kernels,
    var,
    write,
)
from tests.graph.test_graph_executor_core import (
    create as create_plain,
)
from tvmgo import debug_executor

DEBUG = "tvm.graph_executor_debug.create"
OLD_DEBUG = "tvm.graph_runtime_debug.create"


def create(graph, *devices, name=DEBUG):
    text = graph if isinstance(graph, str) else json.dumps(graph)
    return tvmgo.get_global_function(name)(text, None, *(devices or (1, 0)))


def worked(name=DEBUG):
    module = create(WORKED_GRAPH, name=name)
    module["load_params"](WORKED_PARAMS)
    module["set_input"]("x", tvmgo.array(f32(1, 2)))
    return module


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


@pytest.fixture
def counting(kernel):  # noqa: F811
    """Makes a debug executor of three operators a, b, c in a chain, and the list of their calls."""

    def make():
        calls, nodes = [], [var("x")]
        for name in "abc":
            count = kernel(
                lambda x, out, name=name: (calls.append(name), write(out, np.asarray(x) + 1))
            )
            nodes.append(op(count, [nodes[-1]["name"]], name=name))
        return create(document(nodes, ["c"])), calls

    return make


# ---------------------------------------------------------------- the module


@pytest.mark.parametrize("name", [DEBUG, OLD_DEBUG])
def test_debug_module_is_of_the_same_kind_and_runs(name):
    module = worked(name)
    assert module.kind == "GraphExecutor"
    module["run"]()
    np.testing.assert_array_equal(module["get_output"](0).numpy(), f32(6.25, 0))


def test_plain_module_has_no_debug_functions():
    for name in ("debug_get_output", "execute_node", "profile", "run_individual"):
        assert name in create(WORKED_GRAPH)
        assert name not in create_plain(WORKED_GRAPH)
    assert "nothing" not in create(WORKED_GRAPH)


def test_create_with_too_few_arguments_names_the_variant():
    with pytest.raises(TypeError, match=f"{DEBUG}: .*at least 4, but it has 2"):
        tvmgo.get_global_function(DEBUG)(WORKED_GRAPH, None)


def test_debug_call_from_a_kernel_of_the_same_graph_raises(kernel):  # noqa: F811
    module = None

    def reenter(x, out):
        module["profile"]()

    module = create(document([var("x"), op(kernel(reenter), ["x"], name="k")], ["k"]))
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
    module, out = worked(), tvmgo.empty((2,))
    assert module["debug_get_output"](node, out) is None
    np.testing.assert_array_equal(out.numpy(), f32(*expected))
    np.testing.assert_array_equal(worked()["debug_get_output"](node).numpy(), f32(*expected))


def test_debug_get_output_runs_nothing_beyond_the_node(counting):
    module, calls = counting()
    module["debug_get_output"]("b")
    assert calls == ["a", "b"]


def test_debug_get_output_finds_entries_behind_nodes_of_several_outputs():
    module = create(branching())
    module["set_input"]("x", tvmgo.array(f32(3, -1, 2)))
    assert module["debug_get_output"]("n").numpy() == -3
    assert module["debug_get_output"](1).numpy() == -1  # the first of its outputs


def test_debug_get_output_of_a_repeated_name_is_the_first():
    graph = json.loads(WORKED_GRAPH)
    graph["nodes"][3]["name"] = "add0"
    module = create(graph)
    module["set_input"]("x", tvmgo.array(f32(1, 2)))
    np.testing.assert_array_equal(module["debug_get_output"]("add0").numpy(), f32(1, 2))


def test_debug_get_output_of_a_nop_is_its_input_in_another_shape():
    nodes = [
        var("x", (4,)),
        op("negate", ["x"], (4,), sid=7, name="n"),
        op("__nop", ["n"], (2, 2), sid=7, name="r"),
    ]
    module = create(document(nodes, ["r"]))
    module["set_input"]("x", tvmgo.array(f32(1, 2, 3, 4)))
    np.testing.assert_array_equal(
        module["debug_get_output"]("r").numpy(), f32(-1, -2, -3, -4).reshape(2, 2)
    )


def test_debug_get_output_without_output_raises():
    module = create(document([op("tick", [], outs=[], name="t")], []))
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
        worked()["debug_get_output"](*arguments)


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


def test_execute_node_goes_on_after_a_failure_at_the_node_that_failed(kernel):  # noqa: F811
    calls, fails = [], [True]

    def flaky(x, out):
        calls.append("flaky")
        if fails.pop():
            raise LookupError("not yet")

    def counted(x, out):
        calls.append("counted")

    module = create(
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
    module = worked()
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
    module = create(branching())
    module["set_input"]("x", tvmgo.array(f32(3, -1, 2)))
    module["execute_node"]("m")
    assert [float(module["get_node_output"]("m", i).numpy()) for i in (0, 1)] == [-1, 3]
    with pytest.raises(IndexError, match="output.*an index below 2, got 2"):
        module["get_node_output"]("m", 2)


def test_get_output_by_layer_is_live():
    module = create(branching())
    high = module["get_output_by_layer"](1, 1)
    module["set_input"]("x", tvmgo.array(f32(3, -1, 2)))
    module["run"]()
    assert high.numpy() == 3 and module["get_output_by_layer"]("n", 0).numpy() == -3


@pytest.mark.usefixtures("fake_runtime")
def test_get_node_output_comes_to_the_cpu():
    module = create(device_graph(), 1, 0, EXT_DEV, 0)
    module["set_input"]("x", tvmgo.array(f32(1, 2)))
    module["execute_node"]("sent")
    copy = module["get_node_output"]("sent", 0)
    assert str(copy.device) == "cpu:0"
    np.testing.assert_array_equal(copy.numpy(), f32(1, 2))


# ---------------------------------------------------------------- times


def test_debug_run_runs_one_node_once(counting):
    module, calls = counting()
    seconds = module["debug_run"]("b")
    assert calls == ["b"] and 0 < seconds < 1
    assert module["debug_run"](0) == 0.0


@pytest.mark.parametrize("tail", [(0, 1), (100, 0, 1)], ids=["0.9", "0.10"])
def test_run_individual_returns_bytes_of_all_repeats(counting, tail):
    module, calls = counting()
    blob = module["run_individual"](3, 2, 0, *tail)
    assert isinstance(blob, bytes)
    count, *times = struct.unpack("=q8d", blob)
    assert count == 4 and times[:2] == [0, 0] and min(times[2:]) > 0
    # The whole graph once, then each operator once to warm up and three times in each repeat.
    assert "".join(calls) == "abc" + "a" * 7 + "b" * 7 + "c" * 7


@pytest.mark.parametrize(("name", "unit"), [(DEBUG, 1.0), (OLD_DEBUG, 1e-6)])
def test_run_individual_of_three_arguments_returns_text(kernel, name, unit):  # noqa: F811
    slow = kernel(lambda x, out: time.sleep(0.002))
    module = create(
        document([var("x"), op(slow, ["x"], name="s"), op("tick", [], outs=[])], ["s"]), name=name
    )
    text = module["run_individual"](1, 2, 0)
    assert text.count(",") == 3 and text.endswith(",")
    x, slow, tick = map(float, text.removesuffix(",").split(","))
    assert x == 0 and 0.002 <= slow * unit < 0.2 and 0 < tick * unit < 0.002


def test_run_individual_node_times_that_node_only(counting):
    module, calls = counting()
    times = struct.unpack("=3d", module["run_individual_node"]("b", 2, 3, 0, 100, 0, 1))
    assert calls == ["b"] * 7 and min(times) > 0
    assert len(module["run_individual_node"](1, 2, 3, 0, 0, 1)) == 24  # as in 0.9


def test_times_of_nodes_that_compute_nothing_are_zero():
    nodes = [var("x", (4,), sid=0), op("__nop", ["x"], (2, 2), sid=0, name="r")]
    module = create(document(nodes, ["r"]))
    for node in ("x", "r"):
        assert module["run_individual_node"](node, 1, 2, 1000, 100, 0, 1) == bytes(16)


def test_number_grows_until_a_repeat_lasts_long_enough(counting):
    module, calls = counting()
    module["run_individual_node"]("a", 1, 1, 5, 100, 0, 1)
    assert len(calls) > 100


def test_times_are_means_over_number(kernel):  # noqa: F811
    slow = kernel(lambda x, out: time.sleep(0.003))
    module = create(document([var("x"), op(slow, ["x"], name="s")], ["s"]))
    [seconds] = struct.unpack("=d", module["run_individual_node"]("s", 4, 1, 0, 100, 0, 1))
    assert 0.003 <= seconds < 0.010


def test_cooldown_sleeps_after_the_first_and_every_so_many_repeats(counting):
    module, _ = counting()
    begin = time.monotonic()
    module["run_individual_node"]("a", 1, 5, 0, 100, 20, 2)  # after repeats 0, 2 and 4
    assert 0.06 <= time.monotonic() - begin < 0.5


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 1, 0, 0, 1), ValueError, "number.*an integer from 1, got 0"),
        ((1, 0, 0, 0, 1), ValueError, "repeat.*an integer from 1, got 0"),
        ((1, 2**22 + 1, 0, 0, 1), ValueError, "repeat.*expected at most 4194304, .*got 4194305"),
        ((1, 2**63 - 1, 0), ValueError, "repeat.*expected at most 4194304"),
        ((1, 1, -1, 0, 1), ValueError, "min_repeat_ms.*an integer from 0, got -1"),
        ((1, 1, 0, -1, 0, 1), ValueError, "limit_zero_time_iterations.*from 0, got -1"),
        ((1, 1, 0, -1, 1), ValueError, "cooldown_interval_ms.*from 0, got -1"),
        ((1, 1, 0, 0, 0), ValueError, "repeats_to_cooldown.*from 1, got 0"),
        ((1.0, 1, 0), TypeError, "number.*expected an integer, got float"),
        ((1, 1, 0, 0), TypeError, "expected 3, 5 or 6 arguments, got 4"),
        ((1, 1), TypeError, "expected 3 to 6 arguments, got 2"),
    ],
)
def test_run_individual_with_bad_arguments_raises(counting, arguments, error, message):
    module, calls = counting()
    with pytest.raises(error, match=f"run_individual: .*{message}"):
        module["run_individual"](*arguments)
    assert calls == []


def test_run_individual_node_refuses_more_repeats_than_can_be_held(counting):
    module, calls = counting()
    for node in (0, "a"):  # an input takes no time, but has means all the same
        with pytest.raises(ValueError, match="^run_individual_node: argument 2 .repeat.*16777216"):
            module["run_individual_node"](node, 1, 2**24 + 1, 0, 100, 0, 1)
    assert calls == []


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that sends a signal")
@pytest.mark.parametrize(
    "arguments",
    [
        (2**63 - 1, 1, 0, 100, 0, 1),
        (1, 2**22, 0, 100, 50, 1),
        (1, 1, 2**63 - 1, 100, 0, 1),
        (1, 1, 0, 100, 2**63 - 1, 1),
    ],
    ids=["number", "repeat", "min_repeat_ms", "cooldown_interval_ms"],
)
def test_signal_ends_what_is_timed_too_long(arguments):
    module = create(document([var("x"), op("__copy", ["x"], name="c")], ["c"]))  # no Python in it

    def ring(*args):
        raise InterruptedError("enough")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(InterruptedError, match="enough"):
            module["run_individual_node"]("c", *arguments)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_error_of_a_timed_kernel_comes_out_as_the_same_object(kernel):  # noqa: F811
    error = LookupError("kernel failed")

    def fail(x, out):
        raise error

    module = create(document([var("x"), op(kernel(fail), ["x"], name="f")], ["f"]))
    with pytest.raises(LookupError) as caught:
        module["run_individual_node"]("f", 1, 1, 0, 0, 1)
    assert caught.value is error
    error.__traceback__ = None


# ---------------------------------------------------------------- profiles


def test_profile_reports_every_operator(kernel):  # noqa: F811
    slow = kernel(lambda x, out: (time.sleep(0.002), write(out, np.asarray(x) > 0)))
    nodes = [
        var("x", (2, 3)),
        op(slow, ["x"], (2, 3), "uint1", name="s"),
        op("__nop", ["s"], (6,), "uint1", name="r"),
        op("tick", [], outs=[], name="t"),
    ]
    nodes[1]["attrs"].update(hash="1f2e", data_layout="NCHW", kernel_layout="OIHW", other="x")
    nodes[1]["outs"], nodes[2]["outs"] = [((2, 3), "uint1", 5)], [((6,), "uint1", 5)]
    report = create(document(nodes, ["r"]))["profile"](None)
    rows = report["calls"]
    assert [row["Name"] for row in rows] == [
        {"string": f"test_ge.{slow}"},
        {"string": "__nop"},
        {"string": "test_ge.tick"},
    ]
    first = rows[0]
    assert set(first) == {
        "Name",
        "Device",
        "Duration (us)",
        "Count",
        "Percent",
        "Argument Shapes",
        "Hash",
        "data_layout",
        "kernel_layout",
    }
    assert first["Argument Shapes"] == {"string": "float32[2, 3], bool[2, 3]"}
    assert (first["Hash"], first["data_layout"]) == ({"string": "1f2e"}, {"string": "NCHW"})
    assert (first["Device"], first["Count"]) == ({"string": "cpu0"}, {"count": 1})
    assert 2000 <= first["Duration (us)"]["microseconds"] < 200_000
    assert rows[1]["Duration (us)"] == {"microseconds": 0.0}
    assert rows[2]["Argument Shapes"] == {"string": ""}
    assert sum(row["Percent"]["percent"] for row in rows) == pytest.approx(100)
    total = report["device_metrics"]["cpu0"]
    assert total["Duration (us)"]["microseconds"] == pytest.approx(
        sum(row["Duration (us)"]["microseconds"] for row in rows)
    )
    assert (total["Name"], total["Count"]) == ({"string": "Total"}, {"count": 3})
    assert report["configuration"]["Executor"] == {"string": "Graph"}


def test_profile_warms_up_three_times_and_leaves_the_outputs(counting):
    module, calls = counting()
    module["set_input"]("x", tvmgo.array(f32(1, 2)))
    module["profile"]()
    assert "".join(calls) == "abc" * 4
    np.testing.assert_array_equal(module["get_output"](0).numpy(), f32(4, 5))


def test_profile_rpc_returns_the_report_as_json():
    report = json.loads(worked()["profile_rpc"]())
    assert set(report) == {"calls", "device_metrics", "configuration"}
    assert report["calls"][0]["Hash"] == {"string": "1f2e3d4c5b6a7988"}
    tvmgo._native.locate.load()
    threads = tvmgo.get_global_function("runtime.NumThreads")()
    report = json.loads(worked()["profile_rpc"]())
    assert report["configuration"]["Number of threads"] == {"count": threads}


def test_profile_of_an_empty_graph_is_empty():
    report = create(document([], []))["profile"]([])
    assert (list(report["calls"]), dict(report["device_metrics"])) == ([], {})


@pytest.mark.parametrize(
    ("collectors", "error", "message"),
    [
        ([1], ValueError, "no metric collectors"),
        ("papi", TypeError, "an array or None"),
    ],
)
def test_profile_with_collectors_raises(collectors, error, message):
    with pytest.raises(error, match=f"profile: .*{message}"):
        worked()["profile"](collectors)


STREAM_SYNC = "runtime.Device_StreamSync"


@pytest.fixture
def waited(fake_runtime):  # noqa: F811
    """The (device, stream) pairs that were waited for, by a function in place of the runtime's."""
    calls = []
    original = tvmgo.get_global_function(STREAM_SYNC)
    tvmgo.register_function(
        lambda device, stream: calls.append((str(device), stream)), STREAM_SYNC, override=True
    )
    yield calls
    tvmgo.register_function(original, STREAM_SYNC, override=True)


def test_timing_waits_for_the_device_of_the_node(waited):
    module = create(device_graph(), 1, 0, EXT_DEV, 3)
    report = module["profile"]()
    assert waited == [("ext_dev:3", 0)] * 2  # before and after the one node that is there
    module["run_individual_node"]("sent", 1, 2, 0, 100, 0, 1)
    assert waited == [("ext_dev:3", 0)] * 6
    module["debug_run"]("fetched")
    assert len(waited) == 6
    assert [row["Device"]["string"] for row in report["calls"]] == ["ext_dev3", "cpu0", "cpu0"]
    assert {name: row["Count"]["count"] for name, row in report["device_metrics"].items()} == {
        "cpu0": 2,
        "ext_dev3": 1,
    }


@pytest.mark.usefixtures("waited")
def test_timing_on_a_device_without_the_runtime_raises():
    module = create(device_graph(), 1, 0, EXT_DEV, 0)
    tvmgo.remove_global_function(STREAM_SYNC)
    with pytest.raises(RuntimeError, match=f"device type {EXT_DEV} needs libtvm_runtime"):
        module["debug_run"]("sent")


def test_profile_numbers_devices_that_have_no_name(waited):
    module = create(document([op("tick", [], outs=[], name="t")], []), 77, 3)
    assert list(module["profile"]()["device_metrics"]) == ["device77:3"]
    assert len(waited) == 2


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


def test_helper_that_writes_down_runs_the_whole_graph_each_time(tmp_path, kernel):  # noqa: F811
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
        debug_executor.GraphModuleDebug(worked(), dump_root=tmp_path)
