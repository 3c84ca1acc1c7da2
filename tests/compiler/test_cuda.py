# SPDX-License-Identifier: Apache-2.0
"""Exports for a GPU, compiled as far as that goes without one: nothing here is run on a GPU."""

import json
import shutil
import subprocess
from pathlib import Path

import onnx
import pytest
import tvm

import tvmgo
from tests.compiler.models import assert_refused, lstm, mlp, transformer_block
from tests.helpers import run_python
from tvmgo.compiler import ExportError, export
from tvmgo.compiler.relax.codegen.target import gpu_target, resolve_target

GPU = {"kind": "cuda", "arch": "sm_80"}
RUNTIME = Path(tvm.__file__).parent / "lib" / "libtvm_runtime_cuda.so"
HAS_DRIVER = tvm.get_global_func("ffi.Module.load_from_bytes.cuda", allow_missing=True)

# Each function of a driver says that there is no GPU.
NO_DEVICE = 100

EXPORT = """
import json
import tvmgo
from tvmgo.compiler import export

artifacts = export({model!r}, {folder!r}, target={target!r}, format="graph", compiler="relax")
loaded = tvmgo.load_module(artifacts.library)
print(json.dumps([artifacts.report.verification, [each.kind for each in loaded.imports]]))
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """A folder with a driver in the place of NVIDIA's, with which TVM's runtime can be loaded."""
    if shutil.which("nvcc") is None or not RUNTIME.exists():
        pytest.skip("no nvcc, or an apache-tvm without CUDA")
    symbols = subprocess.run(["nm", "-D", RUNTIME], capture_output=True, text=True, check=True)
    needed = [line.split()[-1] for line in symbols.stdout.splitlines() if " U cu" in line]
    functions = [
        f"int {name}(void) {{ return {NO_DEVICE}; }}" for name in needed if "@" not in name
    ]
    folder = tmp_path_factory.mktemp("driver")
    (folder / "driver.c").write_text("\n".join(functions))
    options = ["-shared", "-fPIC", "-Wl,-soname,libcuda.so.1", "-o", folder / "libcuda.so.1"]
    subprocess.run(["gcc", *options, folder / "driver.c"], check=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("model", [mlp, transformer_block], ids=lambda model: model.__name__)
def test_models_are_compiled(model, driver, tmp_path):
    onnx.save(model()[0], tmp_path / "model.onnx")
    script = EXPORT.format(model=str(tmp_path / "model.onnx"), folder=str(tmp_path), target=GPU)
    done = run_python(script, env={"LD_LIBRARY_PATH": str(driver)}, timeout=300)
    if "libcudart" in done.stderr:
        pytest.skip("no libcudart.so.13")
    assert done.returncode == 0, done.stderr
    verification, imports = json.loads(done.stdout)
    assert verification.startswith("not verified: ") and "no cuda:0" in verification
    assert imports == ["cuda"]
    library = (tmp_path / "deploy.so").read_bytes()
    assert b"-arch sm_80" in library  # of NVIDIA's assembler
    assert b"use_fast_math" not in library
    graph = json.loads((tmp_path / "deploy.json").read_text())
    assert set(graph["attrs"]["device_index"][1]) == {2}
    kernels = {node["attrs"]["func_name"] for node in graph["nodes"] if node["op"] == "tvm_op"}
    assert all(name.encode() + b"_kernel" in library for name in kernels - {"__nop", "__copy"})


@pytest.mark.slow
@pytest.mark.skipif(HAS_DRIVER is not None, reason="NVIDIA's driver is here")
def test_without_a_driver_the_error_says_what_is_needed(tmp_path):
    with pytest.raises(ExportError) as error:
        export(mlp()[0], tmp_path, target=GPU, format="graph", compiler="relax")
    assert_refused(error, "target 'cuda'", "libcuda.so.1", "libcudart.so.13")


@pytest.mark.slow
def test_what_only_cpus_have_is_refused(tmp_path):
    with pytest.raises(ExportError) as error:
        export(lstm()[0], tmp_path, target=GPU, format="graph", compiler="relax")
    assert_refused(error, "tvmgo.recurrent", "no such function for GPUs")


@pytest.mark.slow
def test_the_virtual_machine_is_for_the_cpu(tmp_path):
    with pytest.raises(ExportError) as error:
        export(mlp()[0], tmp_path, target=GPU, format="vm", compiler="relax")
    assert_refused(error, "target 'cuda'", "virtual machine", 'format="graph"')


@pytest.mark.parametrize("target", ["cuda", {"kind": "cuda"}], ids=str)
def test_without_a_gpu_the_target_names_one(target):
    if tvmgo.cuda(0).exist:
        assert resolve_target(target).attrs["arch"] != "sm_50"
    else:
        with pytest.raises(tvmgo.TVMValueError, match='name its architecture.*"sm_80"'):
            resolve_target(target)


@pytest.mark.parametrize("target", [GPU, "cuda -arch=sm_80", "nvidia/nvidia-a100"], ids=str)
def test_targets_are_completed(target):
    options = resolve_target(target).export()
    assert options["arch"] == "sm_80"
    assert options["max_threads_per_block"] == 1024
    assert options["host"]["kind"] == "llvm"


def test_what_a_target_says_stays():
    target = tvm.target.Target(
        {**GPU, "max_threads_per_block": 512}, host={"kind": "llvm", "mcpu": "x86-64-v3"}
    )
    options = gpu_target(target).export()
    assert options["max_threads_per_block"] == 512
    assert options["host"]["mcpu"] == "x86-64-v3"
