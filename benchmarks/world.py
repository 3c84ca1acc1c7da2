# SPDX-License-Identifier: Apache-2.0
"""What all rivals share: values from outside, NumPy's arrays among them."""

from __future__ import annotations

from functools import cached_property

import numpy as np

import tvmgo
from benchmarks import processes

TEXT = "sixteen bytes 16"
DATA = bytes(range(256)) * 4
ALIGNMENT = 64  # bytes; what compiled kernels expect of an array's address


def ndarray(nbytes: int, value: float = 0, offset: int = 0) -> np.ndarray:
    """Return float32 elements of one value, `offset` bytes behind a 64-byte boundary."""
    memory = np.empty(nbytes + 2 * ALIGNMENT, "uint8")
    start = -memory.ctypes.data % ALIGNMENT + offset
    result = memory[start : start + nbytes].view("float32")
    result[:] = value
    return result


def nothing():
    """The empty Python function without parameters."""


def add(a, b):
    """The callback with two ints."""
    return a + b


class Memory:
    """The blocks that the copies of one case read and write: the same for each rival.

    Where a block lies and how large its pages are makes a difference of several percent.
    """

    def __init__(self, nbytes: int):
        self.nbytes = nbytes

    @cached_property
    def source(self) -> np.ndarray:
        source = ndarray(self.nbytes)
        source[:] = np.arange(1, source.size + 1)
        return source

    @cached_property
    def target_array(self) -> np.ndarray:
        return ndarray(self.nbytes)

    @cached_property
    def filled(self) -> tvmgo.Array:
        return tvmgo.array(self.source)

    @cached_property
    def target(self) -> tvmgo.Array:
        return tvmgo.empty(self.source.shape)

    @cached_property
    def target_view(self) -> np.ndarray:
        return np.from_dlpack(self.target)

    def clear(self) -> None:
        """Forget what a rival has copied."""
        self.target_array[:] = 0
        self.target_view[:] = 0


class World:
    """Names all rivals share; a subclass adds those of one rival."""

    text = TEXT
    data = DATA
    np = np
    start = staticmethod(processes.start)
    private_kib = staticmethod(processes.private_kib)

    def __init__(self, memory: Memory, length: int):
        self.memory = memory
        self.nbytes = memory.nbytes
        self.length = length

    @property
    def source(self):
        return self.memory.source

    @property
    def target_array(self):
        return self.memory.target_array

    @property
    def target_view(self):
        return self.memory.target_view

    @cached_property
    def aligned(self):
        return ndarray(self.nbytes, 4)

    @cached_property
    def aligned2(self):
        return ndarray(self.nbytes, 5)

    @cached_property
    def aligned3(self):
        return ndarray(self.nbytes, 6)

    @cached_property
    def misaligned(self):
        return ndarray(self.nbytes, 4, offset=16)

    @staticmethod
    def catch(function, calls):
        """Call a function that raises ValueError so many times. Return the last message."""
        for _ in range(calls):
            try:
                function()
            except ValueError as error:
                message = error.args
        return message
