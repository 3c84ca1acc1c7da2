# SPDX-License-Identifier: Apache-2.0
"""Requests of a few rows each, gathered by threads that have them answered together."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from tvmgo.model.errors import ModelClosedError, QueueFullError
from tvmgo.model.forks import reset_in_children
from tvmgo.model.requests.request import Answer, AnswerFuture


class Entry:
    """A request of a thread that waits for the answer: a lock, which costs a tenth of a future."""

    __slots__ = ("_answered", "_result", "arrays", "came", "rows")

    def __init__(self, arrays: Sequence[Any], rows: int) -> None:
        self.arrays = arrays
        self.rows = rows
        self.came = time.monotonic()
        self._result: Answer | BaseException
        self._answered = threading.Lock()
        self._answered.acquire()

    def claim(self) -> bool:
        """Whether it is to be answered."""
        return True

    def end(self, result: Answer | BaseException) -> None:
        """Give it its answer or error, once."""
        self._result = result
        self._answered.release()

    def wait(self) -> Answer:
        """Return the answer, or raise the error."""
        self._answered.acquire()
        if isinstance(self._result, BaseException):
            try:
                raise self._result
            finally:
                del self  # the error's traceback refers to it
        return self._result


class Promise(Entry):
    """A request of who goes on meanwhile."""

    __slots__ = ("future",)

    def __init__(self, arrays: Sequence[Any], rows: int) -> None:
        super().__init__(arrays, rows)
        self.future = AnswerFuture()

    def claim(self) -> bool:
        return self.future.claim()

    def end(self, result: Answer | BaseException) -> None:
        if isinstance(result, BaseException):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


class BatchQueue:
    """Threads, and up to `capacity` requests that wait for them.

    Parameters
    ----------
    run : callable
        Answers a list of entries together.
    threads : int
        How many runs there are at a time.
    max_batch, max_delay, capacity
        As for `Batcher`.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Entry]], list[Answer]],
        threads: int,
        max_batch: int,
        max_delay: float,
        capacity: int,
    ) -> None:
        self._run = run
        self._count = threads
        self._max_batch = max_batch
        self._max_delay = max_delay
        self._capacity = capacity
        self._closed = False
        self.reset()
        reset_in_children(self)
        _queues.add(self)

    def reset(self) -> None:
        """Begin anew, without those who wait: in a child after a fork."""
        # Entered twice where the garbage collector ends a batcher within it.
        self._lock = threading.RLock()
        # What idle threads wait for, the last to come last.
        self._idle: list[threading.Lock] = []
        self._full = threading.Condition(self._lock)  # there are rows for a run, for who gathers
        self._entries: deque[Entry] = deque()
        self._rows = 0
        self._gathers = False
        self._threads: list[threading.Thread] = []

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        with self._lock:
            if self._closed:
                raise ModelClosedError("the batcher is closed")
            if len(self._entries) >= self._capacity:
                raise QueueFullError(f"{self._capacity} requests wait already; try again later")
            self._entries.append(entry)
            self._rows += entry.rows
            # Whoever is woken for nothing costs more than the request.
            if len(self._entries) == 1:
                self._wake()
            elif self._rows >= self._max_batch:
                self._full.notify()

    def _wake(self) -> None:
        """See that a thread looks for requests, best the one whose caches are warm; under the lock.

        Where all have work, the first that has ended it looks.
        """
        if self._idle:
            self._idle.pop().release()
        elif len(self._threads) < self._count:
            name = f"tvmgo-batch-{len(self._threads)}"
            thread = threading.Thread(target=self._serve, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def _wake_all(self) -> None:
        while self._idle:
            self._idle.pop().release()

    def _serve(self) -> None:
        alarm = threading.Lock()
        alarm.acquire()
        while (batch := self._take_batch(alarm)) is not None:
            if batch:
                self._answer(batch)
            del batch  # no longer than its requests are wanted

    def _take_batch(self, alarm: threading.Lock) -> list[Entry] | None:
        """Return requests that are to run together, None when there will be no more."""
        with self._lock:
            while self._gathers or not self._entries:
                if self._closed and not self._entries:
                    return None
                self._idle.append(alarm)
                self._lock.release()
                alarm.acquire()
                self._lock.acquire()
            self._gathers = True
            end = self._entries[0].came + self._max_delay
            while self._rows < self._max_batch and not self._closed:
                left = end - time.monotonic()
                if left <= 0:
                    break
                self._full.wait(left)
            self._gathers = False
            batch: list[Entry] = []
            rows = 0
            while self._entries and (not batch or rows + self._entries[0].rows <= self._max_batch):
                batch.append(self._entries.popleft())
                rows += batch[-1].rows
            self._rows -= rows
            if self._closed:
                self._wake_all()  # they may have waited for this thread to gather
            elif self._entries:
                self._wake()
        return [entry for entry in batch if entry.claim()]

    def _answer(self, batch: Sequence[Entry]) -> None:
        """Run requests together; if that fails each alone, so that errors are their own."""
        try:
            answers = self._run(batch)
        except BaseException as error:
            if len(batch) == 1:
                batch[0].end(error)
                del batch  # the error's traceback refers to it
                return
            for entry in batch:
                self._answer([entry])
            return
        for entry, answer in zip(batch, answers):
            entry.end(answer)

    def end(self) -> None:
        """Take no more requests; the threads end when those that are here are answered."""
        with self._lock:
            self._closed = True
            self._wake_all()
            self._full.notify_all()

    def close(self) -> None:
        """The same, and wait for that."""
        self.end()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()


_queues: weakref.WeakSet[BatchQueue] = weakref.WeakSet()


@atexit.register
def _answer_all() -> None:
    """See that requests are answered before the process ends: the threads are daemons."""
    for queue in list(_queues):
        queue.close()
