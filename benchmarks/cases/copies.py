# SPDX-License-Identifier: Apache-2.0
"""Copies into and out of arrays, by size."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial

import numpy as np
import tvm_ffi

import tvmgo
from benchmarks import native
from benchmarks.bindings import floats
from benchmarks.case import Case, Group, Target, Timed, at_most, constant, equals, ratio

SAME = "The runtime's copy called through tvm_ffi; `np.copyto`; memcpy in a loop written in C."
COPY_FROM = Group("Copying into an array", "What does `copy_from` add to the copy itself?", SAME)
COPY_TO = Group("Copying into NumPy's array", "What does `copy_to` add to the copy itself?", SAME)
AS_SLICE = Group(
    "Copying out of an array",
    "What does `as_slice` add to the copy and the memory it is made in?",
    "A copy of NumPy's view of a tvm_ffi tensor; `ndarray.copy`; memcpy in a loop written in C, "
    "into memory as fresh as the others': allocated for each copy, in the way NumPy does, and "
    "freed after it.",
)


class Blocks:
    """The memory that the rivals of one case read and write, the same for each of them.

    Where a block lies and how large its pages are makes a difference of several percent.
    """

    def __init__(self, nbytes: int):
        self.nbytes = nbytes
        self.source = floats(0, nbytes)
        self.source[:] = np.arange(1, self.source.size + 1)
        self.filled = tvmgo.array(self.source)
        self.filled_view = np.from_dlpack(self.filled)
        self.target = tvmgo.empty(self.source.shape)
        self.target_view = np.from_dlpack(self.target)
        self.target_array = floats(0, nbytes)

    def into_array(self, *call) -> Timed:
        """What copies to `target`."""
        return self._arriving(self.target_view, *call)

    def into_numpy(self, *call) -> Timed:
        """What copies to `target_array`."""
        return self._arriving(self.target_array, *call)

    def _arriving(self, target: np.ndarray, call: Callable, operations: int = 1) -> Timed:
        target[:] = 0
        return Timed(call, lambda _answer: (target == self.source).all(), operations)

    def is_copy(self, answer) -> bool:
        return answer is not self.source and (answer == self.source).all()

    def loop(self, most: int) -> int:
        """Return how many copies make up for the way into a loop, `most` if they are small."""
        return max(1, min(most, (16 << 20) // self.nbytes))


def address(array: np.ndarray) -> ctypes.c_void_p:
    """Return an array's address, which keeps the array alive."""
    return array.ctypes.data_as(ctypes.c_void_p)


def c_memory(name: str) -> Callable[..., int]:
    return getattr(ctypes.PyDLL(native.library("memory")), name)


def runtime_copy() -> Callable:
    tvmgo._native.locate.load()  # tvm_ffi alone copies no tensors
    return tvm_ffi.get_global_func("runtime.TVMTensorCopyFromTo")


def tvmgo_from(blocks: Blocks) -> Timed:
    return blocks.into_array(partial(blocks.target.copy_from, blocks.source))


def tvm_ffi_from(blocks: Blocks) -> Timed:
    target = tvm_ffi.from_dlpack(blocks.target)
    return blocks.into_array(partial(runtime_copy(), blocks.source, target))


def numpy_from(blocks: Blocks) -> Timed:
    return blocks.into_array(partial(np.copyto, blocks.target_view, blocks.source))


def memcpy(target: np.ndarray, source: np.ndarray, times: int) -> Callable[[], int]:
    size = ctypes.c_size_t(source.nbytes)
    return partial(
        c_memory("copy_again"), address(target), address(source), size, ctypes.c_size_t(times)
    )


def memcpy_from(blocks: Blocks) -> Timed:
    times = blocks.loop(100_000)
    return blocks.into_array(memcpy(blocks.target_view, blocks.source, times), times)


def tvmgo_to(blocks: Blocks) -> Timed:
    return blocks.into_numpy(partial(blocks.filled.copy_to, blocks.target_array))


def tvm_ffi_to(blocks: Blocks) -> Timed:
    filled = tvm_ffi.from_dlpack(blocks.filled)
    return blocks.into_numpy(partial(runtime_copy(), filled, blocks.target_array))


def numpy_to(blocks: Blocks) -> Timed:
    return blocks.into_numpy(partial(np.copyto, blocks.target_array, blocks.filled_view))


def memcpy_to(blocks: Blocks) -> Timed:
    times = blocks.loop(100_000)
    return blocks.into_numpy(memcpy(blocks.target_array, blocks.filled_view, times), times)


def tvmgo_slice(blocks: Blocks) -> Timed:
    return Timed(blocks.filled.as_slice, blocks.is_copy)


def tvm_ffi_slice(blocks: Blocks) -> Timed:
    filled, from_dlpack = tvm_ffi.from_dlpack(blocks.filled), np.from_dlpack
    times = blocks.loop(100)

    def copy():
        for _ in range(times):
            answer = from_dlpack(filled).copy()
        return answer

    return Timed(copy, blocks.is_copy, times)


def numpy_slice(blocks: Blocks) -> Timed:
    return Timed(blocks.filled_view.copy, blocks.is_copy)


def memcpy_slice(blocks: Blocks) -> Timed:
    times = blocks.loop(100_000)
    size = ctypes.c_size_t(blocks.nbytes)
    source = address(blocks.filled_view)
    call = partial(c_memory("copy_fresh"), source, size, ctypes.c_size_t(times))
    return Timed(call, equals(0), times)


SMALL = (at_most(0.8, over="NumPy"),)
LARGE = (Target(ratio("memcpy", "tvmgo"), ">=", constant(0.97)),)
SIZES = (  # name, bytes, targets, how gotvm's figures name it
    ("16 B", 16, SMALL, "4floats"),
    ("1 KiB", 1 << 10, (), ""),
    ("64 KiB", 64 << 10, (), ""),
    ("1 MiB", 1 << 20, LARGE, "1MiB"),
    ("16 MiB", 16 << 20, (), ""),
    ("64 MiB", 64 << 20, LARGE, "64MiB"),
)


def cases(group: Group, gotvm: str, *rivals: Callable[[Blocks], Timed]) -> list[Case]:
    named = dict(zip(("tvmgo", "tvm_ffi", "NumPy", "memcpy"), rivals))
    return [
        Case(
            group,
            name,
            partial(Blocks, nbytes),
            named,
            targets,
            size=nbytes,
            gotvm=f"{gotvm}_{size}" if gotvm and size else "",
        )
        for name, nbytes, targets, size in SIZES
    ]


CASES = (
    *cases(COPY_FROM, "CopyFrom", tvmgo_from, tvm_ffi_from, numpy_from, memcpy_from),
    *cases(COPY_TO, "", tvmgo_to, tvm_ffi_to, numpy_to, memcpy_to),
    *cases(AS_SLICE, "AsSlice", tvmgo_slice, tvm_ffi_slice, numpy_slice, memcpy_slice),
)
