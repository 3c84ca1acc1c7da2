# SPDX-License-Identifier: Apache-2.0
"""Columns of Arrow's tables as arrays, on their memory where they lie one after the other; and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from tvmgo.batch.columns import dense, ragged
from tvmgo.exceptions import TVMValueError
from tvmgo.model.errors import TensorShapeError, TensorTypeError


def array_of(name: str, column: pa.ChunkedArray) -> tuple[np.ndarray[Any, Any], bool]:
    """Return the rows of a column, and whether that took a copy.

    Raises
    ------
    ValueError, TypeError
        If rows are missing or of several shapes, or are no numbers.
    """
    chunks = [chunk for chunk in column.chunks if len(chunk)] or [pa.array([], column.type)]
    arrays = [_rows(name, chunk) for chunk in chunks]
    if len(arrays) == 1:
        array = arrays[0]
    else:
        shapes = sorted({array.shape[1:] for array in arrays})
        if len(shapes) > 1:
            raise ragged(name, *shapes[:2])
        array = np.concatenate(arrays)
    return array, len(arrays) > 1 or array.dtype == bool  # Arrow has eight of these in a byte


def _rows(name: str, array: pa.Array) -> np.ndarray[Any, Any]:
    """Return an array of rows."""
    if array.null_count:
        raise TVMValueError(
            f"{name}: expected a value in each row, got {array.null_count} nulls; fill or drop them"
        )
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        shape = getattr(kind, "shape", None)
        if shape is None or any(size is None for size in shape):
            return dense(name, array.to_numpy(zero_copy_only=False), len(array))  # Ray's of several
        if getattr(kind, "permutation", None) not in (None, list(range(len(shape)))):
            return np.asarray(array.to_numpy_ndarray())
        rows = _rows(name, array.storage)
        return rows.reshape(len(array), *shape)
    if pa.types.is_fixed_size_list(kind):
        values = _rows(name, array.flatten())
        return values.reshape(len(array), kind.list_size, *values.shape[1:])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        lengths = np.unique(np.diff(array.offsets.to_numpy()))
        if len(lengths) > 1:
            raise ragged(name, (int(lengths[0]),), (int(lengths[-1]),))
        values = _rows(name, array.flatten())
        return values.reshape(len(array), int(lengths[0]) if len(lengths) else 0, *values.shape[1:])
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise TensorTypeError(name, "numbers", kind)
    return np.asarray(array.to_numpy(zero_copy_only=False))


def column_of(name: str, array: np.ndarray[Any, Any]) -> Any:
    """Return an array as a column: of numbers, or of tensors of one shape.

    Raises
    ------
    TypeError
        If Arrow has no such type.
    """
    try:
        if array.ndim == 1:
            return pa.array(array)
        flat = pa.array(np.ascontiguousarray(array).reshape(-1))
        size = int(np.prod(array.shape[1:]))
        kind = pa.fixed_shape_tensor(flat.type, array.shape[1:])
        return pa.ExtensionArray.from_storage(kind, pa.FixedSizeListArray.from_arrays(flat, size))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise TensorTypeError(name, "a type that Arrow has", array.dtype, str(error)) from error


def table_of(batch: pa.Table, keep: list[str], results: dict[str, Any]) -> pa.Table:
    """Return the columns of a table that are kept, as they are, and new ones beside them.

    Raises
    ------
    ValueError
        If a new one has another number of rows.
    """
    table = batch.select(keep)
    for name, column in results.items():
        if len(column) != batch.num_rows:
            raise TensorShapeError(f"column {name!r}", f"{batch.num_rows} rows", len(column))
        table = table.append_column(name, column)
    return table
