# SPDX-License-Identifier: Apache-2.0
"""``tvmgo replay``: models with recorded inputs and outputs."""

import json

import numpy as np
import pytest

from conformance.__main__ import main as conformance
from tvmgo.model.trials.recordings import difference

RECORDING = {
    "library": "deploy.so",
    "graph": "deploy.json",
    "params": "deploy.params",
    "runs": [{"inputs": {"x": "x.npy"}, "outputs": ["y.npy"]}],
}
X = np.array([[1.5, -2, 3], [0.1, 1e30, np.nan]], "float32")


@pytest.fixture
def folder(write_one):
    """A model that doubles, with a recorded run."""
    folder = write_one("double", shape=(2, 3))
    np.save(folder / "x.npy", X)
    np.save(folder / "y.npy", X * 2)
    write_recording(folder, RECORDING)
    return folder


def write_recording(folder, entries, name="recording.json"):
    (folder / name).write_text(json.dumps(entries), encoding="utf-8")


def with_run(**entries):
    return {**RECORDING, "runs": [{**RECORDING["runs"][0], **entries}]}


def change_recorded(folder, change):
    np.save(folder / "y.npy", change(np.load(folder / "y.npy")))


def next_float(y):
    y[0, 1] = np.nextafter(y[0, 1], np.float32(1))
    return y


def test_as_recorded(folder, tvmgo_says):
    said = tvmgo_says("replay", folder.parent)
    assert (said.status, said.out, said.err) == (0, "model: run 0: as recorded\n", "")
    told = tvmgo_says("replay", folder, "--json").document
    result = {"name": ".", "run": 0, "differences": [], "error": None, "as_recorded": True}
    assert told == {"as_recorded": True, "runs": [result]}


def test_every_folder_is_replayed(folder, tvmgo_says):
    run = {"inputs": {"x": "model/x.npy"}, "outputs": ["model/y.npy"]}
    below = {name: f"model/{RECORDING[name]}" for name in ("library", "graph", "params")}
    write_recording(folder.parent, {**below, "runs": [run]})
    write_recording(folder, {**RECORDING, "runs": RECORDING["runs"] * 2})
    said = tvmgo_says("replay", folder.parent)
    assert said.status == 0
    assert sorted(said.out.splitlines()) == [
        ".: run 0: as recorded",
        *[f"model: run {i}: as recorded" for i in range(2)],
    ]


def test_under_its_old_name(folder, tvmgo_says):
    (folder / "recording.json").rename(folder / "manifest.json")
    assert "as recorded" in tvmgo_says("replay", folder).out


def test_the_command_of_before(folder, capsys):
    assert conformance(["--artifacts", str(folder)]) == 0
    assert capsys.readouterr().out == ".: run 0: as recorded\n"


def test_one_wrong_bit(folder, tvmgo_says):
    change_recorded(folder, next_float)
    said = tvmgo_says("replay", folder)
    assert (said.status, said.err) == (1, "")
    step = np.spacing(np.float32(-3.9))
    assert said.out.startswith(
        ".: run 0: output 0 (y.npy): 1 of 6 elements differ, first [0, 1]: -3.9999998 is -4.0"
    )
    assert f"the largest difference is {-step:.3g}" in said.out
    said = tvmgo_says("replay", folder, "--json")
    told = json.loads(said.out)
    assert said.status == 1 and told["as_recorded"] is False
    [difference] = told["runs"][0]["differences"]
    assert (difference["output"], difference["file"]) == (0, "y.npy")
    assert difference["largest"] == pytest.approx(-step)


def test_within_tolerance(folder, tvmgo_says):
    change_recorded(folder, next_float)
    write_recording(folder, with_run(atol=1e-6))
    assert tvmgo_says("replay", folder).status == 0
    write_recording(folder, with_run(rtol=1e-9))
    assert tvmgo_says("replay", folder).status == 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (np.ravel, "shape (6,) is (2, 3)"),
        (lambda y: y.astype("float64"), "dtype float64 is float32"),
        (lambda y: np.where(np.isnan(y), 1, y).astype("float32"), "1.0 is nan\n"),
    ],
    ids=["shape", "dtype", "nan"],
)
def test_record_of_another_kind(change, text, folder, tvmgo_says):
    change_recorded(folder, change)
    said = tvmgo_says("replay", folder)
    assert said.status == 1 and text in said.out


def test_record_of_too_many_outputs(folder, tvmgo_says):
    write_recording(folder, with_run(outputs=["y.npy", "y.npy"]))
    said = tvmgo_says("replay", folder)
    assert said.status == 1 and "the model has 1 outputs, the record 2" in said.out


