# SPDX-License-Identifier: Apache-2.0
"""The compiled libraries the cases call into, made of the files in ``c/``."""

from __future__ import annotations

import atexit
import ctypes
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

from tvm_ffi import libinfo

SOURCES = Path(__file__).with_name("c")
HEADERS = (libinfo.find_include_path(), sysconfig.get_path("include"))


@functools.cache
def library(name: str = "kernels", *more_options: str) -> str:
    """Compile one C file once. Return the library's path, gone when Python ends."""
    directory = tempfile.TemporaryDirectory(prefix="tvmgo-benchmarks-")
    atexit.register(directory.cleanup)
    target = os.path.join(directory.name, f"{name}.so")
    options = ["-std=gnu11", "-O2", "-Wall", "-Werror", "-shared", "-fPIC"]
    options += [f"-I{path}" for path in HEADERS]
    if sys.platform == "darwin":
        options += ["-undefined", "dynamic_lookup"]
    options += more_options
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, *options, SOURCES / f"{name}.c", "-o", target], check=True)
    return target


@functools.cache
def floor() -> ModuleType:
    """Return the extension module of what calls cannot do without."""
    loader = ExtensionFileLoader("floor", library("floor"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("floor", loader))
    loader.exec_module(module)
    return module


@functools.cache
def c_api(loader: type[ctypes.CDLL] = ctypes.CDLL) -> ctypes.CDLL:
    """Return libtvm_ffi through ctypes: a CDLL releases the GIL around a call, a PyDLL keeps it."""
    return loader(libinfo.find_libtvm_ffi())


@functools.cache
def c_function(name: str) -> ctypes.c_void_p:
    """Return the handle of a kernel as a function of the runtime, which is never freed."""
    kernel = getattr(ctypes.CDLL(library()), f"__tvm_ffi_{name}")
    handle = ctypes.c_void_p()
    assert c_api().TVMFFIFunctionCreate(None, kernel, None, ctypes.byref(handle)) == 0
    return handle
