# SPDX-License-Identifier: Apache-2.0
"""Requests of a few rows each, which run together."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import numpy as np

from tvmgo.exceptions import TVMTypeError, TVMValueError
from tvmgo.model.closing import ClosesItself
from tvmgo.model.errors import TensorShapeError
from tvmgo.model.model import Model
from tvmgo.model.requests.batch_queue import BatchQueue, Entry, Promise
from tvmgo.model.requests.request import Answer, check_seconds
from tvmgo.model.requests.request_queue import CAPACITY

__all__ = ["Batcher"]

DELAY = 0.002  # seconds

_Entry = TypeVar("_Entry", bound=Entry)


class Batcher(ClosesItself):
    """Merges requests that come at the same time into runs of more rows.

    For models whose rows are independent, as ``export(..., batch=...)`` has shown. A context manager, which closes it.

    Parameters
    ----------
    model : Model
        It may be called directly as well.
    max_batch : int, optional
        How many rows run together at most. Default: the largest size of the export.
    max_delay : float, default 0.002
        How many seconds a request waits for others at most. With 0 it runs with those that are
        there.
    capacity : int, default 1024
        How many requests may wait.

    Raises
    ------
    ValueError
        If the rows of the model are not independent, as far as is known.

    Notes
    -----
    `max_delay` is waited only while a thread of the batcher has nothing else to do; under load
    requests gather while earlier ones run.
    """

    __module__ = "tvmgo"

    def __init__(
        self,
        model: Model,
        *,
        max_batch: int | None = None,
        max_delay: float = DELAY,
        capacity: int = CAPACITY,
    ) -> None:
        if not isinstance(model, Model):
            raise TVMTypeError(f"model: expected a Model, got {type(model).__name__}")
        if max_delay != 0:
            check_seconds("max_delay", max_delay)
        for name, value in (("max_batch", max_batch), ("capacity", capacity)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise TVMValueError(f"{name}: expected an int, 1 or more, got {value!r}")
        _require_rows(model)
        self._model = model
        self.max_batch = max_batch or max(model.batch_sizes)
        self.max_delay = max_delay
        self.capacity = capacity
        self._queue = BatchQueue(
            lambda batch: run_together(model, batch),
            model.concurrency,
            self.max_batch,
            max_delay,
            capacity,
        )
        # Who is not closed ends with the last reference to it; `BatchQueue` sees to exits.
        weakref.finalize(self, self._queue.end).atexit = False

    @property
    def queued(self) -> int:
        """How many requests wait for their run to begin."""
        return len(self._queue)

    def __call__(self, inputs: Mapping[str, Any]) -> Answer:
        """Answer a request of one or more rows, as `Model.run` does.

        Parameters
        ----------
        inputs : mapping of str to array-like
            A value for each input, with the same number of rows.

        Returns
        -------
        dict of str to numpy.ndarray
            So many rows of each output: parts of arrays that all requests of a run share.

        Raises
        ------
        QueueFullError
            If as many wait as may.
        TVMError
            As `Model.run`; errors of one request are not those of others.
        ModelClosedError
            If the batcher or the model is closed.

        Notes
        -----
        Releases the GIL while it waits and while kernels run. For any number of threads.
        """
        return self._add(Entry, inputs).wait()

    def submit(self, inputs: Mapping[str, Any]) -> Future[Answer]:
        """The same without waiting: what is wrong with `inputs` is raised here, the rest by the future.

        It can be cancelled until its run begins. Do not change `inputs` before the answer is there.
        """
        return self._add(Promise, inputs).future

    def _add(self, kind: type[_Entry], inputs: Mapping[str, Any]) -> _Entry:
        """Put a request into the queue."""
        serving = self._model._open()
        arrays = serving.values_of((), inputs)
        rows = {array.shape[0] for array in arrays}
        if len(rows) != 1:
            raise TensorShapeError("inputs", "equal numbers of rows", sorted(rows))
        entry = kind(arrays, rows.pop())
        self._queue.add(entry)
        return entry

    async def run_async(self, inputs: Mapping[str, Any]) -> Answer:
        """Await an answer, as a call gives it; the event loop goes on meanwhile.

        Parameters, errors and all else as for a call: a full queue is an error here, too.
        """
        from asyncio import wrap_future  # it takes as long to import as all of tvmgo

        return await wrap_future(self.submit(inputs))

    def close(self) -> None:
        """Take no more requests, and wait for the answers of those that are here, without the GIL.

        The model stays open. Closing twice does no harm.
        """
        self._queue.close()


def _require_rows(model: Model) -> None:
    """See that every input and output has rows, and that they are independent."""
    if not model.rows_independent:
        raise TVMValueError(
            "model: expected one whose rows are independent, as export(..., batch=(1, 8, 32)) "
            f"makes it, got {model!r}"
        )


def run_together(model: Model, batch: Sequence[Entry]) -> list[Answer]:
    """Return the answers of requests that one run gives."""
    serving = model._open()
    if len(batch) == 1:
        arrays = batch[0].arrays
    else:
        columns = zip(*(entry.arrays for entry in batch))
        arrays = [np.concatenate(list(map(np.asarray, column))) for column in columns]
    results = serving.by_name(serving.request(arrays))
    rows = sum(entry.rows for entry in batch)
    for name, result in results.items():
        if result.shape[:1] != (rows,):
            raise TensorShapeError(f"output {name!r}", f"{rows} rows", list(result.shape))
    answers, start = [], 0
    for entry in batch:
        part = slice(start, start + entry.rows)
        answers.append({name: result[part] for name, result in results.items()})
        start += entry.rows
    return answers
