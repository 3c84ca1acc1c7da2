# SPDX-License-Identifier: Apache-2.0
"""``tvmgo profile``"""

import json

import numpy as np
import pytest

from tests.graphs import op, var
from tests.model.conftest import PREFIX


def calls_of(document):
    return {each["name"]: each["calls"] for each in document["operators"]}


def test_table(two_inputs, tvmgo_says):
    said = tvmgo_says("profile", two_inputs, "--runs", 3)
    assert (said.status, said.err) == (0, "")
    head, *rows, last = said.out.splitlines()
    assert head.split()[:3] == ["operator", "calls", "ms"]
    assert sorted(row.split()[0] for row in rows) == ["sum", "y", "z"]
    assert last.startswith("3 runs, ")


def test_json_trace_and_graph(two_inputs, tvmgo_says, tmp_path):
    trace, dot = tmp_path / "t.json", tmp_path / "g.dot"
    words = ["--runs", 4, "--json", "--trace", trace, "--dot", dot]
    told = tvmgo_says("profile", two_inputs, *words).document
    assert told["path"] == str(two_inputs) and told["runs"] == 4
    assert calls_of(told) == {"sum": 4, "y": 4, "z": 4}
    events = json.loads(trace.read_text())["traceEvents"]
    assert sum(event["ph"] == "X" for event in events) == 4 * (1 + 3)
    assert dot.read_text().count(" us, ") == 3


def test_inputs_are_given_or_made_up(write_one, tvmgo_says, tmp_path):
    folder = write_one("fail")
    np.save(tmp_path / "x.npy", np.array([1, 2], "float32"))
    words = ["profile", folder, "--runs", 1, "--json", "--input", f"x={tmp_path / 'x.npy'}"]
    with pytest.raises(ZeroDivisionError):  # an operator in Python, of this test's
        tvmgo_says(*words)
    np.save(tmp_path / "x.npy", np.array([-1, 2], "float32"))
    assert calls_of(tvmgo_says(*words).document) == {"y": 1}


def test_as_many_runs_as_take_two_seconds(write, tvmgo_says, monkeypatch):
    monkeypatch.setattr("tvmgo.model.trials.profiled_runs.SECONDS", 0.05)
    nodes = [var("x", (2,)), op("nap", ["x"], (2,), name="y", prefix=PREFIX)]
    told = tvmgo_says("profile", write(nodes, ["y"]), "--json").document
    assert 1 <= told["runs"] <= 25


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--input", "q=random"], "the model has no input 'q'"),
        (["--runs", "0"], "runs: expected 1 or more, got 0"),
        (["--threads", "0"], "threads: "),
        (["--trace", "no/such/folder/t.json"], "no/such/folder/t.json"),
        (["--dot", "no/such/folder/g.dot"], "no/such/folder/g.dot"),
    ],
)
def test_what_is_wrong_is_one_line(two_inputs, tvmgo_says, words, text):
    said = tvmgo_says("profile", two_inputs, *words)
    assert (said.status, said.out) == (1, "")
    assert text in said.err and len(said.err.splitlines()) == 1
