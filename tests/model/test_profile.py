# SPDX-License-Identifier: Apache-2.0
"""What a profile counts and times, its trace, and graphs with times in them."""

import json
import os
import shutil
import subprocess
import threading
import time
from xml.etree import ElementTree

import numpy as np
import pytest

import tvmgo
from tests.classic.conftest import compile_embedded  # noqa: F401, a fixture
from tests.classic.models import FACTORY, GRAPH
from tests.graphs import op, var
from tests.helpers import in_threads, output_of
from tests.model.conftest import PREFIX
from tests.model.test_batches import rows_of
from tvmgo import Batcher, Model, TVMBusyError

X = np.array([1, 2, 3])
W = np.array([4, 5, 6])


@pytest.fixture
def model(two_inputs):
    with Model.load(two_inputs, concurrency=2) as model:
        yield model


def calls_of(profile):
    return {operator.name: operator.calls for operator in profile.operators}


def run_all(model, times):
    """Run a model by each of its ways; return how many runs that were."""
    values = {"x": X, "w": W}
    binding = model.bind(values)
    for _ in range(times):
        model(X, W)
        model.run(values)
        model.submit(values).result()
        binding.run()
    return 4 * times


def test_every_run_in_the_block_counts(model):
    run_all(model, 1)
    with model.profile() as profile:
        assert isinstance(profile, tvmgo.Profile)
        counts = in_threads(lambda _: run_all(model, 5), 3)
    run_all(model, 1)
    total = sum(counts)
    assert profile.runs == total == 60
    assert calls_of(profile) == {"sum": total, "y": total, "z": total}
    with model.profile() as profile:
        pass
    assert (profile.runs, profile.operators, profile.seconds) == (0, (), 0)
    assert "0 runs" in str(profile)


def test_what_an_operator_is_like(model):
    with model.profile() as profile:
        model(X, W)
    by_name = {operator.name: operator for operator in profile.operators}
    total, doubled = by_name["sum"], by_name["y"]
    assert total.kernel == PREFIX + "add" and total.batch is None
    assert total.inputs == ("int64 [3]", "int64 [3]") and total.outputs == ("int64 [3]",)
    assert (total.bytes, doubled.bytes) == (72, 48)
    assert total.label == f"sum ({PREFIX}add)"
    assert total.min_seconds == total.max_seconds == total.seconds
    assert sum(operator.share for operator in profile.operators) == pytest.approx(1)
    assert total.template is total.bound is total.operations is None


def test_times_are_those_of_the_operators(write):
    nodes = [
        var("x", (2,)),
        op("double", ["x"], (2,), name="quick", prefix=PREFIX),
        op("nap", ["quick"], (2,), name="slow", prefix=PREFIX),
    ]
    with Model.load(write(nodes, ["slow"])) as model, model.profile() as profile:
        for _ in range(5):
            model(np.ones(2, "float32"))
    slow, quick = profile.operators
    assert (slow.name, quick.name) == ("slow", "quick")
    assert slow.seconds >= 5 * 0.002 and slow.min_seconds >= 0.002
    assert slow.max_seconds <= slow.seconds <= profile.seconds
    assert slow.share == pytest.approx(slow.seconds / (slow.seconds + quick.seconds))
    assert profile.seconds >= slow.seconds + quick.seconds


def test_models_of_the_same_files_are_profiled_apart(model, two_inputs):
    with Model.load(two_inputs) as other, model.profile() as profile:
        other(X, W)
        model(X, W)
    assert profile.runs == 1


def test_runs_that_do_not_begin_and_end_in_the_block(write_one, operators):
    with Model.load(write_one("wait"), concurrency=2) as model:
        operators.gate.clear()
        early = model.submit({"x": np.ones(2, "float32")})
        while operators.running < 1:
            time.sleep(0.001)
        with model.profile() as profile:
            late = model.submit({"x": np.ones(2, "float32")})
            while operators.running < 2:
                time.sleep(0.001)
        with model.profile() as second:
            operators.gate.set()
            early.result(), late.result()
            model(np.ones(2, "float32"))
        operators.gate.clear()
        assert (profile.runs, second.runs) == (0, 1)


def test_what_came_before_an_error_counts(write):
    nodes = [
        var("x", (2,)),
        op("double", ["x"], (2,), name="first", prefix=PREFIX),
        op("fail", ["first"], (2,), name="last", prefix=PREFIX),
    ]
    with Model.load(write(nodes, ["last"])) as model:
        with pytest.raises(ZeroDivisionError), model.profile() as profile:
            model(-np.ones(2, "float32"))
            model(np.ones(2, "float32"))
        assert profile.runs == 2 and calls_of(profile) == {"first": 2, "last": 1}


def test_one_at_a_time(model):
    with model.profile() as profile:
        with pytest.raises(TVMBusyError, match="profiled already"), model.profile():
            pass
        model(X, W)
    assert profile.runs == 1
    with profile:  # again
        model(X, W)
        model(X, W)
    assert profile.runs == 2


