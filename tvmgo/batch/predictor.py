# SPDX-License-Identifier: Apache-2.0
"""A model that takes batches of a table and adds columns to them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, overload

import numpy as np

from tvmgo.batch.columns import (
    MissingColumnError,
    dense,
    fitted,
    input_columns,
    output_columns,
    stacked,
)
from tvmgo.batch.source import opened
from tvmgo.exceptions import TVMTypeError, TVMValueError
from tvmgo.model.arrays import ALIGNMENT
from tvmgo.model.errors import TensorShapeError
from tvmgo.model.model import Model
from tvmgo.model.tensor_info import TensorInfo

__all__ = ["Predictor"]

# What a batch holds by default: enough that its overhead is nothing, and little beside a block of a dataset.
BATCH_BYTES = 8 << 20
MOST_ROWS = 8192


class Predictor:
    """A model for batches of a table: a callable for one thread at a time, which pickles.

    A batch is a dict of NumPy arrays, or an Arrow table; what comes out is of the same kind. Whoever unpickles a
    predictor, in whatever process or on whatever machine, gets the process's one model of the same files, or an
    error if other files are there.

    Parameters
    ----------
    model : path-like or Model
        What `tvmgo.Model.load` takes, or a model, of which the files and the device count. Its parameters are
        mapped, not copied (``private=False``): all processes of a machine have them in memory once, and nobody must
        write to the files.
    columns : mapping, sequence or str, optional
        For each input the name of its column, or a list of names: columns of numbers that are its features, in
        this order, as its last dimension. A sequence has one entry for each input in order. Default: columns that
        are called as the inputs are.
    outputs : mapping, sequence or str, optional
        Which outputs become columns, or a mapping of outputs to names of columns. Default: all, by their names.
    keep : sequence of str, optional
        Which columns of the batch are kept. Default: those that are no inputs.
    threads : int, default 1
        For the kernels.
    batch_size : int, optional
        Of models of which is not known that their rows are independent: how many rows run together. Default: each
        row by itself. Models whose rows are independent run whatever a batch holds, in their exported sizes.

    Raises
    ------
    TVMError, OSError
        If the model cannot be loaded, or has no such inputs or outputs.
    """

    __module__ = "tvmgo.batch"

    def __init__(
        self,
        model: Any,
        columns: Any = None,
        *,
        outputs: Any = None,
        keep: Sequence[str] | None = None,
        threads: int = 1,
        batch_size: int | None = None,
    ) -> None:
        if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
            raise TVMValueError(f"batch_size: expected an int, 1 or more, got {batch_size!r}")
        if keep is not None and not _are_names(keep):
            raise TVMTypeError(f"keep: expected names of columns, got {keep!r}")
        self._model, source = opened(model, threads)
        self._columns = input_columns(columns, self._model.inputs)
        self._outputs = output_columns(outputs, self._model.outputs)
        self._keep = None if keep is None else list(keep)
        self._batch_size = batch_size
        self._together = None if self._model.rows_independent else self._dependent(batch_size)
        self.arguments: dict[str, Any] = {
            "model": source,
            "columns": self._columns,
            "outputs": self._outputs,
            "keep": self._keep,
            "threads": threads,
            "batch_size": batch_size,
        }
        self._copies = 0
        self._read = {
            name
            for given in self._columns.values()
            for name in ((given,) if isinstance(given, str) else given)
        }
        self._check_new_columns(self._keep or ())

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.arguments)

    @property
    def model(self) -> Model:
        """The `tvmgo.Model`."""
        return self._model

    @property
    def copies(self) -> int:
        """How many arrays had to be copied so far on the way from a batch to kernels."""
        return self._copies + self._model.copies

    @property
    def rows(self) -> int:
        """How many rows a batch should have: such that most run in the largest exported size, where they lie."""
        if self._batch_size is not None:
            return self._batch_size
        row_bytes = [_bytes_of_row(info) for info in self._model.inputs]
        many = min(MOST_ROWS, BATCH_BYTES // max(1, sum(row_bytes)))
        step = self._together or max(self._model.batch_sizes)
        # A batch that begins anywhere in a block begins where kernels can read.
        aligned = math.lcm(step, *(ALIGNMENT // math.gcd(ALIGNMENT, n) for n in row_bytes))
        step = aligned if aligned <= many else step
        return max(step, many // step * step)

    def check(self, known: Iterable[str]) -> None:
        """See that a table with such columns can be answered.

        Parameters
        ----------
        known : iterable of str
            The names of its columns.

        Raises
        ------
        KeyError, ValueError
            If one is missing, or would be there twice.
        """
        known = list(known)
        for name, given in self._columns.items():
            for column in (given,) if isinstance(given, str) else given:
                if column not in known:
                    raise MissingColumnError(column, f"columns: input {name!r}", known)
        for column in self._keep or ():
            if column not in known:
                raise MissingColumnError(column, "keep", known)
        self._check_new_columns(self._kept(known))

    def _kept(self, known: Iterable[str]) -> list[str]:
        return (
            [name for name in known if name not in self._read] if self._keep is None else self._keep
        )

    def _check_new_columns(self, kept: Iterable[str]) -> None:
        twice = set(kept) & set((self._outputs or {}).values())
        if twice:
            raise TVMValueError(
                f"outputs: expected names that no column has which is kept, got {sorted(twice)}; "
                f"give others in a mapping"
            )

    @overload
    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]: ...

    @overload
    def __call__(self, batch: Any) -> Any: ...

    def __call__(self, batch: Any) -> Any:
        """Return the columns that are kept, and one for each output.

        Parameters
        ----------
        batch : dict of str to array, or pyarrow.Table, or pyarrow.RecordBatch
            Columns are read where they lie, if their rows lie one after the other; numbers of other types than the
            input's are converted by NumPy's rule ``same_kind``.

        Raises
        ------
        KeyError, ValueError, TypeError
            If a column is missing, has nulls or rows of several shapes, or does not fit; it names the column, what was
            expected and what came.

        Notes
        -----
        Releases the GIL while kernels run.
        """
        if isinstance(batch, Mapping):
            self.check(batch)
            kept = self._kept(batch)
            rows = _rows_of({name: batch[name] for name in (*sorted(self._read), *kept)})
            results = self._answers(
                rows, lambda name: (dense(f"column {name!r}", batch[name], rows), False)
            )
            return {**{name: batch[name] for name in kept}, **results}
        arrow = sys.modules.get("pyarrow")  # whoever has a table has imported it
        if arrow is not None and isinstance(batch, arrow.RecordBatch):
            batch = arrow.Table.from_batches([batch])
        elif arrow is None or not isinstance(batch, arrow.Table):
            raise TVMTypeError(
                f"batch: expected a dict of arrays or an Arrow table, got {type(batch).__name__}"
            )
        from tvmgo.batch.arrow import array_of, table_of

        self.check(batch.column_names)
        results = self._answers(
            batch.num_rows, lambda name: array_of(f"column {name!r}", batch.column(name))
        )
        results = {name: self.column_of(name, array) for name, array in results.items()}
        return table_of(batch, self._kept(batch.column_names), results)

    @staticmethod
    def column_of(name: str, array: Any) -> Any:
        """Return an array as a column of an Arrow table."""
        from tvmgo.batch.arrow import column_of

        return column_of(f"output {name!r}", array)

    def _answers(self, rows: int, read: Callable[[str], tuple[Any, bool]]) -> dict[str, Any]:
        """Return the new columns; `read` gives the rows of a column, and whether it has copied them."""
        if rows == 0:
            return self._nothing()
        inputs, alone = {}, set()
        for info in self._model.inputs:
            given = self._columns[info.name]
            name = f"column {given!r} for input {info.name!r}"
            if isinstance(given, str):
                array, copied = read(given)
            else:
                name = f"columns {list(given)} for input {info.name!r}"
                array, copied = stacked(name, {each: read(each)[0] for each in given}, info), True
            self._copies += copied
            inputs[info.name], by_itself = fitted(name, array, info)
            alone.add(by_itself)
        if len(alone) > 1:
            raise TVMValueError(
                "columns: expected rows to be the first dimension of all inputs or of none, got both"
            )
        results = self._run(inputs, rows, alone == {True})
        wanted = self._outputs or {name: name for name in results}
        return {column: results[name] for name, column in wanted.items()}

    def _nothing(self) -> dict[str, Any]:
        """Return the new columns of no rows."""
        kinds = {info.name: info for info in self._model.outputs if info.dtype is not None}
        return {
            column: np.empty((0, *_row_of(kinds[name])), str(kinds[name].dtype))
            for name, column in (self._outputs or {}).items()
            if name in kinds
        }

    def _dependent(self, batch_size: int | None) -> int:
        """Return how many rows run together, where they may depend on each other."""
        sizes = {info.shape[0] for info in self._model.inputs if info.shape}
        fixed = [n for n in sizes if isinstance(n, int)]
        return max(fixed, default=batch_size or min(self._model.batch_sizes, default=1))

    def _run(self, inputs: Mapping[str, Any], rows: int, alone: bool) -> Mapping[str, Any]:
        if alone:
            each = [self._part(inputs, row) for row in range(rows)]
            return {name: np.stack([part[name] for part in each]) for name in each[0]}
        step = self._together or rows
        fixed = [info for info in self._model.inputs if info.shape and info.shape[0] == step]
        if fixed and rows % step:
            raise TVMValueError(
                f"batch: expected a multiple of {step} rows, for which the model was exported, got {rows}; "
                f"export it with batch=(1, {step}), or drop rows"
            )
        parts = []
        for start in range(0, rows, step):
            part = self._part(inputs, slice(start, start + step))
            size = min(step, rows - start)
            for name, array in part.items():
                if array.shape[:1] != (size,):
                    raise TensorShapeError(f"output {name!r}", f"{size} rows", list(array.shape))
            parts.append(part)
        return _joined(parts)

    def _part(self, inputs: Mapping[str, Any], rows: Any) -> dict[str, Any]:
        part = {name: array[rows] for name, array in inputs.items()}
        return {name: np.asarray(array) for name, array in self._model.run(part).items()}


def _are_names(given: Any) -> bool:
    return (
        isinstance(given, Sequence)
        and all(isinstance(name, str) for name in given)
        and not isinstance(given, str)
    )


def _rows_of(columns: Mapping[str, Any]) -> int:
    """Return how many rows all columns have."""
    rows = None
    for name, column in columns.items():
        try:
            found = len(column)
        except TypeError:
            raise TVMTypeError(f"column {name!r}: expected an array, got {column!r:.60}") from None
        if rows not in (None, found):
            raise TensorShapeError(f"column {name!r}", f"{rows} rows", [found])
        rows = found
    return rows or 0


def _again(kind: type[Predictor], arguments: Mapping[str, Any]) -> Predictor:
    """Return an unpickled predictor."""
    return kind(**arguments)


def _joined(parts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _row_of(info: TensorInfo) -> tuple[int, ...]:
    return tuple(n if isinstance(n, int) else 0 for n in (info.shape or ())[1:])


def _bytes_of_row(info: TensorInfo) -> int:
    if info.dtype is None:
        return 0
    # Where rows have a fixed number, a row of the table may be all of them.
    sizes = [n for n in info.shape or () if isinstance(n, int)]
    return math.prod(sizes) * info.dtype.itemsize
