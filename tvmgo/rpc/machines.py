# SPDX-License-Identifier: Apache-2.0
"""Whether a library can run on another machine, found out before it is sent there."""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Callable

from tvmgo._native.elf_outline import machine_of, read_outline
from tvmgo.exceptions import TVMValueError

_FEATURES = "tvmgo_cpu_features"  # where a library says which instructions it needs


def own_machine() -> str:
    """This machine's processor, as `machine_of` says which a library is for."""
    return machine_of(os.path.realpath(sys.executable))


def needed_features(path: str) -> str:
    """Return the instructions that a library says it needs, "" if it says nothing."""
    with (
        open(path, "rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as contents,
    ):
        if contents[4] != 2 or contents[5] != 1:
            return ""
        try:
            symbol = read_outline(contents).defined.get(_FEATURES)
        except TVMValueError:  # whoever loads it will say so
            return ""
        if symbol is None or symbol.offset is None:
            return ""
        return contents[symbol.offset : symbol.offset + symbol.size].split(b"\0")[0].decode()


def check_library(path: str, machine: str, missing: Callable[[str], str], name: str) -> None:
    """Raise ValueError if a file is a library or object file that cannot run on a machine.

    Parameters
    ----------
    path : str
    machine : str
        What `own_machine` says there.
    missing : callable
        Tells which of the instructions the machine lacks, "" if none.
    name : str
        The machine in messages.
    """
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return
    built_for = machine_of(path)
    if built_for != machine:
        raise TVMValueError(
            f"data: {path!r} is for {built_for}, and {name} is {machine}; export it for that target"
        )
    features = needed_features(path)
    lacking = missing(features) if features else ""
    if lacking:
        raise TVMValueError(
            f"data: {path!r} was compiled for processors with {lacking}, which {name} lacks; "
            "export it for a target that all your machines have"
        )
