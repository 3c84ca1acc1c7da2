# SPDX-License-Identifier: Apache-2.0
"""gotvm's samples, replayed: what they print in Python is what they printed in Go."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import tvmgo
from conformance import classifier, facts
from conformance.gofmt import go_value
from conformance.replay import assert_replayed
from conformance.samples import (
    complex,
    pack_func_closure_arg,
    pack_func_closure_return,
    pack_func_convert,
    pack_func_handle_arg,
    pack_func_register,
    simple,
)

ROOT = Path(__file__).parents[1]
PACK_FUNC_SAMPLES = [
    pack_func_closure_arg,
    pack_func_closure_return,
    pack_func_convert,
    pack_func_handle_arg,
    pack_func_register,
]


# What the input of `complex` held in the recorded run. The record's remark says zeros, its result
# says otherwise: to zeros the model gives the first class the score 0. Of a picture it sees the
# three channel means, and with these every one of the ten recorded scores has the recorded bits.
# They are those of random numbers in [0, 1), such as the sample failed to copy.
MEANS_IN_RECORDED_RUN = (0.50022244, 0.50105625, 0.5002241)


def name_of(sample):
    return sample.__name__.rpartition(".")[2]


@pytest.fixture
def in_sample_files(sample_files, monkeypatch):
    monkeypatch.chdir(sample_files)


@pytest.fixture
def in_empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---------------------------------------------------------------- packed functions


@pytest.mark.parametrize("sample", PACK_FUNC_SAMPLES, ids=name_of)
def test_pack_func_sample_prints_what_was_recorded(sample, capsys):
    sample.main()
    assert_replayed(facts.sample(name_of(sample))["stdout_lines"], capsys.readouterr().out)


# ---------------------------------------------------------------- simple


def test_simple_prints_what_was_recorded(in_sample_files, capsys):
    simple.main()
    assert_replayed(facts.sample("simple")["stdout_lines"], capsys.readouterr().out)


# What lies in the place of the library, by the record's words, and the error that tells.
WITHOUT_LIBRARY = {
    "no model file in cwd": (None, FileNotFoundError),
    "deploy.so is a text file": ("This is no library.\n", tvmgo.TVMError),
}


@pytest.mark.parametrize(
    "variant",
    facts.sample("simple")["failure_variants"],
    ids=lambda variant: variant["inputs"].replace(" ", "_"),
)
def test_simple_without_library_raises_where_it_is_loaded(variant, in_empty_directory, capsys):
    text, error = WITHOUT_LIBRARY[variant["inputs"]]
    if text is not None:
        (in_empty_directory / "deploy.so").write_text(text)

    with pytest.raises(error, match="deploy.so") as failure:
        simple.main()

    assert isinstance(failure.value, tvmgo.TVMError)
    # gotvm's sample ignored the failure, claimed "Module Imported", and died of a nil pointer when
    # it asked for the function. Here the output ends where the load failed.
    assert "nil pointer dereference" in variant["stderr_first"]
    recorded = variant["stdout_lines"]
    assert_replayed([*recorded[: recorded.index("Module Imported")], ""], capsys.readouterr().out)


# ---------------------------------------------------------------- complex


def assert_names_both_sizes(stderr):
    """The oversized copy, which gotvm's sample did not notice, was reported once."""
    (message,) = stderr.splitlines()
    assert "size mismatch" in message
    assert str(np.prod(complex.SHAPE_IN) * 4) in message
    assert str(244 * 244 * 3 * 4) in message


def lines_for_zeros():
    """The record of `complex`, but with the result of an input that holds zeros."""
    *lines, result, end = facts.sample("complex")["with_model"]["stdout_lines"]
    assert result.startswith("Result:")
    scores = classifier.scores_of_means([0, 0, 0])
    return [*lines, f"Result:{go_value(scores[:10])}", end]


def test_complex_prints_what_was_recorded(in_sample_files, capsys):
    complex.main(allocated=classifier.picture_of_means(MEANS_IN_RECORDED_RUN))
    out, err = capsys.readouterr()
    assert_replayed(facts.sample("complex")["with_model"]["stdout_lines"], out)
    assert_names_both_sizes(err)


def test_complex_of_zeros_prints_what_was_recorded_but_for_the_result(in_sample_files, capsys):
    complex.main()
    out, err = capsys.readouterr()
    assert_replayed(lines_for_zeros(), out)
    assert_names_both_sizes(err)


