# SPDX-License-Identifier: Apache-2.0
"""Tests of the replay of artifacts, on the small classifier with its classic library."""

import json

import numpy as np
import pytest

from conformance import artifacts, facts, kernels
from conformance.__main__ import main
from conformance.samples import classifier

RECORDING = {
    "library": "mobilenet.so",
    "graph": "mobilenet.json",
    "params": "mobilenet.params",
    "runs": [{"inputs": {"input": "picture.npy"}, "outputs": ["scores.npy"]}],
}


@pytest.fixture
def artifact(tmp_path):
    """A directory with one model, whose recorded output is that of gotvm."""
    directory = tmp_path / "models" / "classifier"
    directory.mkdir(parents=True)
    kernels.build("classic", "mobilenet", directory)
    classifier.write(directory)
    scores, _ = facts.formula_run()
    np.save(directory / "picture.npy", classifier.picture())
    np.save(directory / "scores.npy", scores.reshape(1, classifier.CLASSES))
    write_recording(directory, RECORDING)
    return directory


def write_recording(directory, entries):
    (directory / artifacts.RECORDING).write_text(json.dumps(entries), encoding="utf-8")


def with_run(**entries):
    return {**RECORDING, "runs": [{**RECORDING["runs"][0], **entries}]}


def replayed(directory, capsys):
    """Run the command on a folder of models and return its exit code and what it printed."""
    code = main(["--artifacts", str(directory.parent)])
    return code, capsys.readouterr().out


def test_recorded_output_of_gotvm_is_replayed(artifact, capsys):
    assert replayed(artifact, capsys) == (0, "classifier: run 0: as recorded\n")


def test_every_folder_is_replayed(artifact, capsys):
    run = {"inputs": {"input": "classifier/picture.npy"}, "outputs": ["classifier/scores.npy"]}
    below = {name: f"classifier/{RECORDING[name]}" for name in ("library", "graph", "params")}
    write_recording(artifact.parent, {**below, "runs": [run]})
    write_recording(artifact, {**RECORDING, "runs": RECORDING["runs"] * 2})
    code, out = replayed(artifact, capsys)
    assert code == 0
    assert sorted(out.splitlines()) == [
        ".: run 0: as recorded",
        *[f"classifier: run {i}: as recorded" for i in range(2)],
    ]


def test_wrong_recorded_element_is_found(artifact, capsys):
    scores = np.load(artifact / "scores.npy")
    scores[0, 7] = np.nextafter(scores[0, 7], np.float32(1))
    np.save(artifact / "scores.npy", scores)
    code, out = replayed(artifact, capsys)
    assert code == 1
    assert "output 0 (scores.npy): 1 of 1001 elements differ, first [0, 7]" in out


def test_wrong_recorded_element_within_tolerance_passes(artifact, capsys):
    scores = np.load(artifact / "scores.npy")
    scores[0, 7] = np.nextafter(scores[0, 7], np.float32(1))
    np.save(artifact / "scores.npy", scores)
    write_recording(artifact, with_run(atol=1e-6))
    assert replayed(artifact, capsys)[0] == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda scores: scores.ravel(), "shape (1001,) is (1, 1001)"),
        (lambda scores: scores.astype(np.float64), "dtype float64 is float32"),
    ],
    ids=["shape", "dtype"],
)
def test_record_of_another_kind_is_found(change, told, artifact, capsys):
    np.save(artifact / "scores.npy", change(np.load(artifact / "scores.npy")))
    code, out = replayed(artifact, capsys)
    assert code == 1
    assert told in out


def test_record_of_too_many_outputs_is_found(artifact, capsys):
    write_recording(artifact, with_run(outputs=["scores.npy", "scores.npy"]))
    code, out = replayed(artifact, capsys)
    assert code == 1
    assert "the model has 1 outputs, the record 2" in out


WRONG = {
    "list": ([], "not an object"),
    "unknown_entry": ({**RECORDING, "parameters": "x"}, "unknown entry 'parameters'"),
    "missing_entry": ({name: RECORDING[name] for name in ("graph", "runs")}, "no entry 'library'"),
    "unknown_run_entry": (with_run(input={}), "unknown entry 'input'"),
    "inputs_list": (with_run(inputs=[]), "inputs are an object"),
    "missing_library": ({**RECORDING, "library": "nosuch.so"}, "nosuch.so"),
    "unknown_input": (with_run(inputs={"nosuch": "picture.npy"}), "nosuch"),
    "missing_record": (with_run(outputs=["nosuch.npy"]), "nosuch.npy"),
    "no_run": ({**RECORDING, "runs": []}, "at least one run"),
    "runs_object": ({**RECORDING, "runs": {}}, "at least one run"),
    "library_number": ({**RECORDING, "library": 5}, "library: expected the name of a file, got 5"),
    "params_null": ({**RECORDING, "params": None}, "params: expected the name of a file, got None"),
    "output_number": (with_run(outputs=[5]), "run 0: outputs: expected the name of a file, got 5"),
    "tolerance_text": (with_run(rtol="much"), "run 0: rtol: expected a number from 0, got 'much'"),
    "tolerance_negative": (with_run(atol=-1), "run 0: atol: expected a number from 0, got -1"),
}


@pytest.mark.parametrize(("entries", "told"), WRONG.values(), ids=WRONG)
def test_wrong_recording_is_reported_in_one_line(entries, told, artifact, capsys):
    write_recording(artifact, entries)
    code, out = replayed(artifact, capsys)
    assert code == 1
    assert told in out
    assert len(out.splitlines()) == 1


def test_recording_that_is_no_json_is_reported(artifact, capsys):
    (artifact / artifacts.RECORDING).write_text("{")
    code, out = replayed(artifact, capsys)
    assert code == 1
    assert "not JSON" in out


def test_directory_without_recording_is_reported(tmp_path, capsys):
    assert main(["--artifacts", str(tmp_path)]) == 1
    assert "there is no recording.json" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("recorded", "computed", "equal"),
    [
        (np.float32(np.nan), np.float32(np.nan), True),
        (np.float32(0.0), np.float32(-0.0), False),
        (np.array(3, np.int64), np.array(3, np.int64), True),
        (np.array([True, False]), np.array([True, True]), False),
        (np.zeros((0, 3)), np.zeros((0, 3)), True),
    ],
    ids=["nan", "signed_zero", "zero_dimensions", "bool", "no_elements"],
)
def test_difference_without_tolerance_is_by_bits(recorded, computed, equal):
    found = artifacts.difference(np.asarray(recorded), np.asarray(computed), 0, 0)
    assert (found is None) == equal


def test_recording_under_its_old_name_is_replayed(artifact, capsys):
    write_recording(artifact, RECORDING)
    (artifact / artifacts.RECORDING).rename(artifact / artifacts.OLD_RECORDING)
    assert artifacts.main(artifact.parent) == 0
    assert "as recorded" in capsys.readouterr().out
