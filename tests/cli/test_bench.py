# SPDX-License-Identifier: Apache-2.0
"""``tvmgo bench``"""

import sys
import threading
import time

import numpy as np
import pytest
from onnx import TensorProto, helper, save

from tvmgo import TVMError
from tvmgo.model.trials import plotting
from tvmgo.model.trials.benchmark import call_all


@pytest.fixture
def doubling(tmp_path):
    """An ONNX file of y = x + x, for x: float32 [2]."""
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy"]
    node = helper.make_node("Add", ["x", "x"], ["y"])
    graph = helper.make_graph([node], "double", value[:1], value[1:])
    opset = [helper.make_opsetid("", 13)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "double.onnx")
    return tmp_path / "double.onnx"


def test_rows(write_one, tvmgo_says):
    words = ["--seconds", "0.2", "--concurrency", "1,3", "--threads", "1", "--json"]
    start = time.perf_counter()
    told = tvmgo_says("bench", write_one("nap"), *words).document
    assert time.perf_counter() - start < 20
    assert [(row["engine"], row["concurrency"]) for row in told["rows"]] == [
        ("tvmgo", 1),
        ("tvmgo", 3),
    ]
    for row in told["rows"]:  # each call naps for 2 ms
        assert row["p50_seconds"] >= 0.002
        assert row["p50_seconds"] <= row["p90_seconds"] <= row["p99_seconds"] <= row["max_seconds"]
        assert row["calls"] >= 5 * row["concurrency"]
        assert row["per_second"] <= 500 * row["concurrency"]


def test_that_many_callers(write_one, tvmgo_says, operators):
    operators.most = 0
    tvmgo_says("bench", write_one("nap"), "--seconds", "0.2", "--concurrency", "3")
    assert operators.most == 3


def test_beside_onnx_runtime(write_one, tvmgo_says, doubling, tmp_path):
    np.save(tmp_path / "x.npy", np.ones(2, "float32"))
    words = ["--seconds", "0.2", "--concurrency", "2", "--input", f"x={tmp_path / 'x.npy'}"]
    said = tvmgo_says("bench", write_one("double"), *words, "--onnx", doubling, "--json")
    ours, theirs = said.document["rows"]
    assert (ours["engine"], theirs["engine"]) == ("tvmgo", "onnxruntime")
    assert (
        ours["threads"] == theirs["threads"] and ours["concurrency"] == theirs["concurrency"] == 2
    )
    [speedup] = said.document["speedup"].values()
    assert speedup == pytest.approx(ours["per_second"] / theirs["per_second"])


def test_what_is_wrong_is_one_line(write_one, tvmgo_says, tmp_path, doubling, monkeypatch):
    folder = write_one("double", shape=(3,))
    (tmp_path / "text.onnx").write_text("text")
    cases = [
        (["--onnx", tmp_path / "no.onnx"], "onnx: there is no file"),
        (["--onnx", tmp_path / "text.onnx"], "onnx: ONNX Runtime cannot run"),
        (["--onnx", doubling], "onnx: ONNX Runtime cannot run"),  # another shape
        (["--seconds", "0"], "seconds: expected a positive number, got 0.0"),
        (["--concurrency", "0"], "concurrency: expected 1 or more, got 0"),
        (["--input", "y=random"], "the model has no input 'y'"),
    ]
    for words, text in cases:
        said = tvmgo_says("bench", folder, "--seconds", "0.1", *words)
        assert (said.status, said.out) == (1, "") and said.err.startswith(f"tvmgo: {text}")
        assert len(said.err.splitlines()) == 1
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    said = tvmgo_says("bench", folder, "--seconds", "0.1", "--onnx", doubling)
    assert "ONNX Runtime is not installed; `pip install onnxruntime`" in said.err


def test_an_error_of_a_call_is_raised():
    lock, count = threading.Lock(), 0

    def call():
        nonlocal count
        with lock:
            count += 1
            if count == 5:
                raise TVMError("the fifth")

    with pytest.raises(TVMError, match="the fifth"):
        call_all(call, callers=2, seconds=20)


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_plot(write_one, tvmgo_says, doubling, tmp_path, ending):
    file = tmp_path / f"bench.{ending}"
    words = ["--seconds", "0.2", "--concurrency", "1,2", "--onnx", doubling, "--plot", file]
    assert tvmgo_says("bench", write_one("double"), *words).status == 0
    image = file.read_bytes()
    assert image.startswith({"svg": b"<?xml", "png": b"\x89PNG"}[ending])
    if ending == "svg":
        text = image.decode()  # matplotlib draws text as paths, and says it in comments
        for word in ("calls a second", "tvmgo, p99", "onnxruntime, p50", "callers"):
            assert f"<!-- {word} -->" in text


def test_plot_shows_what_was_measured():
    rows = [
        {"engine": engine, "concurrency": n, "per_second": 10.0 * n + place}
        | {"p50_seconds": 0.001 * n, "p99_seconds": 0.002 * n}
        for n in (1, 4)
        for place, engine in enumerate(("tvmgo", "onnxruntime"))
    ]
    calls, latency = plotting.draw({"path": "a/b", "rows": rows}).axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in calls.lines}
    assert lines == {"tvmgo": [[1, 10], [4, 40]], "onnxruntime": [[1, 11], [4, 41]]}
    lines = {line.get_label(): line.get_xydata().tolist() for line in latency.lines}
    assert lines["tvmgo, p50"] == [[1, 1], [4, 4]] and lines["onnxruntime, p99"][1] == [4, 8]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("bench.doc", "plot: expected a file whose name ends with one of "),
        ("bench", "plot: expected a file whose name ends with one of "),
        ("no/bench.png", "plot: there is no file 'no'"),
    ],
)
def test_plots_that_cannot_be_are_refused_at_once(write_one, tvmgo_says, file, text, monkeypatch):
    monkeypatch.setattr("tvmgo.cli.bench.bench", None)
    said = tvmgo_says("bench", write_one("double"), "--plot", file)
    assert (said.status, said.out) == (1, "") and text in said.err


def test_plot_without_matplotlib(write_one, tvmgo_says, monkeypatch):
    monkeypatch.setattr("tvmgo.cli.bench.bench", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backend_bases", None)
    said = tvmgo_says("bench", write_one("double"), "--plot", "bench.png")
    assert said.status == 1
    assert said.err == (
        "tvmgo: plot: matplotlib is not installed; `pip install matplotlib` brings it\n"
    )
