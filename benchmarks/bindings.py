# SPDX-License-Identifier: Apache-2.0
"""The two bindings under one set of names, and the arrays that cases hand to them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
import tvm_ffi

import tvmgo
from benchmarks import native
from benchmarks.case import Timed

ALIGNMENT = 64  # bytes; what compiled kernels expect of an array's address


@cache
def kernels(load_module: Callable):
    """Load the kernels for good: the functions that `constant` returns have their code in them."""
    return load_module(native.library())


class Tvmgo:
    array = staticmethod(tvmgo.from_dlpack)
    callback = staticmethod(tvmgo.convert_function)
    global_function = staticmethod(tvmgo.get_global_function)

    @staticmethod
    def function(name: str, release_gil: bool = True) -> tvmgo.Function:
        """Return a kernel under one policy."""
        function = kernels(tvmgo.load_module)[name]
        function.release_gil = release_gil
        return function


class TvmFfi:
    array = staticmethod(tvm_ffi.from_dlpack)
    callback = staticmethod(tvm_ffi.convert)
    global_function = staticmethod(tvm_ffi.get_global_func)

    @staticmethod
    def function(name: str, release_gil: bool = True) -> tvm_ffi.Function:
        """Return a kernel under one policy."""
        function = kernels(tvm_ffi.load_module).get_function(name)
        function.release_gil = release_gil
        return function


Binding = type[Tvmgo] | type[TvmFfi]


def both(rival: Callable[..., Timed]) -> dict[str, Callable[..., Timed]]:
    """Return a rival that is given a binding first, once for each binding."""
    return {"tvmgo": partial(rival, Tvmgo), "tvm_ffi": partial(rival, TvmFfi)}


def floats(value: float, nbytes: int = 16, offset: int = 0) -> np.ndarray:
    """Return float32 elements of one value, `offset` bytes behind a 64-byte boundary."""
    memory = np.empty(nbytes + 2 * ALIGNMENT, "uint8")
    start = -memory.ctypes.data % ALIGNMENT + offset
    result = memory[start : start + nbytes].view("float32")
    result[:] = value
    return result
