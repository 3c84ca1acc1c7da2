# SPDX-License-Identifier: Apache-2.0
"""Which columns of a table are a model's inputs, and as arrays of which shape."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tvmgo.exceptions import TVMKeyError, TVMTypeError, TVMValueError
from tvmgo.model.arrays import maker_of
from tvmgo.model.errors import TensorShapeError, TensorTypeError, UnknownNameError
from tvmgo.model.tensor_info import TensorInfo

Columns = Mapping[str, "str | Sequence[str]"]


class MissingColumnError(TVMKeyError):
    """The table has no such column; a `KeyError`."""

    def __init__(self, name: str, argument: str, known: Iterable[str]) -> None:
        super().__init__(name, argument, tuple(known))
        self.name, self.argument, self.known = name, argument, tuple(known)

    def __str__(self) -> str:
        return (
            f"{self.argument}: expected a column of the table, which has "
            f"{', '.join(map(repr, self.known)) or 'none'}, got {self.name!r}"
        )


def input_columns(columns: Any, inputs: Sequence[TensorInfo]) -> dict[str, str | tuple[str, ...]]:
    """Return for each input its column, or the columns of numbers that are its features.

    Parameters
    ----------
    columns : mapping, sequence, str or None
        By name, or one for each input in order; None: those that are called as the inputs are.
    inputs : sequence of TensorInfo

    Raises
    ------
    KeyError, TypeError, ValueError
        If they are not the model's inputs.
    """
    names = [info.name for info in inputs]
    if columns is None:
        return {name: name for name in names}
    if isinstance(columns, str):
        columns = [columns]
    if isinstance(columns, Mapping):
        for name in columns:
            if name not in names:
                raise UnknownNameError("input", name, names)
        missing = [name for name in names if name not in columns]
        if missing:
            raise TVMValueError(f"columns: expected one for each input, got none for {missing}")
        pairs = [(name, columns[name]) for name in names]
    elif isinstance(columns, Sequence):
        if len(columns) != len(names):
            raise TVMValueError(
                f"columns: expected one for each input, {names}, got {len(columns)}; features of one input "
                f"are a list in a mapping: {{{names[0]!r}: [...]}}"
            )
        pairs = list(zip(names, columns))
    else:
        raise TVMTypeError(
            f"columns: expected a mapping of names of inputs to columns, or a sequence, got {type(columns).__name__}"
        )
    return {name: _checked(name, given) for name, given in pairs}


def _checked(name: str, given: Any) -> str | tuple[str, ...]:
    if isinstance(given, str):
        return given
    if isinstance(given, Sequence) and given and all(isinstance(each, str) for each in given):
        return tuple(given)
    raise TVMTypeError(
        f"columns: input {name!r}: expected the name of a column, or a sequence of names, got {given!r}"
    )


def output_columns(outputs: Any, known: Sequence[TensorInfo]) -> dict[str, str] | None:
    """Return for each output that is wanted the column it becomes; None: all, by their names.

    Parameters
    ----------
    outputs : mapping, sequence, str or None
        Of names of outputs to names of columns, or names of outputs.
    known : sequence of TensorInfo
        The model's; empty if nothing tells what they are before a run.

    Raises
    ------
    KeyError, TypeError, ValueError
        If there is no such output, or two become one column.
    """
    names = [info.name for info in known]
    if outputs is None:
        return {name: name for name in names} or None
    if isinstance(outputs, str):
        outputs = [outputs]
    if not isinstance(outputs, Mapping):
        if not isinstance(outputs, Sequence) or isinstance(outputs, bytes):
            raise TVMTypeError(
                f"outputs: expected names of outputs, or a mapping of them to columns, got {outputs!r}"
            )
        outputs = {name: name for name in outputs}
    for name, column in outputs.items():
        if names and name not in names:
            raise UnknownNameError("output", name, names)
        if not isinstance(column, str):
            raise TVMTypeError(f"outputs: {name!r}: expected the name of a column, got {column!r}")
    if len(set(outputs.values())) < len(outputs):
        raise TVMValueError(f"outputs: expected a column for each, got {outputs}")
    return dict(outputs)


def dense(name: str, column: Any, rows: int) -> np.ndarray[Any, Any]:
    """Return a column of a batch that is a dict of arrays of so many rows.

    Raises
    ------
    ValueError, TypeError
        If its rows have several shapes, or are no numbers.
    """
    array = np.asarray(column)
    if array.dtype == object:
        try:
            array = np.stack([np.asarray(row) for row in array])
        except ValueError:
            shapes = sorted({np.shape(row) for row in array})
            raise ragged(name, *shapes[:2]) from None
    if array.dtype.kind in "OUSMmc":
        raise TensorTypeError(name, "numbers", array.dtype)
    if array.shape[:1] != (rows,):
        raise TensorShapeError(name, f"{rows} rows", list(array.shape))
    return array


def ragged(name: str, first: object, second: object) -> TensorShapeError:
    return TensorShapeError(
        name, "rows of one shape", f"{first} and {second}", "pad them, or group rows by their shape"
    )


def stacked(name: str, columns: Mapping[str, Any], info: TensorInfo) -> Any:
    """Return columns of numbers as the last dimension of one array, of the input's type: the one copy that it takes.

    Raises
    ------
    ValueError, TypeError
        If one has more than a number in a row, or they cannot be converted.
    """
    arrays = list(columns.values())
    if info.dtype is None:
        raise TVMTypeError(
            f"{name}: expected one column, since nothing tells the input's type, got {len(arrays)}"
        )
    target = maker_of((len(arrays[0]), len(arrays)), info.dtype)()
    for place, (column, array) in enumerate(columns.items()):
        if array.ndim != 1:
            raise TensorShapeError(
                f"column {column!r}", "a number in each row", list(array.shape[1:])
            )
        try:
            np.copyto(target[:, place], array, casting="same_kind")
        except TypeError:
            raise TensorTypeError(f"column {column!r}", info.dtype, array.dtype) from None
    return target


def fitted(name: str, array: Any, info: TensorInfo) -> tuple[Any, bool]:
    """Return a column as the model's input, and whether each row of it is an input of its own.

    Raises
    ------
    TensorShapeError
        If a row has another shape than the input asks for.
    """
    if info.shape is None:
        return array, False
    row = array.shape[1:]
    if _takes(info.shape[1:], row) and info.shape:
        return array, False
    if _takes(info.shape, row):
        return array, True
    wanted = info.shape[1:]
    flat = len(row) < 2 and all(isinstance(n, int) for n in wanted)
    if flat and info.shape and math.prod(wanted) == math.prod(row):
        return array.reshape(len(array), *wanted), False  # lists have no shape of their own
    raise TensorShapeError(name, f"rows of {list(wanted)}", list(row))


def _takes(shape: Sequence[int | str], row: Sequence[int]) -> bool:
    return len(shape) == len(row) and all(n == m or isinstance(n, str) for n, m in zip(shape, row))
