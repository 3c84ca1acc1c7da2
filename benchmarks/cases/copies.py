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

    def __init__(self, nbytes: int, into_array: bool):
        self.into_array = into_array
        self.numpy = floats(0, nbytes)
        self.array = tvmgo.empty(self.numpy.shape)
        blocks = self.numpy, np.from_dlpack(self.array)
        self.source, self.target = blocks if into_array else blocks[::-1]
        self.source[:] = np.arange(1, self.source.size + 1)

    def copied(self, call: Callable, operations: int = 1) -> Timed:
        """What copies the source to the target."""
        self.target[:] = 0
        return Timed(call, lambda _answer: (self.target == self.source).all(), operations)

    def is_copy(self, answer) -> bool:
        return answer is not self.source and (answer == self.source).all()

    def loop(self, most: int) -> int:
        """Return how many copies make up for the way into a loop, `most` if they are small."""
        return max(1, min(most, (16 << 20) // self.source.nbytes))


def tvmgo_copy(blocks: Blocks) -> Timed:
    copy = blocks.array.copy_from if blocks.into_array else blocks.array.copy_to
    return blocks.copied(partial(copy, blocks.numpy))


def tvm_ffi_copy(blocks: Blocks) -> Timed:
    tvmgo._native.locate.load()  # tvm_ffi alone copies no tensors
    copy = tvm_ffi.get_global_func("runtime.TVMTensorCopyFromTo")
    operands = blocks.numpy, tvm_ffi.from_dlpack(blocks.array)
    return blocks.copied(partial(copy, *(operands if blocks.into_array else operands[::-1])))


def numpy_copy(blocks: Blocks) -> Timed:
    return blocks.copied(partial(np.copyto, blocks.target, blocks.source))


def memcpy(function: str, times: int, *blocks: np.ndarray) -> Callable[[], int]:
    """Return what copies between these blocks so many times."""
    addresses = (block.ctypes.data_as(ctypes.c_void_p) for block in blocks)  # keep them alive
    sizes = (ctypes.c_size_t(number) for number in (blocks[0].nbytes, times))
    return partial(getattr(ctypes.PyDLL(native.library("memory")), function), *addresses, *sizes)


def memcpy_copy(blocks: Blocks) -> Timed:
    times = blocks.loop(100_000)
    return blocks.copied(memcpy("copy_again", times, blocks.target, blocks.source), times)


def tvmgo_slice(blocks: Blocks) -> Timed:
    return Timed(blocks.array.as_slice, blocks.is_copy)


def tvm_ffi_slice(blocks: Blocks) -> Timed:
    tensor, from_dlpack = tvm_ffi.from_dlpack(blocks.array), np.from_dlpack
    times = blocks.loop(100)

    def copy():
        for _ in range(times):
            answer = from_dlpack(tensor).copy()
        return answer

    return Timed(copy, blocks.is_copy, times)


def numpy_slice(blocks: Blocks) -> Timed:
    return Timed(blocks.source.copy, blocks.is_copy)


def memcpy_slice(blocks: Blocks) -> Timed:
    times = blocks.loop(100_000)
    return Timed(memcpy("copy_fresh", times, blocks.source), equals(0), times)


COPY = {"tvmgo": tvmgo_copy, "tvm_ffi": tvm_ffi_copy, "NumPy": numpy_copy, "memcpy": memcpy_copy}
SLICE = {
    "tvmgo": tvmgo_slice,
    "tvm_ffi": tvm_ffi_slice,
    "NumPy": numpy_slice,
    "memcpy": memcpy_slice,
}
SMALL = (at_most(0.8, over="NumPy"),)
LARGE = (Target(ratio("memcpy", "tvmgo"), ">=", constant(0.97)),)
SIZES = (
    ("16 B", 16, SMALL),
    ("1 KiB", 1 << 10, ()),
    ("64 KiB", 64 << 10, ()),
    ("1 MiB", 1 << 20, LARGE),
    ("16 MiB", 16 << 20, ()),
    ("64 MiB", 64 << 20, LARGE),
)
CASES = tuple(
    Case(group, name, partial(Blocks, nbytes, group is COPY_FROM), rivals, targets)
    for group, rivals in ((COPY_FROM, COPY), (COPY_TO, COPY), (AS_SLICE, SLICE))
    for name, nbytes, targets in SIZES
)
