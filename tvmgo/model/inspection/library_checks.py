# SPDX-License-Identifier: Apache-2.0
"""Whether a library could be loaded and called here, found without opening it."""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tvmgo._core.module import missing_cpu_feature
from tvmgo._core.registry import get_global_function
from tvmgo._native import linking, locate
from tvmgo._native.elf_outline import ElfOutline, machine_of, read_outline
from tvmgo._native.needed_libraries import missing_libraries
from tvmgo.exceptions import TVMError
from tvmgo.model.inspection.diagnosis import Check
from tvmgo.model.inspection.outline import Graph

COMPILE_AGAIN = "compile the model again, by `tvmgo compile` or a TVM up to 0.20"
GENERATIONS = {
    "modern": (True, "today's (TVM 0.22 and later)", ""),
    "classic": (True, "classic (TVM 0.2 to 0.20)", ""),
    "transitional": (False, "TVM 0.21, which nothing but 0.21 can run", COMPILE_AGAIN),
    "undecided": (None, "no mark of any TVM; it will be taken for a classic one", ""),
}
# What stands in the tables of embedded modules, after its length.
PROGRAMS = {
    "relax.VMExecutable": "a program of the Relax virtual machine",
    "GraphExecutorFactory": "a factory, with graph and parameters inside",
    "GraphRuntimeFactory": "a factory, with graph and parameters inside",
}
TABLES = ("__tvm_ffi__library_bin", "__tvm_dev_mblob")
# The levels of x86-64, each with what it has beyond the one before.
LEVELS = {
    3: "avx,avx2,bmi,bmi2,f16c,fma,lzcnt,movbe",
    4: "avx512f,avx512bw,avx512cd,avx512dq,avx512vl",
}
# Among all that LLVM calls a feature, such as "fast-shld-rotate".
INSTRUCTIONS = re.compile(r"s*se[0-9]|avx|fma|bmi|f16c|lzcnt|movbe|popcnt|gfni|neon|sve|dotprod")
LEVEL_LIMIT = "TVMGO_CPU_LEVEL"

_generation_of = get_global_function("tvmgo.library_generation")


def check_library(path: Path, graph: Graph | None, has_graph: bool) -> Iterator[Check]:
    """Look at a library, and at the graph that is to call it, if there is one and it can be read.

    Each check needs what those before it found: the first that fails is the last.
    """
    if linking.kind_of(str(path)) is not None:
        found = linking.find_compiler()
        yield Check(
            f"{path.name}: kind",
            found is not None,
            "object files, to be linked when they are loaded, "
            + (f"by {found[0]}" if found else "and there is no compiler"),
            "" if found else "install a C++ compiler, or link a shared library elsewhere",
        )
        return
    try:
        generation = str(_generation_of(str(path)))
    except TVMError as error:
        yield Check(f"{path.name}: kind", False, str(error), "copy or compile it again")
        return
    ok, what, advice = GENERATIONS[generation]
    yield Check(f"{path.name}: generation", ok, what, advice)
    theirs, ours = machine_of(path), machine_of(locate.loaded["tvm_ffi"])
    advice = (
        ""
        if theirs == ours
        else "compile it for this machine: target=, or --target, says for which"
    )
    yield Check(f"{path.name}: architecture", theirs == ours, theirs, advice)
    if ok is False or theirs != ours or "64 bits" not in ours:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as contents:
        outline = read_outline(contents)
        program = program_in(contents, outline)
        features = text_at(contents, outline, "tvmgo_cpu_features")
    yield check_program(path, program, has_graph, outline)
    yield check_processor(path, features)
    if levels := levels_in(outline):
        yield Check(f"{path.name}: kernels", True, level_words(levels))
    missing = missing_libraries(path, outline.needed, outline.search)
    yield Check(
        f"{path.name}: libraries",
        not missing,
        f"needs {', '.join(outline.needed) or 'none'}"
        + (f"; {', '.join(missing)} not found" if missing else ""),
        "install what brings them, or name their folder in LD_LIBRARY_PATH" if missing else "",
    )
    if graph is not None and outline.defined:
        yield check_functions(path, graph, outline)


