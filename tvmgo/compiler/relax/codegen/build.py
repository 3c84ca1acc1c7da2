# SPDX-License-Identifier: Apache-2.0
"""From kernels to ``deploy.so``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tvm
from tvm import tirx
from tvm.ir.transform import PassContext
from tvm.target.codegen import llvm_get_cpu_features

from tvmgo.compiler.errors import as_export_error
from tvmgo.compiler.graph.model_id import library_source
from tvmgo.compiler.relax.codegen.classic import classic_source
from tvmgo.compiler.relax.codegen.levels import dispatch_source
from tvmgo.compiler.relax.codegen.linking import create_shared, is_elf
from tvmgo.compiler.relax.kernel_attributes import IS_FLAT
from tvmgo.compiler.relax.schedule.expressions import nodes_of


@dataclass(frozen=True)
class Code:
    """Kernels compiled for one target: object files, which have each symbol with a suffix."""

    target: tvm.target.Target
    paths: tuple[Path, ...]
    symbols: tuple[str, ...]
    suffix: str

    @property
    def features(self) -> list[str]:
        return sorted(llvm_get_cpu_features(self.target))


# Passes with nothing to do in kernels that are flat. They take most of the time in which such a kernel is compiled.
NOT_FOR_FLAT = [
    *("s_tir.StmtSimplify", "s_tir.RenormalizeSplitPattern", "s_tir.InjectVirtualThread"),
    *("s_tir.HoistIfThenElse", "s_tir.InsertHoistIfThenElse", "s_tir.InjectPermutedLayout"),
    *("tirx.RemoveNoOp", "tirx.CommonSubexprElim", "tirx.NarrowDataType"),
]

# It cannot read the indices of vectors that are no ramps, such as a padding's, and has nothing to do: schedules make
# no buffer larger than is used.
NEVER = ["s_tir.CompactBufferAllocation"]

Kernels = Mapping[str, tvm.tirx.PrimFunc]

CHECKS = "__checks"  # what the symbols of kernels end with that only look at their arguments
WITHOUT_CHECKS = {"tirx.disable_assert": True}


def compile_checks(kernels: Kernels, target: tvm.target.Target, directory: Path) -> Code:
    """Compile what is the same at every level: how kernels look at their arguments.

    That is more code than most kernels, and takes about as long to compile.
    """
    nothing = tirx.Evaluate(0)
    checks = {
        symbol: tirx.PrimFunc(kernel.params, nothing, kernel.ret_type, kernel.attrs)
        for symbol, kernel in kernels.items()
    }
    return compile_kernels(checks, target, directory, CHECKS)


def compile_kernels(
    kernels: Kernels,
    target: tvm.target.Target,
    directory: Path,
    suffix: str = "",
    *,
    checked: bool = False,
) -> Code:
    """Compile kernels into object files.

    Parameters
    ----------
    kernels : mapping of str to PrimFunc
        By symbol, as the graph calls them.
    target : tvm.target.Target
    directory : pathlib.Path
        Where the files go.
    suffix : str, optional
        What is appended to each symbol.
    checked : bool, optional
        Whether whoever calls them has called those of `compile_checks`.

    Raises
    ------
    ExportError
        If TVM cannot generate code for one of them.
    """
    if checked and not any(nodes_of(kernel.body, tirx.AssertStmt) for kernel in kernels.values()):
        config = WITHOUT_CHECKS
    else:
        config = {}
    flat = {symbol: kernel for symbol, kernel in kernels.items() if IS_FLAT in kernel.attrs}
    others = {symbol: kernel for symbol, kernel in kernels.items() if symbol not in flat}
    parts: list[tuple[str, Kernels, PassContext]] = []
    if flat:
        context = PassContext(disabled_pass=NEVER + NOT_FOR_FLAT, config=config)
        parts.append((f"templates{suffix}.o", flat, context))
    if others or not flat:
        context = PassContext(disabled_pass=NEVER, config=config)
        parts.append((f"kernels{suffix}.o", others, context))
    with as_export_error("compiling the kernels", instead=f"try another target than {target}"):
        paths = [
            path
            for name, part, context in parts
            for path in compile_part(part, target, directory / name, suffix, context)
        ]
    return Code(target, tuple(paths), tuple(kernels), suffix)


def compile_part(
    kernels: Kernels,
    target: tvm.target.Target,
    path: Path,
    suffix: str,
    context: PassContext,
) -> list[Path]:
    """Write an object file, or several: LLVM's last level of optimisation breaks some kernels.

    LLVM itself finds that out; such a kernel is compiled alone, and with less optimisation.
    """
    try:
        compile_object(kernels, target, path, suffix, context)
        return [path]
    except tvm.error.InternalError as error:
        less = tvm.target.Target({**target.export(), "opt-level": 2})
        if "LLVM module verification failed" not in str(error) or str(less) == str(target):
            raise
    if len(kernels) == 1:
        return compile_part(kernels, less, path, suffix, context)
    symbols = list(kernels)
    middle = len(symbols) // 2
    halves = [
        {each: kernels[each] for each in half} for half in (symbols[:middle], symbols[middle:])
    ]
    return [
        written
        for number, half in enumerate(halves)
        for written in compile_part(
            half, target, path.with_name(f"{path.stem}.{number}.o"), suffix, context
        )
    ]


def compile_object(
    kernels: Kernels,
    target: tvm.target.Target,
    path: Path,
    suffix: str,
    context: PassContext,
) -> None:
    functions = {
        tvm.ir.GlobalVar(symbol + suffix): kernel.with_attr("global_symbol", symbol + suffix)
        for symbol, kernel in kernels.items()
    }
    with context:
        library = tvm.tirx.build(tvm.IRModule(functions), target=target)
    library.write_to_file(str(path), "o")


def link(
    codes: Sequence[Code],
    path: Path,
    linker: Sequence[str],
    identify: Callable[[Iterable[bytes]], int],
    checks: Code | None = None,
) -> int:
    """Write compiled kernels as a shared library.

    Parameters
    ----------
    codes : sequence of Code
        One, or the same kernels for several levels of one architecture, the lowest first.
    path : pathlib.Path
    linker : sequence of str
        A C++ compiler for the target, and its options.
    identify : callable
        Called with the contents of the kernels' object files; the number that it returns becomes a
        function of the library.
    checks : Code, optional
        What `compile_checks` returns, if the kernels are for several levels.

    Returns
    -------
    int
        That number.

    Raises
    ------
    ExportError
        If the linker fails; its output is in the message.
    """
    paths = [path for code in (*codes, *filter(None, [checks])) for path in code.paths]
    number = identify(each.read_bytes() for each in paths)
    # In as few files as can be: to start a compiler takes it longer than to compile one of these.
    sources = {"library.c": library_source(number, codes[0].features)}
    if is_elf(codes[0].target):
        sources["library.c"] += classic_source(codes[0].symbols)
    if checks is not None:
        sources["levels.c"] = dispatch_source(
            codes[0].symbols, [(code.suffix, code.features) for code in codes], checks.suffix
        )
    directory = paths[0].parent
    for name, source in sources.items():
        (directory / name).write_text(source, encoding="utf-8")
    create_shared(path, [*paths, *(directory / name for name in sources)], linker, ["-O2"])
    return number
