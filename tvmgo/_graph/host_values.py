# SPDX-License-Identifier: Apache-2.0
"""What users give for inputs and outputs, as tensors of the graph's element types."""

from __future__ import annotations

import numbers
from typing import Any

from tvmgo._core.array import Array, array, from_dlpack
from tvmgo._core.dtype import DType
from tvmgo._core.function import Function
from tvmgo.exceptions import TVMBufferError, TVMTypeError


def is_key(key: Any) -> bool:
    """Whether it names an input or output: an index or a name."""
    return isinstance(key, (int, str, numbers.Integral))


def as_type(value: Any, dtype: DType) -> Any:
    """Return `value` as an Array or a writable ndarray of this element type.

    It is converted if NumPy calls that a cast of the same kind, and not copied without need.
    """
    import numpy

    if hasattr(type(value), "__dlpack__") and not isinstance(value, (Array, numpy.ndarray)):
        try:
            value = from_dlpack(value)  # numpy.asarray() would make an object of it
        except TVMBufferError:
            value = array(value)  # read-only memory cannot be lent to a function
        if value.dtype == dtype:
            return value
    values = numpy.asarray(value)
    wanted = dtype.numpy
    if values.dtype != wanted:
        try:
            values = values.astype(wanted, casting="same_kind")
        except TypeError as error:
            raise TVMTypeError(f"value: {error}") from None
    return values if values.flags.writeable else values.copy()


def copy_out(function: Function, key: Any, out: Any) -> Any:
    """Have an executor function copy a tensor to `out`, (key, tensor), and return that."""
    if not hasattr(out, "__dlpack__"):
        raise TVMTypeError(
            f"out: expected an Array, a NumPy array or an object with __dlpack__, "
            f"got {type(out).__name__}"
        )
    function(key, from_dlpack(out))
    return out
