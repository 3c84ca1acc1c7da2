# SPDX-License-Identifier: Apache-2.0
"""The compiler that links: the user's, or one for the target's machine if that is another."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import tvm
from tvm.support import cc
from tvm.target.codegen import llvm_get_system_triple

from tvmgo.compiler.errors import NEED_COMPILER, as_export_error
from tvmgo.compiler.relax.codegen.target import triple_of
from tvmgo.exceptions import ExportError

# What a compiler for a triple may be called. Clang compiles for every machine; with this it needs
# neither headers nor libraries of the other system, which libraries find where they are loaded.
BY_LLD = ("--target={}", "-fuse-ld=lld", "-ffreestanding", "-nostdlib")
CROSS_COMPILERS = (("{}-g++",), ("{}-gcc",), ("clang++", *BY_LLD), ("clang", *BY_LLD))

# What TVM tells debuggers of kernels is as large as their code; their names stay.
WITHOUT_DEBUG_INFORMATION = "-Wl,-S"

# Other names of machines, which compilers and LLVM use.
MACHINES = {"arm64": "aarch64"}


def linker_for(target: tvm.target.Target, linker: Sequence[str]) -> list[str]:
    """Return a C++ compiler that links for a target, and the options that it needs for that.

    Parameters
    ----------
    target : tvm.target.Target
    linker : sequence of str
        The compiler that the user has chosen; it may be one for another machine than this.

    Raises
    ------
    ExportError
        If none is found for the target's machine.
    """
    triple = triple_of(target)
    machine = machine_of(triple)
    if machine == machine_of(llvm_get_system_triple()):
        return list(linker)
    short = "-".join(part for part in triple.split("-") if part not in ("unknown", "pc", "none"))
    for command in (linker, *CROSS_COMPILERS):
        words = [word.replace("{}", short) for word in command]
        if links_for(machine, words):
            return words
    raise ExportError(
        f"linking deploy.so for {triple}",
        f"no compiler for {machine} was found",
        f"install one, such as {short}-g++, or clang and lld, or name one in the variable CXX",
    )


def links_for(machine: str, command: Sequence[str]) -> bool:
    """Whether a command is a compiler for a machine that can be run."""
    if shutil.which(command[0]) is None:
        return False
    if "-fuse-ld=lld" in command and shutil.which("ld.lld") is None:
        return False
    asked = subprocess.run(
        [*command, "-dumpmachine"], capture_output=True, text=True, errors="replace", check=False
    )
    return asked.returncode == 0 and machine_of(asked.stdout.strip()) == machine


def machine_of(triple: str) -> str:
    machine = triple.partition("-")[0]
    return MACHINES.get(machine, machine)


def is_elf(target: tvm.target.Target) -> bool:
    """Whether libraries for the target are ELF files, as everywhere but on macOS and Windows."""
    return not any(system in triple_of(target) for system in ("apple", "darwin", "windows"))


def create_shared(
    path: str | Path,
    files: Sequence[str | Path],
    linker: Sequence[str],
    options: Sequence[str] = (),
) -> None:
    """Make a shared library of object files and C sources.

    Raises
    ------
    ExportError
        If the linker fails; its output is in the message.
    """
    command, *own = linker
    with as_export_error(f"linking deploy.so with {command}", instead=NEED_COMPILER):
        cc.create_shared(
            str(path), [*map(str, files)], [*own, WITHOUT_DEBUG_INFORMATION, *options], cc=command
        )
