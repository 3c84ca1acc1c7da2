# SPDX-License-Identifier: Apache-2.0
"""What the statements of `cases` name, one world per rival.

The same name means the same thing in each world: `nop` is a function that does nothing, `target`
an array to copy into, `filled` one that holds `source`. Where a rival has no word for an
operation, its world has what its users put together instead.
"""
import ctypes

import numpy as np
import tvm_ffi

import tvmgo
from benchmarks import chain, kernels, processes

TEXT = "sixteen bytes 16"
ALIGNMENT = 64      # bytes; what compiled kernels expect of an array's address


def ndarray(nbytes: int, value: float = 0, offset: int = 0) -> np.ndarray:
    """Return float32 elements of one value, `offset` bytes behind a 64-byte boundary."""
    memory = np.empty(nbytes + 2 * ALIGNMENT, "uint8")
    start = -memory.ctypes.data % ALIGNMENT + offset
    result = memory[start:start + nbytes].view("float32")
    result[:] = value
    return result


def nothing():
    """The empty Python function without parameters."""


def add(a, b):
    """The callback with two ints."""
    return a + b


def shared(nbytes: int) -> dict:
    """Names all rivals share: what comes from outside, NumPy's arrays among it."""
    source = ndarray(nbytes)
    source[:] = np.arange(1, source.size + 1)
    return {
        "text": TEXT,
        "aligned": ndarray(nbytes, 4),
        "misaligned": ndarray(nbytes, 4, offset=16),
        "source": source,
        "np": np,
        "start": processes.start,
        "private_kib": processes.private_kib,
    }


def tvmgo_names(nbytes: int, source: np.ndarray) -> dict:
    module = tvmgo.load_module(kernels.library())
    target = tvmgo.array(ndarray(nbytes))
    return {
        "nop": module["nop"],
        "checksum": module["checksum"],
        "callback0": tvmgo.convert_function(nothing),
        "callback2": tvmgo.convert_function(add),
        "a": tvmgo.array(ndarray(nbytes, 1)),
        "b": tvmgo.array(ndarray(nbytes, 2)),
        "c": tvmgo.array(ndarray(nbytes, 3)),
        "empty": tvmgo.empty,
        "target": target,
        "target_view": np.asarray(target),
        "filled": tvmgo.array(source),
        "per_operator": chain.nanoseconds_per_operator(kernels.library(), "add4"),
        "per_operator_checked": chain.nanoseconds_per_operator(kernels.library(), "add4_checked"),
    }


def tvm_ffi_names(nbytes: int, source: np.ndarray) -> dict:
    tvmgo.runtime.load()  # tvm_ffi alone makes and copies no tensors
    module = tvm_ffi.load_module(kernels.library())
    alloc = tvm_ffi.get_global_func("runtime.TVMTensorAllocWithScope")
    copy = tvm_ffi.get_global_func("runtime.TVMTensorCopyFromTo")
    float32, cpu = tvm_ffi.dtype("float32"), tvm_ffi.device("cpu", 0)
    shape = tvm_ffi.Shape([nbytes // 4])
    target, filled = alloc(shape, float32, cpu, None), alloc(shape, float32, cpu, None)
    target_view = np.from_dlpack(target)
    target_view[:] = 0
    copy(source, filled)
    assert module.nop.release_gil  # the policy of tvmgo: compare like with like
    return {
        "nop": module.nop,
        "checksum": module.checksum,
        "callback0": tvm_ffi.convert(nothing),
        "callback2": tvm_ffi.convert(add),
        "a": tvm_ffi.from_dlpack(ndarray(nbytes, 1)),
        "b": tvm_ffi.from_dlpack(ndarray(nbytes, 2)),
        "c": tvm_ffi.from_dlpack(ndarray(nbytes, 3)),
        "from_dlpack": tvm_ffi.from_dlpack,
        "copy": copy,
        "target": target,
        "target_view": target_view,
        "filled": filled,
    }


def numpy_names(nbytes: int, source: np.ndarray) -> dict:
    target = ndarray(nbytes)
    return {
        "a": ndarray(nbytes, 1),
        "b": ndarray(nbytes, 2),
        "c": ndarray(nbytes, 0),
        "target": target,
        "target_view": target,
        "filled": source,
    }


def memmove_names(nbytes: int, source: np.ndarray) -> dict:
    target = ndarray(nbytes)
    return {
        "memmove": ctypes.memmove,
        "nbytes": nbytes,
        "source_address": ctypes.c_void_p(source.ctypes.data),
        "target_address": ctypes.c_void_p(target.ctypes.data),
        "target_view": target,
    }


def python_names(nbytes: int, source: np.ndarray) -> dict:
    def nop(a=None, b=None, c=None):
        """The empty Python function."""

    return {"nop": nop, "callback0": nothing, "callback2": add, "a": 1, "b": 2, "c": 3}


def classic_names(nbytes: int, source: np.ndarray) -> dict:
    library = kernels.library("classic_kernels")
    return {"per_operator": chain.nanoseconds_per_operator(library, "add4"),
            "per_operator_checked": chain.nanoseconds_per_operator(library, "add4_checked")}


WORLDS = {
    "tvmgo": tvmgo_names,
    "classic kernels": classic_names,
    "tvm_ffi": tvm_ffi_names,
    "NumPy": numpy_names,
    "memmove": memmove_names,
    "Python": python_names,
}


def build(rivals, nbytes: int) -> dict[str, dict]:
    """Return the names of each rival's world, over arrays of that many bytes."""
    common = shared(nbytes)
    return {rival: common | WORLDS[rival](nbytes, common["source"]) for rival in rivals}
