# SPDX-License-Identifier: Apache-2.0
"""What users give, as arrays like a model's input, and new arrays for its outputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tvmgo._core.array import Array, empty
from tvmgo._core.dtype import DType
from tvmgo._graph.host_values import as_type, lendable
from tvmgo.exceptions import TVMError, TVMOverflowError, TVMValueError
from tvmgo.model.errors import TensorShapeError, TensorTypeError
from tvmgo.model.tensor_info import TensorInfo

# Kernels work on memory at such addresses; new arrays of more bytes than these are worth one.
ALIGNMENT = 64
WORTH_ALIGNING = 16 << 10


class Input:
    """Makes of what a user gives an array that is like one input.

    Whether its sizes fit those that have names is for others to see.
    """

    __slots__ = ("dtype", "info", "numpy_dtype", "shape")

    def __init__(self, info: TensorInfo) -> None:
        self.info = info
        self.shape = info.shape
        self.dtype = info.dtype
        self.numpy_dtype = None if info.dtype is None else info.dtype.numpy

    def take(self, value: Any) -> Any:
        """Return the array for what `is_like` does not take: on its memory if possible, else a copy.

        Raises
        ------
        TensorShapeError, TensorTypeError
            If it cannot be made.
        OverflowError
            If an integer does not fit.
        """
        array = self._converted(value)
        if not self.info.takes(array.shape):
            raise TensorShapeError(self._name, list(self.shape or ()), list(array.shape))
        return self._writable(array)

    @property
    def _name(self) -> str:
        return f"input {self.info.name!r}"

    def _converted(self, value: Any) -> Any:
        if value is None or isinstance(value, str | bytes):
            raise TensorTypeError(self._name, "an array", repr(value)[:40])
        if self.dtype is None:
            return value if isinstance(value, Array) else np.asarray(value)
        memory = memory_of(value)
        if memory is not None and memory.dtype == self.numpy_dtype:  # read-only, or not an ndarray
            return memory
        try:
            return as_type(value, self.dtype, self.info.name)
        except TVMOverflowError:
            raise
        except (TVMError, TypeError, ValueError) as error:
            kind = getattr(value, "dtype", None) or type(value).__name__
            raise TensorTypeError(self._name, self.dtype, kind, str(error)) from error

    @staticmethod
    def _writable(array: Any) -> Any:
        """The same memory, as if it could be written to: kernels only read their inputs."""
        if isinstance(array, Array) or array.flags.writeable:
            return array
        return lendable(array)[0]


def is_copy(array: Any, value: Any) -> bool:
    """Whether what `Input.take` has made of a value has memory of its own."""
    if array is value:
        return False
    memory = memory_of(value)
    if memory is None:  # what has DLPack is an Array now, if it was not copied
        return not (hasattr(type(value), "__dlpack__") and isinstance(array, Array))
    return not np.may_share_memory(np.asarray(array), memory)


def memory_of(value: Any) -> Any:
    """Return an ndarray on the memory of an ndarray or a buffer; None for others."""
    if isinstance(value, np.ndarray):
        return value
    try:
        return np.asarray(memoryview(value))
    except (TypeError, ValueError):
        return None


def check_output(info: TensorInfo, shape: tuple[int, ...], value: Any) -> Any:
    """Return a user's array, in which an output is to be written.

    Raises
    ------
    TensorShapeError, TensorTypeError
        If it is not like the output, or cannot be written to.
    """
    name = f"out: output {info.name!r}"
    if not isinstance(value, np.ndarray | Array):
        raise TensorTypeError(name, "a NumPy array or an Array", type(value).__name__)
    if DType(value.dtype) != info.dtype:
        raise TensorTypeError(name, info.dtype, value.dtype)
    if tuple(value.shape) != shape:
        raise TensorShapeError(name, list(shape), list(value.shape))
    if isinstance(value, np.ndarray) and not value.flags.writeable:
        raise TVMValueError(
            f"{name}: expected an array that can be written to, got a read-only one"
        )
    return value


def zeros(info: TensorInfo) -> Any:
    """Return an array of zeros like an input, for runs whose results nobody wants."""
    if info.shape is None or info.dtype is None or any(isinstance(n, str) for n in info.shape):
        raise TVMValueError(f"input {info.name!r}: a call decides its shape or type: {info}")
    return np.zeros(info.shape, info.dtype.numpy)


def maker_of(shape: tuple[int, ...], dtype: DType) -> Callable[[], Any]:
    """Return what makes new arrays like one output, of unknown contents.

    They are ndarrays, or Arrays where NumPy has no such element type; large ones lie where kernels
    can write to them.
    """
    try:
        numpy_dtype = dtype.numpy
    except TypeError:
        return partial(empty, shape, dtype)
    nbytes = dtype.itemsize * math.prod(shape)
    if nbytes < WORTH_ALIGNING:
        return partial(np.empty, shape, numpy_dtype)
    return partial(_aligned, shape, numpy_dtype, nbytes)


def _aligned(shape: tuple[int, ...], dtype: np.dtype[Any], nbytes: int) -> Any:
    memory = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + nbytes].view(dtype).reshape(shape)