def test_complex_without_model_prints_error_and_hints(in_empty_directory, capsys):
    complex.main()
    out, err = capsys.readouterr()
    recorded = facts.sample("complex")["stdout_lines"]
    # Of the error, some twelve lines in C++'s words, the information is compared: the file.
    first = recorded.index("TVMError: ")
    last = max(i for i, line in enumerate(recorded) if line.startswith("  [bt]"))
    printed_error = out.split("\n")[first]
    assert "mobilenet.so" in printed_error
    assert "mobilenet.so" in "".join(recorded[first:last])
    assert_replayed([*recorded[:first], printed_error, *recorded[last + 1 :]], out)
    assert err == ""


def test_complex_lists_the_function_it_calls(in_sample_files, capsys):
    # The lists may differ, but what the sample needs is in both.
    complex.main()
    recorded = facts.sample("complex")["with_model"]["stdout_lines"][3]
    printed = capsys.readouterr().out.split("\n")[3]
    for line in (recorded, printed):
        assert "tvm.graph_executor.create" in line[len("Global Functions:[") : -1].split(" ")


@pytest.mark.parametrize("create", ["tvm.graph_executor.create", "tvm.graph_runtime.create"])
def test_complex_of_formula_picture_gives_recorded_bits(create, in_sample_files, capsys):
    recorded, _ = facts.formula_run()
    result = complex.main(create=create, picture=classifier.picture())
    np.testing.assert_array_equal(result.view(np.uint32), recorded.view(np.uint32))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("create", ["tvm.graph_executor.create", "tvm.graph_runtime.create"])
def test_complex_of_classic_library_gives_recorded_bits(
    create, classic_sample_files, monkeypatch, capsys
):
    monkeypatch.chdir(classic_sample_files)
    recorded, _ = facts.formula_run()
    result = complex.main(create=create, picture=classifier.picture())
    np.testing.assert_array_equal(result.view(np.uint32), recorded.view(np.uint32))
    assert capsys.readouterr().err == ""


def test_simple_of_classic_library_prints_what_was_recorded(
    classic_sample_files, monkeypatch, capsys
):
    monkeypatch.chdir(classic_sample_files)
    simple.main()
    assert_replayed(facts.sample("simple")["stdout_lines"], capsys.readouterr().out)


def test_complex_model_has_recorded_number_of_inputs_and_outputs(sample_files):
    record = facts.sample("complex")["with_model"]["formula_run"]
    graph = (
        tvmgo.get_global_function("tvm.graph_executor.create")
        .invoke(
            (sample_files / "mobilenet.json").read_text(),
            tvmgo.load_module(sample_files / "mobilenet.so"),
            1,
            0,
        )
        .as_module()
    )
    for name in ("get_num_inputs", "get_num_outputs"):
        assert graph.get_function(name).invoke().as_int64() == record[name]


@pytest.fixture(scope="module")
def mobilenet():
    """MobileNet v1 1.0 224 as ONNX, with made-up weights."""
    return runpy.run_path(str(ROOT / "examples" / "mobilenet.py"))["mobilenet_v1"](seed=0)


@pytest.fixture(scope="module")
def exported_mobilenet(mobilenet, tmp_path_factory):
    from tvmgo.compiler import export

    return export(mobilenet, tmp_path_factory.mktemp("mobilenet"))


def test_complex_of_exported_mobilenet_equals_onnx_runtime(mobilenet, exported_mobilenet, capsys):
    picture = np.random.default_rng(0).random(complex.SHAPE_IN, np.float32)
    session = onnxruntime.InferenceSession(
        mobilenet.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (expected,) = session.run(None, {"input": picture})

    result = complex.main(
        exported_mobilenet.library,
        exported_mobilenet.graph,
        exported_mobilenet.params,
        "tvm.graph_runtime.create",
        picture,
    )

    assert np.abs(result - expected.ravel()).max() < 1e-5
    lines = capsys.readouterr().out.split("\n")
    recorded = facts.sample("complex")["with_model"]["stdout_lines"]
    recorded = [
        line.replace("tvm.graph_executor.create", "tvm.graph_runtime.create")
        if line.startswith("Calling")
        else line
        for line in recorded
    ]
    assert_replayed(recorded[:-2], "\n".join(lines[:-2]))  # all but the result


# ---------------------------------------------------------------- as programs


@pytest.mark.parametrize("sample", [simple, complex, *PACK_FUNC_SAMPLES], ids=name_of)
def test_sample_run_as_program_prints_what_was_recorded(sample, sample_files):
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    result = subprocess.run(
        [sys.executable, "-m", sample.__name__],
        cwd=sample_files,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    record = facts.sample(name_of(sample))
    assert result.returncode == record["exit_code"], result.stderr
    if sample is complex:
        assert_replayed(lines_for_zeros(), result.stdout)
        assert_names_both_sizes(result.stderr)
    else:
        assert_replayed(record["stdout_lines"], result.stdout)
        assert result.stderr == ""
