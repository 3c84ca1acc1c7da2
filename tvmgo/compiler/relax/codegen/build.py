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
from tvm.tirx.build import codegen_build

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


def compile_checks(kernels: Kernels, target: tvm.target.Target, directory: Path) -> Code:
    """Compile what is the same at every level: how kernels look at their arguments.

    That is more code than most kernels; optimised, it would take longer to compile, and no less
    time to run that could be measured.
    """
    nothing = tirx.Evaluate(0)
    checks = {
        symbol: tirx.PrimFunc(kernel.params, nothing, kernel.ret_type, kernel.attrs)
        for symbol, kernel in kernels.items()
    }
    plain = tvm.target.Target({**target.export(), "opt-level": 0})
    return compile_kernels(checks, plain, directory, CHECKS)


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
    skips = checked and not any(
        nodes_of(kernel.body, tirx.AssertStmt) for kernel in kernels.values()
    )
    flat = {symbol: kernel for symbol, kernel in kernels.items() if IS_FLAT in kernel.attrs}
    others = {symbol: kernel for symbol, kernel in kernels.items() if symbol not in flat}
    with as_export_error("compiling the kernels", instead=f"try another target than {target}"):
        lowered = {
            **lower(flat, target, suffix, NEVER + NOT_FOR_FLAT),
            **lower(others, target, suffix, NEVER),
        }
        if skips:
            lowered = functions_of(tirx.transform.SkipAssert()(tvm.IRModule(lowered)))
        paths = write_objects(lowered, target, directory / f"kernels{suffix}.o")
    return Code(target, tuple(paths), tuple(kernels), suffix)


def lower(
    kernels: Kernels, target: tvm.target.Target, suffix: str, disabled: Sequence[str]
) -> dict[tvm.ir.GlobalVar, tvm.tirx.PrimFunc]:
    """Return kernels as code generation takes them."""
    functions = {
        tvm.ir.GlobalVar(symbol + suffix): kernel.with_attr("global_symbol", symbol + suffix)
        for symbol, kernel in kernels.items()
    }
    pipeline, finalize, _ = tvm.tirx.get_default_tir_pipeline(target)
    with PassContext(disabled_pass=list(disabled)):
        module = tirx.transform.BindTarget(target.with_host(target))(tvm.IRModule(functions))
        return functions_of(finalize()(pipeline(module)))


def functions_of(module: tvm.IRModule) -> dict[tvm.ir.GlobalVar, tvm.tirx.PrimFunc]:
    return dict(module.functions_items())


def write_objects(
    functions: Mapping[tvm.ir.GlobalVar, tvm.tirx.PrimFunc],
    target: tvm.target.Target,
    path: Path,
) -> list[Path]:
    """Write an object file, or several: LLVM's last level of optimisation breaks some kernels.

    LLVM itself finds that out; such a kernel is compiled alone, and with less optimisation.
    """
    try:
        codegen_build(tvm.IRModule(functions), target).write_to_file(str(path), "o")
        return [path]
    except tvm.error.InternalError as error:
        less = tvm.target.Target({**target.export(), "opt-level": 2})
        if "LLVM module verification failed" not in str(error) or str(less) == str(target):
            raise
    if len(functions) == 1:
        return write_objects(functions, less, path)
    variables = list(functions)
    middle = len(variables) // 2
    return [
        written
        for number, half in enumerate((variables[:middle], variables[middle:]))
        for written in write_objects(
            {each: functions[each] for each in half},
            target,
            path.with_name(f"{path.stem}.{number}.o"),
        )
    ]


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
    # One file: to start a compiler takes it longer than to compile this.
    parts = [library_source(number, codes[0].features)]
    if is_elf(codes[0].target):
        parts.append(classic_source(codes[0].symbols))
    if checks is not None:
        levels = [(code.suffix, code.features) for code in codes]
        parts.append(dispatch_source(codes[0].symbols, levels, checks.suffix))
    source = paths[0].with_name("library.c")
    source.write_text("".join(parts), encoding="utf-8")
    create_shared(path, [*paths, source], linker, ["-O1"])
    return number