def test_reload_in_the_block(write_one):
    folder = write_one("double")
    with Model.load(folder) as model, model.profile() as profile:
        model(np.ones(2, "float32"))
        write_one("nap")
        model.reload()
        model(np.ones(2, "float32"))
        model.reload()  # the same files
        model(np.ones(2, "float32"))
    assert {op.kernel.removeprefix(PREFIX): op.calls for op in profile.operators} == {
        "double": 1,
        "nap": 2,
    }


def test_close_in_the_block(two_inputs):
    model = Model.load(two_inputs)
    with model.profile() as profile:
        model(X, W)
        model.close()
    assert profile.runs == 1


def test_sizes_of_a_batch(write_sizes):
    folder = write_sizes(sizes=(1, 4))
    manifest = json.loads((folder / "model.json").read_text())
    kernel = {"template": "elementwise", "bound": "memory", "operations": 12}
    manifest["sizes"][1]["kernels"] = {PREFIX + "double": kernel}
    (folder / "model.json").write_text(json.dumps(manifest))
    with Model.load(folder) as model:
        with model.profile() as profile:
            assert np.array_equal(model(rows_of(9)), rows_of(9) * 2)
            model(rows_of(1)), model(rows_of(4))
            with Batcher(model, max_batch=4, max_delay=0.2) as batcher:
                for future in [batcher.submit({"x": rows_of(1)}) for _ in range(4)]:
                    future.result()
        # The times of sizes, by which 9 rows are shared out, are no runs of anybody's.
        rows = sum(operator.calls * operator.batch for operator in profile.operators)
        assert 9 + 1 + 4 + 4 <= rows <= 12 + 1 + 4 + 4
        by_batch = {operator.batch: operator for operator in profile.operators}
        assert (by_batch[4].template, by_batch[4].bound) == ("elementwise", "memory")
        assert by_batch[4].operations == 12
        assert by_batch[4].inputs == ("float32 [4, 3]",)
        assert "rows" in str(profile).splitlines()[0]
        assert "elementwise, memory" in str(profile)
        assert "float32 [4, 3]" in model.dot() and "float32 [1, 3]" in model.dot(batch=1)
        with pytest.raises(ValueError, match="expected one of"):
            model.dot(batch=3)


def test_table(write):
    nodes = [var("x", (2,))]
    for i in range(50):
        name = f"node{i}" if i != 3 else "a" + "b" * 60 + "c"
        nodes.append(op("double", [nodes[-1]["name"]], (2,), name=name, prefix=PREFIX))
    with Model.load(write(nodes, ["node49"])) as model, model.profile() as profile:
        model(np.zeros(2, "float32"))
    lines = str(profile).splitlines()
    assert len(lines) == 1 + 40 + 2 and lines[-2].startswith("... and 10 others: ")
    assert lines[-1].startswith("1 runs, ")
    whole = profile.table().splitlines()
    assert len(whole) == 1 + 50 + 1
    assert whole[0].split()[:5] == ["operator", "calls", "ms", "share", "us/call"]
    assert max(line.index("float32") for line in whole[1:-1]) < 120
    assert any(line.startswith("abbb") and "b..b" in line for line in whole)
    costs = [float(line.split()[3]) for line in whole[1:-1]]
    assert costs == sorted(costs, reverse=True)
    assert "50 operators" in repr(profile)


def test_json(model):
    with model.profile() as profile:
        model(X, W)
    document = json.loads(json.dumps(profile.to_json()))
    assert document["runs"] == 1 and len(document["operators"]) == 3
    assert document["operators"][0]["inputs"] == ["int64 [3]"] * (
        1 if document["operators"][0]["name"] == "y" else 2
    )


def events_of(profile, path):
    profile.write_trace(path)
    document = json.loads(path.read_text())
    kinds = {}
    for event in document["traceEvents"]:
        kinds.setdefault(event.get("cat", event["ph"]), []).append(event)
    return document, kinds


def test_trace(model, tmp_path):
    before = time.perf_counter()
    with model.profile() as profile:
        in_threads(lambda _: [model(X, W) for _ in range(3)], 2)
        here = threading.get_native_id()
        model(X, W)
    seconds = time.perf_counter() - before
    document, kinds = events_of(profile, tmp_path / "trace.json")
    assert len(kinds["run"]) == 7 and len(kinds["operator"]) == 21
    assert document["otherData"]["left_out"] == 0
    for event in kinds["run"] + kinds["operator"]:
        assert event["ph"] == "X" and event["pid"] == os.getpid()
        assert 0 <= event["ts"] <= event["ts"] + event["dur"] <= seconds * 1e6
    for event in kinds["operator"]:  # in one run of its thread
        assert (
            sum(
                run["tid"] == event["tid"]
                and run["ts"] <= event["ts"]
                and event["ts"] + event["dur"] <= run["ts"] + run["dur"] + 0.001
                for run in kinds["run"]
            )
            == 1
        )
    assert kinds["operator"][-1]["tid"] == here
    assert len({event["tid"] for event in kinds["run"]}) >= 2
    names = {event["tid"]: event["args"]["name"] for event in kinds["M"] if "tid" in event}
    assert names[here] == threading.current_thread().name
    spent = sum(event["dur"] for event in kinds["operator"])
    assert spent == pytest.approx(sum(op.seconds for op in profile.operators) * 1e6)
    assert kinds["operator"][0]["args"]["inputs"] == "int64 [3], int64 [3]"


