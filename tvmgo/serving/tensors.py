# SPDX-License-Identifier: Apache-2.0
"""Tensors of the Open Inference Protocol, as NumPy arrays on the memory of the message where there is one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tvmgo.exceptions import TVMOverflowError, TVMTypeError, TVMValueError
from tvmgo.model.errors import TensorShapeError, TensorTypeError
from tvmgo.model.tensor_info import TensorInfo

# Raw contents are little-endian, whatever the machine.
DATATYPES = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
_NAMES = {str(dtype): name for name, dtype in DATATYPES.items()}
# Of which kinds NumPy may find what is given for an element of a kind: "u" and "i" are integers.
_KINDS = {"b": "b", "u": "ui", "i": "ui", "f": "uif"}


def datatypes_of(tensors: Iterable[TensorInfo]) -> dict[str, str]:
    """Return the protocol's name for the element type of each input or output.

    Raises
    ------
    TypeError
        If one has a type that the protocol has not, or that nothing tells.
    """
    datatypes = {}
    for info in tensors:
        datatype = _NAMES.get(str(info.dtype))
        if datatype is None:
            raise TVMTypeError(
                f"{info.name}: expected an element type that the protocol has, got {info.dtype}"
            )
        datatypes[info.name] = datatype
    return datatypes


def metadata_of(tensors: Iterable[TensorInfo]) -> list[dict[str, Any]]:
    """Return what the protocol tells of inputs or outputs; sizes that a call decides are -1."""
    tensors = tuple(tensors)
    datatypes = datatypes_of(tensors)
    return [
        {
            "name": info.name,
            "datatype": datatypes[info.name],
            "shape": [n if isinstance(n, int) else -1 for n in info.shape or (-1,)]
            if info.shape != ()
            else [],
        }
        for info in tensors
    ]


def array_of(
    name: str, datatype: str, shape: Sequence[int], data: Any, raw: Any = None
) -> np.ndarray[Any, Any]:
    """Return a tensor of a message.

    Parameters
    ----------
    name, datatype, shape
        As the message has them.
    data : sequence, nested or not
        The elements; ignored if there is `raw`.
    raw : buffer, optional
        Their bytes. The array is on this memory, read-only, at whatever address.

    Raises
    ------
    TensorTypeError, TensorShapeError, OverflowError
        If it is no tensor. Nothing is rounded to integers, cut off or taken for another kind.
    """
    where = f"input {name!r}"
    dtype = DATATYPES.get(datatype)
    if dtype is None:
        raise TensorTypeError(where, "one of " + ", ".join(DATATYPES), repr(datatype)[:40])
    if any(type(n) is not int or n < 0 for n in shape) or len(shape) > 32:
        raise TensorShapeError(where, "sizes", repr(list(shape))[:80])
    count = math.prod(shape)
    if raw is not None:
        if len(raw) != count * dtype.itemsize:
            raise TensorShapeError(where, f"{count * dtype.itemsize} bytes", f"{len(raw)} bytes")
        array = np.frombuffer(raw, dtype) if count else np.empty(0, dtype)
    else:
        array = _elements(where, dtype, data)
        if array.size != count:
            raise TensorShapeError(where, f"{count} elements", f"{array.size} elements")
    return array.reshape(shape)


def _elements(where: str, dtype: np.dtype[Any], data: Any) -> np.ndarray[Any, Any]:
    try:
        found = np.asarray(data)
    except (ValueError, OverflowError):
        raise TensorShapeError(where, "rows of equal length", "others") from None
    if found.size == 0:
        return np.empty(found.shape, dtype)
    if found.dtype.kind not in _KINDS[dtype.kind]:
        # Integers beyond 64 bits are objects or floats by now.
        raise TensorTypeError(where, f"elements of {dtype}", f"some that are {found.dtype}")
    if dtype.kind in "ui":
        limits = np.iinfo(dtype)
        if int(found.min()) < limits.min or int(found.max()) > limits.max:
            raise TVMOverflowError(f"{where}: expected elements of {dtype}, got one out of range")
    try:
        with np.errstate(over="raise"):
            return found.astype(dtype, copy=False)
    except FloatingPointError:
        raise TVMOverflowError(
            f"{where}: expected elements of {dtype}, got one out of range"
        ) from None


def unique(named: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return a mapping of pairs whose names differ."""
    values: dict[str, Any] = {}
    for name, value in named:
        if name in values:
            raise TVMValueError(f"input {name!r}: got two values")
        values[name] = value
    return values


def checked_datatypes(given: Mapping[str, str], known: Mapping[str, str]) -> None:
    """See that inputs which the model has are sent as what they are.

    Raises
    ------
    TensorTypeError
    """
    for name, datatype in given.items():
        if known.get(name, datatype) != datatype:
            raise TensorTypeError(f"input {name!r}", known[name], datatype)
