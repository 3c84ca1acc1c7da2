# SPDX-License-Identifier: Apache-2.0
"""The libraries that lie beside libtvm_runtime: loaded when something of theirs is missing."""

from __future__ import annotations

import contextlib
import os

from tvmgo._native import locate
from tvmgo._native.forks import loading


def load_beside_runtime(library: str) -> bool:
    """Load a companion of libtvm_runtime. Return whether that was new."""
    with loading:
        if library in locate.loaded or not locate.load_if_found():
            return False
        runtime, name = locate.loaded["tvm_runtime"], locate.file_name(library)
        directory = os.path.dirname(runtime)
        if directory:
            path = os.path.join(directory, name)
            if not os.path.exists(path):
                return False
            locate.open_library(library, path)
            return True
        if not runtime:
            return False  # others loaded it, from a place they did not tell
        try:
            locate.open_library(library, name)  # the system's loader found the runtime, and this
        except OSError:
            return False
        return True


def load_extra() -> bool:
    """Load libtvm_runtime_extra (sort, topk, random) if there is one. Return whether it was new."""
    if locate.has_function("tvm.contrib.sort.argsort"):
        return False
    return load_beside_runtime("tvm_runtime_extra")


def load_device_library() -> None:
    """Load what the runtime needs for devices other than the CPU, where that is possible."""
    with contextlib.suppress(OSError):  # built for a driver this machine lacks: no such device
        load_beside_runtime("tvm_runtime_cuda")
