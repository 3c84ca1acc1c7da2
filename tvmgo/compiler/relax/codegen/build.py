# SPDX-License-Identifier: Apache-2.0
"""From kernels to ``deploy.so``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tvm
from tvm.support import cc
from tvm.target.codegen import llvm_get_cpu_features

from tvmgo.compiler.errors import NEED_COMPILER, as_export_error
from tvmgo.compiler.graph.model_id import library_source
from tvmgo.compiler.relax.codegen.levels import dispatch_source


@dataclass(frozen=True)
class Code:
    """Kernels compiled for one target: an object file, which has each symbol with a suffix."""

    target: tvm.target.Target
    path: Path
    symbols: tuple[str, ...]
    suffix: str

    @property
    def features(self) -> list[str]:
        return sorted(llvm_get_cpu_features(self.target))


def compile_kernels(
    kernels: Mapping[str, tvm.tirx.PrimFunc],
    target: tvm.target.Target,
    directory: Path,
    suffix: str = "",
) -> Code:
    """Compile kernels into an object file.

    Parameters
    ----------
    kernels : mapping of str to PrimFunc
        By symbol, as the graph calls them.
    target : tvm.target.Target
    directory : pathlib.Path
        Where the file goes.
    suffix : str, optional
        What is appended to each symbol.

    Raises
    ------
    ExportError
        If TVM cannot generate code for one of them.
    """
    functions = {
        tvm.ir.GlobalVar(symbol + suffix): kernel.with_attr("global_symbol", symbol + suffix)
        for symbol, kernel in kernels.items()
    }
    path = directory / f"kernels{suffix}.o"
    with as_export_error("compiling the kernels", instead=f"try another target than {target}"):
        library = tvm.tirx.build(tvm.IRModule(functions), target=target)
        library.write_to_file(str(path), "o")
    return Code(target, path, tuple(kernels), suffix)


def link(
    codes: Sequence[Code],
    path: Path,
    linker: str,
    identify: Callable[[Iterable[bytes]], int],
) -> int:
    """Write compiled kernels as a shared library.

    Parameters
    ----------
    codes : sequence of Code
        One, or the same kernels for several levels of one architecture, the lowest first.
    path : pathlib.Path
    linker : str
        A C++ compiler.
    identify : callable
        Called with the contents of the kernels' object files; the number that it returns becomes a
        function of the library.

    Returns
    -------
    int
        That number.

    Raises
    ------
    ExportError
        If the linker fails; its output is in the message.
    """
    number = identify(code.path.read_bytes() for code in codes)
    sources = {"model_id.c": library_source(number, codes[0].features)}
    if len(codes) > 1:
        sources["levels.c"] = dispatch_source(
            codes[0].symbols, [(code.suffix, code.features) for code in codes]
        )
    directory = codes[0].path.parent
    for name, source in sources.items():
        (directory / name).write_text(source, encoding="utf-8")
    objects = [str(code.path) for code in codes] + [str(directory / name) for name in sources]
    with as_export_error(f"linking deploy.so with {linker}", instead=NEED_COMPILER):
        cc.create_shared(str(path), objects, ["-O2"], cc=linker)
    return number