def program_in(contents: mmap.mmap, outline: ElfOutline) -> str | None:
    """Return what program a library has inside, if it has one."""
    for table in TABLES:
        symbol = outline.defined.get(table)
        if symbol is None or symbol.offset is None:
            continue
        end = symbol.offset + symbol.size if symbol.size else len(contents)
        for key, what in PROGRAMS.items():
            entry = len(key).to_bytes(8, "little") + key.encode()
            if contents.find(entry, symbol.offset, end) >= 0:
                return what
    return None


def text_at(contents: mmap.mmap, outline: ElfOutline, name: str) -> str | None:
    """Return the C string that a symbol is."""
    symbol = outline.defined.get(name)
    if symbol is None or symbol.offset is None:
        return None
    end = contents.find(b"\0", symbol.offset)
    return contents[symbol.offset : end].decode("ascii", "replace")


def check_program(path: Path, program: str | None, has_graph: bool, outline: ElfOutline) -> Check:
    subject = f"{path.name}: program"
    if program is not None or has_graph:
        return Check(subject, True, program or "kernels, which the graph calls")
    if not outline.defined:
        return Check(subject, None, "the library has no section headers, which would tell")
    advice = "put its graph (.json) and parameters beside it"
    return Check(subject, False, "kernels alone, and no graph that calls them", advice)


def check_processor(path: Path, features: str | None) -> Check:
    subject = f"{path.name}: processor"
    if features is None:
        return Check(subject, None, "the library does not tell which instructions it uses")
    names = [name for name in features.split(",") if INSTRUCTIONS.match(name)]
    missing = [name for name in features.split(",") if missing_cpu_feature(name)]
    if not missing:
        return Check(subject, True, f"this one has all of {', '.join(names) or 'its architecture'}")
    advice = "export it for a target that all your machines have, such as the default"
    return Check(subject, False, f"needs {', '.join(missing)}, which this one lacks", advice)


def levels_in(outline: ElfOutline) -> list[int]:
    """Return for which levels of x86-64 there are clones of kernels."""
    matches = (re.match(r"__tvmgo_cpu_level__v([1-9])$", name) for name in outline.defined)
    return sorted({int(match[1]) for match in matches if match})


def level_words(levels: Iterable[int]) -> str:
    """Say which of these levels would be chosen here; the lowest is what the library needs."""
    levels = list(levels)
    limit = os.environ.get(LEVEL_LIMIT, "")[-1:]
    highest = int(limit) if limit.isdigit() else max(levels)
    chosen = levels[0]
    for level in levels[1:]:
        needed = ",".join(features for each, features in LEVELS.items() if each <= level)
        if level <= highest and missing_cpu_feature(needed) is None:
            chosen = level
    named = ", ".join(f"x86-64-v{level}" for level in levels)
    return f"clones for {named}; x86-64-v{chosen} would be chosen here"


def check_functions(path: Path, graph: Graph, outline: ElfOutline) -> Check:
    """See that the kernels which a graph calls are there: in the library or the process."""
    missing = sorted(
        name
        for name in graph.functions
        if not name.startswith("__")  # the executor's own
        and name not in outline.defined
        and f"__tvm_ffi_{name}" not in outline.defined
        and not locate.has_function(name)
    )
    subject = f"{path.name}: functions"
    if not missing:
        return Check(subject, True, f"has all {len(graph.functions)} that the graph calls")
    listed = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
    elsewhere = any(table in outline.defined for table in TABLES) or any(
        "RegisterSystemLibSymbol" in name for name in (*outline.defined, *outline.undefined)
    )
    if elsewhere:
        return Check(subject, None, f"{listed} may be in modules embedded in it")
    return Check(
        subject,
        False,
        f"{len(missing)} of {len(graph.functions)} that the graph calls are missing: {listed}",
        "use the graph and the library of one export; or register these functions first",
    )
