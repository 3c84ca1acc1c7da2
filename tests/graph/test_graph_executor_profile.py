# SPDX-License-Identifier: Apache-2.0
"""The debug variant of the graph executor: times of nodes, and profiles of graphs."""

import json
import signal
import struct
import time

import numpy as np
import pytest

import tvmgo
from tests.graph.executors import (
    CREATE_DEBUG,
    EXT_DEV,
    OLD_CREATE_DEBUG,
    create_debug,
    device_graph,
    worked_debug,
    write,
)
from tests.graphs import document, op, var
from tests.helpers import f32

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


@pytest.mark.parametrize(("name", "unit"), [(CREATE_DEBUG, 1.0), (OLD_CREATE_DEBUG, 1e-6)])
def test_run_individual_of_three_arguments_returns_text(kernel, name, unit):
    slow = kernel(lambda x, out: time.sleep(0.002))
    module = create_debug(
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
    module = create_debug(document(nodes, ["r"]))
    for node in ("x", "r"):
        assert module["run_individual_node"](node, 1, 2, 1000, 100, 0, 1) == bytes(16)


def test_number_grows_until_a_repeat_lasts_long_enough(counting):
    module, calls = counting()
    module["run_individual_node"]("a", 1, 1, 5, 100, 0, 1)
    assert len(calls) > 100


def test_times_are_means_over_number(kernel):
    slow = kernel(lambda x, out: time.sleep(0.003))
    module = create_debug(document([var("x"), op(slow, ["x"], name="s")], ["s"]))
    begin = time.perf_counter()
    [seconds] = struct.unpack("=d", module["run_individual_node"]("s", 4, 1, 0, 100, 0, 1))
    assert 0.003 <= seconds <= (time.perf_counter() - begin) / 4


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
    module = create_debug(
        document([var("x"), op("__copy", ["x"], name="c")], ["c"])
    )  # no Python in it

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


def test_error_of_a_timed_kernel_comes_out_as_the_same_object(kernel):
    error = LookupError("kernel failed")

    def fail(x, out):
        raise error

    module = create_debug(document([var("x"), op(kernel(fail), ["x"], name="f")], ["f"]))
    with pytest.raises(LookupError) as caught:
        module["run_individual_node"]("f", 1, 1, 0, 0, 1)
    assert caught.value is error
    error.__traceback__ = None


# ---------------------------------------------------------------- profiles


def test_profile_reports_every_operator(kernel):
    slow = kernel(lambda x, out: (time.sleep(0.002), write(out, np.asarray(x) > 0)))
    nodes = [
        var("x", (2, 3)),
        op(slow, ["x"], (2, 3), "uint1", name="s"),
        op("__nop", ["s"], (6,), "uint1", name="r"),
        op("tick", [], outs=[], name="t"),
    ]
    nodes[1]["attrs"].update(hash="1f2e", data_layout="NCHW", kernel_layout="OIHW", other="x")
    nodes[1]["outs"], nodes[2]["outs"] = [((2, 3), "uint1", 5)], [((6,), "uint1", 5)]
    report = create_debug(document(nodes, ["r"]))["profile"](None)
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
    report = json.loads(worked_debug()["profile_rpc"]())
    assert set(report) == {"calls", "device_metrics", "configuration"}
    assert report["calls"][0]["Hash"] == {"string": "1f2e3d4c5b6a7988"}
    tvmgo._native.locate.load()
    threads = tvmgo.get_global_function("runtime.NumThreads")()
    report = json.loads(worked_debug()["profile_rpc"]())
    assert report["configuration"]["Number of threads"] == {"count": threads}


def test_profile_of_an_empty_graph_is_empty():
    report = create_debug(document([], []))["profile"]([])
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
        worked_debug()["profile"](collectors)


STREAM_SYNC = "runtime.Device_StreamSync"


@pytest.fixture
def waited(fake_runtime):
    """The (device, stream) pairs that were waited for, by a function in place of the runtime's."""
    calls = []
    original = tvmgo.get_global_function(STREAM_SYNC)
    tvmgo.register_function(
        lambda device, stream: calls.append((str(device), stream)), STREAM_SYNC, override=True
    )
    yield calls
    tvmgo.register_function(original, STREAM_SYNC, override=True)


def test_timing_waits_for_the_device_of_the_node(waited):
    module = create_debug(device_graph(), 1, 0, EXT_DEV, 3)
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
    module = create_debug(device_graph(), 1, 0, EXT_DEV, 0)
    tvmgo.remove_global_function(STREAM_SYNC)
    with pytest.raises(RuntimeError, match=f"device type {EXT_DEV} needs libtvm_runtime"):
        module["debug_run"]("sent")


def test_profile_numbers_devices_that_have_no_name(waited):
    module = create_debug(document([op("tick", [], outs=[], name="t")], []), 77, 3)
    assert list(module["profile"]()["device_metrics"]) == ["device77:3"]
    assert len(waited) == 2
