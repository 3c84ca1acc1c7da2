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
from conformance import facts
from conformance.counterparts.samples import assert_names_both_sizes
from conformance.gofmt import go_value
from conformance.judge import judge
from conformance.replay import differences, output_of
from conformance.samples import classifier, complex, simple
from tests.helpers import search_path

ROOT = Path(__file__).parents[1]

each_create = pytest.mark.parametrize(
    "create", ["tvm.graph_executor.create", "tvm.graph_runtime.create"]
)


@pytest.fixture(params=["ffi", "classic"])
def in_sample_files(ffi_files, recorded_directory, request, monkeypatch):
    """The files the samples expect are in the current directory, of either calling convention."""
    monkeypatch.chdir(ffi_files if request.param == "ffi" else recorded_directory)


@pytest.fixture
def in_empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines_of_complex():
    return facts.read("complex")["with_model"]["stdout_lines"]


def lines_for_zeros():
    """The record of `complex`, but with the result of an input that holds zeros."""
    *lines, result, end = lines_of_complex()
    assert result.startswith("Result:")
    scores = classifier.scores_of_means([0, 0, 0])
    return [*lines, f"Result:{go_value(scores[:10])}", end]


@pytest.mark.parametrize("name", facts.SAMPLES)
def test_sample_prints_what_was_recorded(name, in_sample_files):
    # The facts themselves are judged on classic libraries; today's must give the same.
    assert judge(facts.recorded()[f"samples.{name}"]) == []


@pytest.mark.parametrize("name", facts.SAMPLES)
def test_sample_run_as_program_prints_what_was_recorded(name, in_sample_files):
    command = [sys.executable, "-m", f"conformance.samples.{name}"]
    environment = {**os.environ, "PYTHONPATH": search_path()}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    record = facts.read(name)
    assert result.returncode == record["exit_code"], result.stderr
    if name == "complex":
        assert not differences(lines_for_zeros(), result.stdout)
        assert_names_both_sizes(result.stderr)
    else:
        assert not differences(record["stdout_lines"], result.stdout)
        assert result.stderr == ""


# ---------------------------------------------------------------- simple

# What lies in the place of the library, by the record's words, and the error that tells.
WITHOUT_LIBRARY = {
    "no model file in cwd": (None, FileNotFoundError),
    "deploy.so is a text file": ("This is no library.\n", tvmgo.TVMError),
}


@pytest.mark.parametrize(
    "variant",
    facts.read("simple")["failure_variants"],
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
    before = [*recorded[: recorded.index("Module Imported")], ""]
    assert not differences(before, capsys.readouterr().out)


# ---------------------------------------------------------------- complex


def test_complex_of_zeros_prints_what_was_recorded_but_for_the_result(in_sample_files):
    out, err = output_of(complex.main)
    assert not differences(lines_for_zeros(), out)
    assert_names_both_sizes(err)


def test_complex_without_model_prints_error_and_hints(in_empty_directory):
    out, err = output_of(complex.main)
    recorded = facts.read("complex")["stdout_lines"]
    # Of the error, some twelve lines in C++'s words, the information is compared: the file.
    first = recorded.index("TVMError: ")
    last = max(i for i, line in enumerate(recorded) if line.startswith("  [bt]"))
    printed_error = out.split("\n")[first]
    assert "mobilenet.so" in printed_error
    assert "mobilenet.so" in "".join(recorded[first:last])
    assert not differences([*recorded[:first], printed_error, *recorded[last + 1 :]], out)
    assert err == ""


def test_complex_lists_the_function_it_calls(in_sample_files):
    # The lists may differ, but what the sample needs is in both.
    out, _ = output_of(complex.main)
    for line in (lines_of_complex()[3], out.split("\n")[3]):
        assert "tvm.graph_executor.create" in line[len("Global Functions:[") : -1].split(" ")


@each_create
def test_complex_of_formula_picture_gives_recorded_bits(create, in_sample_files, capsys):
    recorded, _ = facts.formula_run()
    result = complex.main(create=create, picture=classifier.picture())
    np.testing.assert_array_equal(result.view(np.uint32), recorded.view(np.uint32))
    assert capsys.readouterr().err == ""


def test_complex_model_has_recorded_number_of_inputs_and_outputs(in_sample_files):
    record = facts.read("complex")["with_model"]["formula_run"]
    create = tvmgo.get_global_function("tvm.graph_executor.create")
    library = tvmgo.load_module("mobilenet.so")
    graph = create.invoke(Path("mobilenet.json").read_text(), library, 1, 0).as_module()
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


@pytest.mark.apache_tvm
def test_complex_of_exported_mobilenet_equals_onnx_runtime(mobilenet, exported_mobilenet, capsys):
    picture = np.random.default_rng(0).random(complex.SHAPE_IN, np.float32)
    session = onnxruntime.InferenceSession(
        mobilenet.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (expected,) = session.run(None, {"input": picture})
    create = "tvm.graph_runtime.create"

    files = exported_mobilenet.library, exported_mobilenet.graph, exported_mobilenet.params
    result = complex.main(*files, create, picture)

    assert np.abs(result - expected.ravel()).max() < 1e-5
    *lines, _, _ = capsys.readouterr().out.split("\n")
    *recorded, _, _ = lines_of_complex()  # all but the result
    recorded = [f"Calling {create}" if "Calling" in line else line for line in recorded]
    assert not differences(recorded, "\n".join(lines))