def test_other_runs_are_replayed_after_a_failure(folder, tvmgo_says):
    good, bad = RECORDING["runs"][0], with_run(inputs={"x": "no.npy"})["runs"][0]
    write_recording(folder, {**RECORDING, "runs": [good, bad, good]})
    said = tvmgo_says("replay", folder)
    first, second, third = said.out.splitlines()
    assert said.status == 1 and first.endswith("as recorded") and third.endswith("as recorded")
    assert second.startswith(".: run 1: input 'x': there is no file ") and "no.npy" in second


WRONG = {
    "list": ([], "not an object"),
    "unknown_entry": ({**RECORDING, "parameters": "x"}, "unknown entry 'parameters'"),
    "missing_entry": ({name: RECORDING[name] for name in ("graph", "runs")}, "no entry 'library'"),
    "unknown_run_entry": (with_run(input={}), "unknown entry 'input'"),
    "inputs_list": (with_run(inputs=[]), "inputs are an object"),
    "missing_library": ({**RECORDING, "library": "nosuch.so"}, "nosuch.so"),
    "missing_graph": ({**RECORDING, "graph": "nosuch.json"}, "graph: there is no file"),
    "graph_of_bytes": ({**RECORDING, "graph": "deploy.so"}, ""),
    "unknown_input": (with_run(inputs={"nosuch": "x.npy"}), "nosuch"),
    "missing_record": (with_run(outputs=["nosuch.npy"]), "nosuch.npy"),
    "record_of_bytes": (with_run(outputs=["deploy.so"]), "deploy.so is no .npy file"),
    "no_run": ({**RECORDING, "runs": []}, "at least one run"),
    "runs_object": ({**RECORDING, "runs": {}}, "at least one run"),
    "library_number": ({**RECORDING, "library": 5}, "library: expected the name of a file, got 5"),
    "params_null": ({**RECORDING, "params": None}, "params: expected the name of a file, got None"),
    "device_number": ({**RECORDING, "device": 1}, "device: expected a name, got 1"),
    "device_unknown": ({**RECORDING, "device": "toaster"}, "toaster"),
    "output_number": (with_run(outputs=[5]), "run 0: outputs: expected the name of a file, got 5"),
    "tolerance_text": (with_run(rtol="much"), "run 0: rtol: expected a number from 0, got 'much'"),
    "tolerance_negative": (with_run(atol=-1), "run 0: atol: expected a number from 0, got -1"),
}


@pytest.mark.parametrize(("entries", "text"), WRONG.values(), ids=WRONG)
def test_wrong_recording_is_one_line(entries, text, folder, tvmgo_says):
    write_recording(folder, entries)
    said = tvmgo_says("replay", folder)
    assert (said.status, said.err) == (1, "")
    assert text in said.out and len(said.out.splitlines()) == 1


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100000])
def test_recording_that_is_no_json(content, folder, tvmgo_says):
    (folder / "recording.json").write_bytes(content)
    said = tvmgo_says("replay", folder)
    assert said.status == 1 and "not JSON" in said.out


def test_nothing_to_replay(tmp_path, tvmgo_says):
    said = tvmgo_says("replay", tmp_path)
    assert (said.status, said.out) == (1, "")
    assert said.err == f"tvmgo: path: there is no recording.json in {tmp_path} or below\n"


@pytest.mark.parametrize(
    ("recorded", "computed", "equal"),
    [
        (np.float32(np.nan), np.float32(np.nan), True),
        (np.float32(0.0), np.float32(-0.0), False),
        (np.array(3, np.int64), np.array(3, np.int64), True),
        (np.array([True, False]), np.array([True, True]), False),
        (np.zeros((0, 3)), np.zeros((0, 3)), True),
        (np.array([1 + 2j]), np.array([1 + 2j]), True),
    ],
    ids=["nan", "signed_zero", "zero_dimensions", "bool", "no_elements", "complex"],
)
def test_without_tolerance_bits_are_compared(recorded, computed, equal):
    assert (difference(np.asarray(recorded), np.asarray(computed), 0, 0) is None) == equal


@pytest.mark.parametrize(
    ("recorded", "computed", "largest"),
    [
        ([1.0, 2, 3], [1.5, 2, 1], 2.0),
        ([0.0], [-0.0], 0.0),
        ([1.0, np.nan], [3.0, 4.0], None),
        ([np.inf, 1], [np.inf, 2], 1.0),
    ],
)
def test_the_largest_difference(recorded, computed, largest):
    assert difference(np.array(recorded), np.array(computed), 0, 0)[1] == largest
