# SPDX-License-Identifier: Apache-2.0
"""Exports for AArch64, run by QEMU; `make aarch64` fails where `make test` passes them over."""

import os
import shutil

import numpy as np
import pytest

from examples.mobilenet import mobilenet_v1
from tests.compiler.cross.emulated import compile_driver, missing, run_emulated
from tests.compiler.models import ONNX_MODELS, assert_refused, assert_same, lstm, mlp, onnx_runtime
from tests.random_models.model import RandomModel, evaluate
from tvmgo.compiler import ExportError, export
from tvmgo.compiler.relax.codegen.linking import linker_for
from tvmgo.compiler.relax.codegen.target import resolve_target

pytestmark = pytest.mark.slow

ALL = os.environ.get("TVMGO_CROSS") == "all"
MODELS = [*ONNX_MODELS, lstm]


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    why = missing()
    if why and not ALL:
        pytest.skip(why)
    return compile_driver(tmp_path_factory.mktemp("driver"))


def machine_of(library):
    """The number of the machine in an ELF file's header."""
    return int.from_bytes(library.read_bytes()[18:20], "little")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_models_give_the_results_of_onnx_runtime(model, driver, tmp_path):
    made, inputs = model()
    artifacts = export(made, tmp_path, target="aarch64", format="graph")
    assert machine_of(artifacts.library) == 183
    results = run_emulated(driver, artifacts, inputs)
    assert_same(results, onnx_runtime(made, inputs), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(20 if ALL else 2))
def test_random_models_give_the_results_of_onnx_runtime(seed, driver, tmp_path):
    model = RandomModel(seed, 6)
    made = model.model()
    artifacts = export(made, tmp_path, target="aarch64", format="graph")
    if "not for runtimes of TVM up to 0.20" in artifacts.report.details:
        pytest.skip("it calls a runtime")
    results = run_emulated(driver, artifacts, model.inputs)
    assert_same(results, evaluate(made, model.inputs), rtol=2e-2, atol=2e-2)


@pytest.mark.skipif(not ALL, reason="make aarch64 runs it")
def test_mobilenet(driver, tmp_path):
    model = mobilenet_v1()
    inputs = {
        model.graph.input[0].name: np.random.default_rng(0).random((1, 224, 224, 3), "float32")
    }
    artifacts = export(model, tmp_path, target={"kind": "llvm", "mtriple": "aarch64-linux-gnu"})
    results = run_emulated(driver, artifacts, inputs)
    assert_same(results, onnx_runtime(model, inputs), rtol=1e-3, atol=1e-6)


@pytest.fixture
def only(tmp_path, monkeypatch):
    """Leave no programs but these to be found."""

    def leave(*tools):
        for tool in tools:
            if shutil.which(tool) is None:
                pytest.skip(f"no {tool}")
        for tool in tools:
            (tmp_path / tool).symlink_to(shutil.which(tool))
        monkeypatch.setenv("PATH", str(tmp_path))

    return leave


AARCH64 = resolve_target("aarch64")
BY_LLD = ["--target=aarch64-linux-gnu", "-fuse-ld=lld", "-ffreestanding", "-nostdlib"]


def test_a_cross_compiler_comes_before_clang(only):
    only("aarch64-linux-gnu-gcc", "clang", "ld.lld")
    assert linker_for(AARCH64, ["clang"]) == ["aarch64-linux-gnu-gcc"]


def test_clang_needs_lld_and_nothing_else(only):
    only("clang", "ld.lld")
    assert linker_for(AARCH64, ["clang"]) == ["clang", *BY_LLD]
    assert linker_for(resolve_target("llvm"), ["clang", "-g"]) == ["clang", "-g"]


@pytest.mark.parametrize("tools", [[], ["g++"], ["clang"]], ids=str)
def test_without_a_compiler_for_the_target_the_error_says_so(tools, only):
    only(*tools)
    with pytest.raises(ExportError) as error:
        linker_for(AARCH64, tools or ["absent"])
    assert_refused(error, "linking deploy.so for aarch64-linux-gnu", "aarch64-linux-gnu-g++", "lld")


def test_a_library_linked_by_lld_runs(driver, tmp_path, monkeypatch):
    if shutil.which("clang") is None or shutil.which("ld.lld") is None:
        pytest.skip("no clang, or no lld")
    monkeypatch.setenv("CXX", " ".join(["clang", *BY_LLD]))
    made, inputs = mlp()
    target = "llvm -mtriple=aarch64-unknown-linux-gnu"
    artifacts = export(made, tmp_path, target=target, format="graph")
    assert_same(run_emulated(driver, artifacts, inputs), onnx_runtime(made, inputs))
    assert b"clang version" in artifacts.library.read_bytes()


def test_a_model_of_any_number_of_rows(driver, tmp_path):
    """Rows that cannot be compared here are not taken for independent."""
    made, inputs = mlp()
    rows = made.graph.input[0].type.tensor_type.shape.dim[0]
    count = rows.dim_value
    rows.dim_param = "N"
    assert export(made, tmp_path / "open", target="aarch64").report.format == "vm"
    artifacts = export(made, tmp_path / "sizes", target="aarch64", batch=(count, 2 * count))
    assert list(artifacts.sizes) == [count, 2 * count]
    assert "were not compared" in str(artifacts.report)
    results = run_emulated(driver, artifacts, inputs)
    assert_same(results, onnx_runtime(made, inputs), rtol=1e-4, atol=1e-5)