def test_trace_of_more_calls_than_are_kept(model, tmp_path):
    with model.profile(max_events=6) as profile:
        for _ in range(5):
            model(X, W)
    _, kinds = events_of(profile, tmp_path / "trace.json")
    assert len(kinds["run"]) + len(kinds["operator"]) == 6
    assert profile.left_out == 14 and calls_of(profile)["sum"] == 5
    with model.profile(max_events=0) as profile:
        model(X, W)
    assert "run" not in events_of(profile, tmp_path / "trace.json")[1]
    for wrong, kind in ((-1, ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(kind, match="max_events"):
            model.profile(max_events=wrong)
    with pytest.raises(FileNotFoundError):
        profile.write_trace(tmp_path / "no" / "trace.json")


def test_a_child_profiles_for_itself(two_inputs):
    """Whatever threads of the parent do at the time of the fork."""
    said = output_of(
        f"""
        import os, threading
        import numpy as np
        import tvmgo
        from tests.model.conftest import Operators, PREFIX, kernel
        for name in ("add", "double"):
            tvmgo.register_function(kernel(getattr(Operators(), name)), PREFIX + name)
        model = tvmgo.Model.load({str(two_inputs)!r}, concurrency=2)
        binding = model.bind({{"x": np.ones(3, "int64"), "w": np.ones(3, "int64")}})
        ones = np.ones(3, "int64")
        stop = False

        def work():
            while not stop:
                model(ones, ones)

        thread = threading.Thread(target=work)
        thread.start()
        for _ in range(30):
            with model.profile() as profile:
                binding.run()
                child = os.fork()
                if child == 0:
                    break
                model(ones, ones)
            assert os.waitpid(child, 0)[1] == 0
        else:
            stop = True
            thread.join()
            print("parent", profile.runs >= 2)
        if child == 0:
            assert profile.runs == 0
            with model.profile() as profile:
                binding.run()
                model(ones, ones)
            os._exit(0 if profile.runs == 2 else 1)
        """
    )
    assert said == "parent True\n"


# ---------------------------------------------------------------- graphs


def test_dot_of_a_graph(model):
    text = model.dot()
    assert "us" not in text
    model(X, W)
    with model.profile():
        model(X, W)
    text = model.dot()
    lines = text.splitlines()
    assert lines[0] == 'digraph "model" {' and lines[-1] == "}"
    for edge in ("n0 -> n3", "n2 -> n3", "n3 -> n4", "n3 -> n5", "n4 -> out0", "n5 -> out1"):
        assert f'  {edge} [label="int64 [3]"];' in lines
    assert "  n1" not in text  # a parameter
    assert len([line for line in lines if " us, " in line]) == 3


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")
def test_graphviz_reads_any_names(write):
    name = 'a "b" \\n &amp; <c> {d|e} \u00e4\n\x01'
    nodes = [
        var(name, (2,)),
        op("double", [name], (2,), name=f"{name} 2", prefix=PREFIX),
        op("nap", [f"{name} 2"], (2,), name="\\", prefix=PREFIX),
    ]
    with Model.load(write(nodes, ["\\", f"{name} 2"], name='fo"lder')) as model:
        with model.profile():
            model(np.ones(2, "float32"))
        text = model.dot()
    drawn = subprocess.run(
        ["dot", "-Tsvg"], input=text.encode(), capture_output=True, check=True
    ).stdout
    svg = "{http://www.w3.org/2000/svg}"
    shown = {}
    for group in ElementTree.fromstring(drawn).iter(f"{svg}g"):
        words = [each.text.replace("\xa0", " ") for each in group.findall(f"{svg}text")]
        shown[group.find(f"{svg}title").text] = words
    lines = name.replace("\x01", "?").split("\n")
    assert shown["n0"] == lines
    assert shown["n1"][:2] == [lines[0], f"{lines[1]} 2 ({PREFIX}double)"]
    assert shown["n2"][0] == f"\\ ({PREFIX}nap)" and shown["n2"][1].endswith("%")
    assert (shown["out0"], shown["out1"]) == (["\\"], [lines[0], f"{lines[1]} 2"])
    assert shown["n0->n1"] == ["float32 [2]"]


def test_factory(compile_embedded):  # noqa: F811
    with Model.load(compile_embedded(FACTORY)) as model:
        with model.profile() as profile:
            model(np.zeros(2, "float32"))
        assert profile.runs == 1 and len(profile.operators) == GRAPH.count("tvm_op")
        assert all(operator.calls == 1 for operator in profile.operators)
        assert model.dot().startswith('digraph "')
