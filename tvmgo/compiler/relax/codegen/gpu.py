# SPDX-License-Identifier: Apache-2.0
"""CUDA: what it takes to compile for it, and the library, which has the GPU's code inside."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import tvm

from tvmgo.compiler.errors import as_export_error
from tvmgo.compiler.graph.model_id import library_source
from tvmgo.compiler.relax.codegen.build import Kernels
from tvmgo.compiler.relax.codegen.linking import create_shared
from tvmgo.exceptions import ExportError

# What TVM takes of the environment. Without it, it would round as quickly as the GPU can.
COMPILE_MODE = "TVM_CUDA_COMPILE_MODE"
EXACT = {
    "TVM_CUDA_NVCC_NO_FAST_MATH": "1",
    "TVM_CUDA_NVRTC_EXTRA_OPTS": "--ftz=false --prec-div=true --prec-sqrt=true",
}
INSTEAD = "export on a machine that has it"


def require_cuda() -> None:
    """Choose NVIDIA's compiler.

    Raises
    ------
    ExportError
        If there is none, or TVM's runtime for CUDA, which makes modules of its output, cannot be
        loaded.
    """
    if tvm.get_global_func("ffi.Module.load_from_bytes.cuda", allow_missing=True) is None:
        raise ExportError(
            "target 'cuda'",
            "apache-tvm's runtime for CUDA needs NVIDIA's driver (libcuda.so.1) and libcudart.so.13",
            INSTEAD,
        )
    if COMPILE_MODE not in os.environ:
        if shutil.which("nvcc"):
            os.environ[COMPILE_MODE] = "nvcc"
        elif importlib.util.find_spec("cuda") is None:
            reason = "neither nvcc nor the package cuda-bindings was found, which compile for it"
            raise ExportError("target 'cuda'", reason, "install one")
    for name, value in EXACT.items():
        os.environ.setdefault(name, value)


def write_gpu_library(
    kernels: Kernels,
    target: tvm.target.Target,
    path: Path,
    linker: Iterable[str],
    identify: Callable[[Iterable[bytes]], int],
) -> int:
    """Compile kernels and write them as a library; return what `identify` returns of its objects.

    Raises
    ------
    ExportError
        If a compiler fails, or is not there.
    """
    require_cuda()
    functions = {
        tvm.ir.GlobalVar(symbol): kernel.with_attr("global_symbol", symbol)
        for symbol, kernel in kernels.items()
    }
    number = 0

    def link(name: str, objects: list[str], options: Iterable[str] = ()) -> None:
        nonlocal number
        number = identify(Path(each).read_bytes() for each in objects)
        source = Path(objects[0]).with_name("model_id.c")
        source.write_text(library_source(number, ()), encoding="ascii")
        create_shared(name, [*objects, source], [*linker], [*options])

    with target, as_export_error("compiling the kernels", instead="compile for the CPU"):
        library = tvm.tirx.build(tvm.IRModule(functions), target=target)
        library.export_library(str(path), fcompile=link)
    return number
