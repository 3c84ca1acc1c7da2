# SPDX-License-Identifier: Apache-2.0
"""What users give for inputs and outputs, as tensors of the graph's element types."""

from __future__ import annotations

import numbers
from typing import Any

from tvmgo._core.array import Array, array, from_dlpack
from tvmgo._core.dtype import DType
from tvmgo._core.fitting import fit_integers
from tvmgo._core.function import Function
from tvmgo.exceptions import TVMBufferError, TVMTypeError


def is_key(key: Any) -> bool:
    """Whether it names an input or output: an index or a name."""
    return isinstance(key, (int, str, numbers.Integral))


def as_type(value: Any, dtype: DType, key: Any) -> Any:
    """Return `value` as an Array or a writable ndarray of this element type.

    It is converted if NumPy calls that a cast of the same kind, or if it is of integers that fit,
    and not copied without need. `key` is the input that it is for.
    """
    import numpy

    if hasattr(type(value), "__dlpack__") and not isinstance(value, (Array, numpy.ndarray)):
        try:
            value = from_dlpack(value)  # numpy.asarray() would make an object of it
        except TVMBufferError:
            value = array(value)  # read-only memory cannot be lent to a function
        if value.dtype == dtype:
            return value
    wanted = dtype.numpy
    values = fit_integers(value, wanted, f"value: input '{key}'")
    if values.dtype != wanted:
        try:
            values = values.astype(wanted, casting="same_kind")
        except TypeError as error:
            raise TVMTypeError(f"value: {error}") from None
    return values if values.flags.writeable else values.copy()


class _Memory:
    """The memory of an ndarray, as NumPy sees that of other objects, and as if it were writable."""

    def __init__(self, array: Any) -> None:
        self.array = array
        address, _read_only = array.__array_interface__["data"]
        self.__array_interface__ = {**array.__array_interface__, "data": (address, False)}


def lendable(value: Any) -> tuple[Any, bool]:
    """Return what shows the memory of `value` to a function, and whether it must not be written."""
    import numpy

    if isinstance(value, Array):
        return value, False
    if not isinstance(value, numpy.ndarray):
        try:
            if not hasattr(type(value), "__dlpack__"):
                value = numpy.asarray(memoryview(value))
            else:
                return from_dlpack(value), False
        except TVMBufferError:  # read-only memory
            value = numpy.from_dlpack(value)
        except TypeError:
            return value, False  # the function that gets it says what it wants
    if value.flags.writeable:
        return value, False
    return numpy.asarray(_Memory(value)).view(value.dtype), True


def copy_out(function: Function, key: Any, out: Any) -> Any:
    """Have an executor function copy a tensor to `out`, (key, tensor), and return that."""
    if not hasattr(out, "__dlpack__"):
        raise TVMTypeError(
            f"out: expected an Array, a NumPy array or an object with __dlpack__, "
            f"got {type(out).__name__}"
        )
    function(key, from_dlpack(out))
    return out
