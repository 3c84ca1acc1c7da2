# SPDX-License-Identifier: Apache-2.0
"""The two bindings under one set of names, and the arrays that cases hand to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Binding:
    """What both bindings have, whatever they call it."""

    load_module: Callable
    array: Callable  # of NumPy's array, without a copy
    callback: Callable  # of a Python function
    global_function: Callable  # of a name
    register: Callable  # a Python function under a name

    def function(self, name: str, release_gil: bool = True) -> Callable:
        """Return a kernel under one policy."""
        function = kernels(self.load_module)[name]
        function.release_gil = release_gil
        return function


TVMGO = Binding(
    tvmgo.load_module,
    tvmgo.from_dlpack,
    tvmgo.convert_function,
    tvmgo.get_global_function,
    lambda function, name: tvmgo.register_function(function, name, override=True),
)
TVM_FFI = Binding(
    tvm_ffi.load_module,
    tvm_ffi.from_dlpack,
    tvm_ffi.convert,
    tvm_ffi.get_global_func,
    lambda function, name: tvm_ffi.register_global_func(name, function, override=True),
)


def both(rival: Callable[..., Timed]) -> dict[str, Callable[..., Timed]]:
    """Return a rival that is given a binding first, once for each binding."""
    return {"tvmgo": partial(rival, TVMGO), "tvm_ffi": partial(rival, TVM_FFI)}


def floats(value: float, nbytes: int = 16, offset: int = 0) -> np.ndarray:
    """Return float32 elements of one value, `offset` bytes behind a 64-byte boundary."""
    memory = np.empty(nbytes + 2 * ALIGNMENT, "uint8")
    start = -memory.ctypes.data % ALIGNMENT + offset
    result = memory[start : start + nbytes].view("float32")
    result[:] = value
    return result
