# SPDX-License-Identifier: Apache-2.0
"""Requests of a few rows each, which run together."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from tvmgo.exceptions import TVMTypeError, TVMValueError
from tvmgo.model.closing import ClosesItself
from tvmgo.model.errors import ModelClosedError, QueueFullError, TensorShapeError
from tvmgo.model.forks import reset_in_children
from tvmgo.model.model import Model
from tvmgo.model.request_queue import CAPACITY, check_seconds

__all__ = ["Batcher"]

DELAY = 0.002  # seconds


class _Entry:
    """A request: its arrays, and where its answer goes."""

    __slots__ = ("arrays", "came", "future", "rows")

    def __init__(self, arrays: Sequence[Any], rows: int) -> None:
        self.arrays = arrays
        self.rows = rows
        self.came = time.monotonic()
        self.future: Future[dict[str, Any]] = Future()


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
        self.reset()
        reset_in_children(self)

    def reset(self) -> None:
        """Begin anew, without those who wait: in a child after a fork."""
        self._lock = threading.Lock()
        self._some = threading.Condition(self._lock)  # there is a request, and nobody gathers
        self._full = threading.Condition(self._lock)  # there are rows for a run, for who gathers
        self._entries: deque[_Entry] = deque()
        self._rows = 0
        self._gathers = False
        self._threads: list[threading.Thread] = []
        self._closed = False

    @property
    def queued(self) -> int:
        """How many requests wait for their run to begin."""
        return len(self._entries)

    def __call__(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request of one or more rows, as `Model.run` does.

        Raises
        ------
        QueueFullError
            If as many wait as may.
        TVMError
            As `Model.run`; errors of one request are not those of others.
        """
        return self.submit(inputs).result()

    def submit(self, inputs: Mapping[str, Any]) -> Future[dict[str, Any]]:
        """The same without waiting; the future can be cancelled until its run begins."""
        serving = self._model._open()
        arrays = serving.values_of((), inputs)
        rows = {array.shape[0] for array in arrays}
        if len(rows) != 1:
            raise TensorShapeError("inputs", "equal numbers of rows", sorted(rows))
        entry = _Entry(arrays, rows.pop())
        with self._lock:
            if self._closed:
                raise ModelClosedError("the batcher is closed")
            if len(self._entries) >= self.capacity:
                raise QueueFullError(f"{self.capacity} requests wait already; try again later")
            self._entries.append(entry)
            self._rows += entry.rows
            if not self._threads:
                self._start()
            # Whoever is woken for nothing costs more than the request.
            if len(self._entries) == 1:
                self._some.notify()
            elif self._rows >= self.max_batch:
                self._full.notify()
        return entry.future

    async def run_async(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Await an answer; the event loop goes on meanwhile. A full queue is an error here, too."""
        from asyncio import wrap_future  # it takes as long to import as all of tvmgo

        return await wrap_future(self.submit(inputs))

    def _start(self) -> None:
        for number in range(self._model.concurrency):
            thread = threading.Thread(
                target=_serve, args=(self,), name=f"tvmgo-batch-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def take_batch(self) -> list[_Entry] | None:
        """Return requests that are to run together, None when there will be no more."""
        with self._lock:
            while self._gathers or not self._entries:
                if self._closed and not self._entries:
                    return None
                self._some.wait()
            self._gathers = True
            end = self._entries[0].came + self.max_delay
            while self._rows < self.max_batch and not self._closed:
                left = end - time.monotonic()
                if left <= 0:
                    break
                self._full.wait(left)
            self._gathers = False
            batch: list[_Entry] = []
            rows = 0
            while self._entries and (not batch or rows + self._entries[0].rows <= self.max_batch):
                batch.append(self._entries.popleft())
                rows += batch[-1].rows
            self._rows -= rows
            if self._entries or self._closed:
                self._some.notify()
        return [entry for entry in batch if entry.future.set_running_or_notify_cancel()]

    def answer(self, batch: Sequence[_Entry]) -> None:
        """Run requests together; if that fails each alone, so that errors are their own."""
        try:
            answers = self._run(batch)
        except BaseException as error:
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            for entry in batch:
                self.answer([entry])
            return
        for entry, answer in zip(batch, answers):
            entry.future.set_result(answer)

    def _run(self, batch: Sequence[_Entry]) -> list[dict[str, Any]]:
        serving = self._model._open()
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

    def close(self) -> None:
        """Take no more requests, and wait for the answers of those that are here."""
        with self._lock:
            self._closed = True
            self._some.notify_all()
            self._full.notify_all()
        for thread in self._threads:
            thread.join()


def _serve(batcher: Batcher) -> None:
    while (batch := batcher.take_batch()) is not None:
        if batch:
            batcher.answer(batch)


def _require_rows(model: Model) -> None:
    """See that every input and output has rows, and that they are independent."""
    if not model.rows_independent:
        raise TVMValueError(
            "model: expected one whose rows are independent, as export(..., batch=(1, 8, 32)) "
            f"makes it, got {model!r}"
        )
