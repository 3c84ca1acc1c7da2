# SPDX-License-Identifier: Apache-2.0
"""The compiled libraries the benchmarks call into."""

import atexit
import functools
import importlib.util
import os
import subprocess
import sys
import sysconfig
import tempfile
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from types import ModuleType

HEADERS = (
    str(Path(importlib.util.find_spec("tvm_ffi").origin).parent / "include"),
    sysconfig.get_path("include"),
)


@functools.cache
def library(name: str = "kernels") -> str:
    """Compile one C file of this folder once. Return the library's path, gone when Python ends."""
    directory = tempfile.TemporaryDirectory(prefix="tvmgo-benchmarks-")
    atexit.register(directory.cleanup)
    source = Path(__file__).with_name(f"{name}.c")
    target = os.path.join(directory.name, f"{name}.so")
    late = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    subprocess.run(
        [
            os.environ.get("CC", "cc"),
            "-std=gnu11",
            "-O2",
            "-Wall",
            "-Werror",
            "-shared",
            "-fPIC",
            *(f"-I{path}" for path in HEADERS),
            str(source),
            "-o",
            target,
            *late,
        ],
        check=True,
    )
    return target


def extension(name: str) -> ModuleType:
    """Compile one C file of this folder as a Python extension and return the module."""
    loader = ExtensionFileLoader(name, library(name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module
