# SPDX-License-Identifier: Apache-2.0
"""From kernels to ``deploy.so``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import tvm
from tvm.support import cc
from tvm.target.codegen import llvm_get_cpu_features

from tvmgo.compiler.errors import NEED_COMPILER, as_export_error
from tvmgo.compiler.graph.model_id import library_source


def compile_kernels(
    kernels: Mapping[str, tvm.tirx.PrimFunc], target: tvm.target.Target
) -> tvm.runtime.Module:
    """Compile kernels under their public names.

    Parameters
    ----------
    kernels : mapping of str to PrimFunc
        By symbol, as the graph calls them.
    target : tvm.target.Target

    Returns
    -------
    tvm.runtime.Module
        In memory, ready to link.

    Raises
    ------
    ExportError
        If TVM cannot generate code for one of them.
    """
    functions = {
        tvm.ir.GlobalVar(symbol): kernel.with_attr("global_symbol", symbol)
        for symbol, kernel in kernels.items()
    }
    with as_export_error("compiling the kernels", instead=f"try another target than {target}"):
        return tvm.tirx.build(tvm.IRModule(functions), target=target)


def link(
    library: tvm.runtime.Module,
    path: Path,
    linker: str,
    identify: Callable[[Iterable[bytes]], int],
    target: tvm.target.Target,
) -> int:
    """Write compiled kernels as a shared library.

    Parameters
    ----------
    library : tvm.runtime.Module
    path : pathlib.Path
    linker : str
        A C++ compiler.
    identify : callable
        Called with the contents of the kernels' object files; the number that it returns becomes a
        function of the library.
    target : tvm.target.Target
        The library names the instructions that code for it may use.

    Returns
    -------
    int
        That number.

    Raises
    ------
    ExportError
        If the linker fails; its output is in the message.
    """
    number = 0
    features = sorted(llvm_get_cpu_features(target))

    def link_objects(target: str, objects: list[str]) -> None:
        nonlocal number
        number = identify(Path(name).read_bytes() for name in objects)
        source = Path(objects[0]).with_name("model_id.c")
        source.write_text(library_source(number, features), encoding="ascii")
        cc.create_shared(target, [*objects, str(source)], cc=linker)

    with as_export_error(f"linking deploy.so with {linker}", instead=NEED_COMPILER):
        library.export_library(str(path), fcompile=link_objects)
    return number
