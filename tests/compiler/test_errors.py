# SPDX-License-Identifier: Apache-2.0
"""What kind of error `export` raises, and what it leaves behind."""

import copy
import errno
import os
import pickle

import numpy as np
import onnx
import pytest
import tvm

import tvmgo
from tests.compiler.models import FLOAT, assert_refused, onnx_model, relax_module
from tests.compiler.test_refusals_relax import REFUSED
from tvmgo.compiler import ExportError, export
from tvmgo.compiler.artifacts import staged_artifacts
from tvmgo.compiler.environments import probe
from tvmgo.compiler.relax.passes.pipeline import run_passes


def test_export_error_is_a_value_error():
    assert issubclass(ExportError, ValueError)


def test_export_error_is_a_tvm_error_and_no_kind_of_the_runtimes_own():
    assert issubclass(ExportError, tvmgo.TVMError)
    assert ExportError is tvmgo.exceptions.ExportError
    assert "ExportError" not in tvmgo.exceptions.__all__  # or errors of the runtime would be some


def test_a_pass_that_lacks_memory_has_not_failed():
    """A worker makes another error of that, which names the memory."""

    @tvm.transform.module_pass(opt_level=0, name="Greedy")
    def greedy(module, context):
        raise MemoryError

    module = relax_module(
        """
class Module:
    @R.function
    def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
        return x
"""
    )
    with pytest.raises(MemoryError):
        run_passes([greedy], module)


@pytest.mark.parametrize("duplicate", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_export_error_can_be_sent_to_another_process(duplicate):
    error = duplicate(ExportError("main", "it is empty", "fill it"))
    assert str(error) == "main: it is empty. Instead, fill it."
    assert (error.where, error.reason, error.instead) == ("main", "it is empty", "fill it")


@pytest.mark.parametrize("model", [3, None, np.zeros(3)], ids=["int", "None", "array"])
def test_export_of_no_model_raises_type_error(model, tmp_path):
    expected = (
        "model: expected a path, an onnx.ModelProto, a tvm.IRModule or a model of a framework, got "
    )
    with pytest.raises(tvmgo.TVMTypeError, match=expected + type(model).__name__):
        export(model, tmp_path)


def test_export_of_a_missing_file_raises_file_not_found(tmp_path):
    missing = tmp_path / "missing.onnx"
    with pytest.raises(
        tvmgo.TVMFileNotFoundError, match="model: there is no file '.*missing.onnx'"
    ) as error:
        export(missing, tmp_path)
    assert (error.value.errno, error.value.filename) == (errno.ENOENT, str(missing))
    assert error.value.strerror == os.strerror(errno.ENOENT)


@pytest.mark.parametrize(
    ("argument", "value", "kind", "text"),
    [
        ("directory", None, TypeError, "expected a path, got NoneType"),
        ("directory", "", ValueError, "expected a path, got ''"),
        ("shapes", ["x"], TypeError, "expected a mapping of names to shapes, got list"),
        ("inputs", [], TypeError, "expected a mapping of names to values, got list"),
        ("target", 3, TypeError, "expected a string, a dict or a Target, got int"),
        ("target", {"kind": {1}}, TypeError, "Object of type set is not JSON serializable"),
        ("batch", b"1", TypeError, "expected a sequence of ints, got bytes"),
        ("progress", 3, TypeError, "expected a callable, got int"),
    ],
)
def test_arguments_that_make_no_sense(tmp_path, argument, value, kind, text):
    arguments = {"model": relax_module("class Module:" + GOOD), "directory": tmp_path / "out"}
    with pytest.raises(kind, match=f"^{argument}: {text}") as error:
        export(**{**arguments, argument: value})
    assert isinstance(error.value, tvmgo.TVMError)
    assert not (tmp_path / "out").exists()


# An earlier export

GOOD = """
    @R.function
    def main(x: R.Tensor((4,), "float32")):
        with R.dataflow():
            y = R.exp(x)
            R.output(y)
        return y
"""


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("failure", ["refusal", "no_linker", "broken_linker", "unwritable_file"])
def test_failing_export_leaves_an_earlier_one_untouched(failure, tmp_path, monkeypatch):
    export(relax_module("class Module:" + GOOD), tmp_path)
    before = contents(tmp_path)
    body = GOOD.replace("exp", "sin")
    if failure == "refusal":
        body = REFUSED["conditional"][0]
    elif failure == "no_linker":
        monkeypatch.delenv("CXX", raising=False)
        monkeypatch.delenv("CC", raising=False)
        monkeypatch.setenv("PATH", "")
    elif failure == "broken_linker":
        monkeypatch.setenv("CXX", "/bin/false")
    else:
        monkeypatch.setattr("tvmgo.compiler.artifacts.os.replace", fail_to_write)
    with pytest.raises((ExportError, OSError)) as error:
        export(relax_module("class Module:" + body), tmp_path, format="graph")
    assert contents(tmp_path) == before
    if "linker" in failure:
        assert_refused(error, "linking deploy.so", "install a C++ compiler")


@pytest.mark.slow
@pytest.mark.parametrize("made_before", [0, 1, 3])
def test_failing_export_leaves_no_directory_behind(made_before, tmp_path, monkeypatch):
    monkeypatch.setattr("tvmgo.compiler.artifacts.os.replace", fail_to_write)
    directories = [tmp_path / "a", tmp_path / "a/b", tmp_path / "a/b/c"]
    for directory in directories[:made_before]:
        directory.mkdir()
    with pytest.raises(OSError, match="no space left"):
        export(relax_module("class Module:" + GOOD), directories[-1])
    assert [path.exists() for path in directories] == [i < made_before for i in range(3)]


def test_failing_export_leaves_what_others_put_into_its_directory(tmp_path):
    with pytest.raises(OSError, match="no space left"), staged_artifacts(tmp_path / "a/b"):
        (tmp_path / "a/other").touch()
        fail_to_write(None, None)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["other"]


def fail_to_write(write, params):
    raise OSError("no space left on device")


# What the package needs


@pytest.mark.parametrize("package", ["apache-tvm", "onnx", "onnxruntime"])
def test_missing_package_raises_import_error_that_says_what_to_install(
    package, tmp_path, monkeypatch
):
    versions_of = probe.versions_of

    def without_one(names, path=None):
        return versions_of([name for name in names if name != package], path)

    monkeypatch.setattr(probe, "versions_of", without_one)
    monkeypatch.setenv("TVMGO_COMPILERS", str(tmp_path / "compilers"))
    onnx.save(
        onnx_model(
            [onnx.helper.make_node("Exp", ["x"], ["y"])], {"x": (FLOAT, [4])}, {"y": (FLOAT, [4])}
        ),
        tmp_path / "model.onnx",
    )
    with pytest.raises(tvmgo.TVMImportError, match=package) as error:
        export(tmp_path / "model.onnx", tmp_path / "deployed")
    assert 'pip install "tvmgo[compiler]"' in str(error.value)
    assert not (tmp_path / "deployed").exists()
