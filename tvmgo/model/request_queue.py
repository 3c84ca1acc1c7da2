# SPDX-License-Identifier: Apache-2.0
"""Requests that wait for their turn while whoever sent them goes on."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tvmgo.exceptions import TVMTypeError, TVMValueError
from tvmgo.model.errors import ModelClosedError, QueueFullError
from tvmgo.model.forks import reset_in_children

if TYPE_CHECKING:
    import asyncio  # else where it is needed: it takes as long to import as all of tvmgo

CAPACITY = 1024
LEAST_CLEARED = 64  # deadlines

Answer = dict[str, Any]


class RequestQueue:
    """Threads that serve requests, and up to `capacity` requests that wait for them.

    Parameters
    ----------
    threads : int
        How many requests are served at a time.
    """

    def __init__(self, threads: int, capacity: int = CAPACITY) -> None:
        self._threads = threads
        self._capacity = capacity
        self.reset()
        reset_in_children(self)

    def reset(self) -> None:
        """Begin anew: in a child after a fork the threads and who waits are gone."""
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._deadlines: Deadlines | None = None
        self._closed = False
        self.waiting = 0
        # Coroutines that wait for a place.
        self._standing: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()

    def submit(self, work: Callable[[], Answer], timeout: float | None = None) -> Future[Answer]:
        """Have a thread do the work.

        Raises
        ------
        QueueFullError
            If as many wait as may.
        """
        check_seconds("timeout", timeout)
        with self._lock:
            if self._closed:
                raise ModelClosedError("the model is closed")
            if self.waiting >= self._capacity:
                raise QueueFullError(f"{self._capacity} requests wait already; try again later")
            self.waiting += 1
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, "tvmgo-request")
            if timeout is not None and self._deadlines is None:
                self._deadlines = Deadlines()
            pool, deadlines = self._pool, self._deadlines
        request = Request(work, self._leave)
        try:
            pool.submit(request.serve)
        except BaseException as error:
            request.future.cancel()
            if isinstance(error, RuntimeError) and "shutdown" in str(error):
                raise ModelClosedError("the model is closed, or the process ends") from None
            raise
        if timeout is not None and deadlines is not None:
            deadlines.add(request, timeout)
        return request.future

    def _leave(self) -> None:
        with self._lock:
            self.waiting -= 1
            if self._standing:
                loop, place = self._standing.popleft()
            else:
                return
        try:
            loop.call_soon_threadsafe(_offer, place)
        except RuntimeError:  # the loop is closed, and nobody waits there
            self._pass_on()

    def _pass_on(self) -> None:
        with self._lock:
            self.waiting += 1
        self._leave()

    async def run_async(self, work: Callable[[], Answer], timeout: float | None = None) -> Answer:
        """Await the work; for a place in the queue as well."""
        import asyncio

        check_seconds("timeout", timeout)
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError(f"the request has not begun within {timeout} s")
            try:
                return await asyncio.wrap_future(self.submit(work, left))
            except QueueFullError:
                await self._stand(left)

    async def _stand(self, seconds: float | None) -> None:
        import asyncio

        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        with self._lock:
            if self.waiting < self._capacity:  # one has left meanwhile
                return
            self._standing.append((loop, place))
        try:
            await asyncio.wait_for(place, seconds)
        except BaseException as error:
            with self._lock:
                if (loop, place) in self._standing:
                    self._standing.remove((loop, place))
            if place.done() and not place.cancelled():
                self._pass_on()
            if not isinstance(error, asyncio.TimeoutError):
                raise

    def close(self) -> None:
        """Take no more, and wait for those that are here."""
        with self._lock:
            self._closed = True
            pool, deadlines = self._pool, self._deadlines
            self._pool = self._deadlines = None
        if pool is not None:
            pool.shutdown(wait=True)
        if deadlines is not None:
            deadlines.close()


class Request:
    """Work, and the future of its result.

    Parameters
    ----------
    work : callable
    leave : callable
        Called once, when the request waits no longer.
    """

    def __init__(self, work: Callable[[], Answer], leave: Callable[[], None]) -> None:
        self.future: Future[Answer] = Future()
        self._work: Callable[[], Answer] | None = work
        self._claims = itertools.count()
        self._leaves = itertools.count()
        self._leave = leave
        # Weak: in a cycle, arrays that nobody wants any more would wait for the garbage collector.
        known = weakref.ref(self)

        def end(_: object) -> None:  # as one that was cancelled, perhaps
            request = known()
            if request is not None:
                request._leave_once()
                request._work = None  # it may stay in the pool's queue, its arrays not

        self.future.add_done_callback(end)

    def _leave_once(self) -> None:
        if next(self._leaves) == 0:
            self._leave()

    def claim(self) -> bool:
        """Whether the caller is the one who ends the future: the first, and it is not cancelled."""
        return next(self._claims) == 0 and self.future.set_running_or_notify_cancel()

    def serve(self) -> None:
        if not self.claim():
            return
        self._leave_once()
        assert self._work is not None
        try:
            result = self._work()
        except BaseException as error:
            self.future.set_exception(error)
            del self  # the same: the error knows this frame
        else:
            self.future.set_result(result)

    def time_out(self, seconds: float) -> None:
        if self.claim():
            text = f"the request has not begun within {seconds:g} s"
            self.future.set_exception(TimeoutError(text))


class Deadlines:
    """A thread that ends requests which have not begun when their time is over."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        # Weak, and cleared of those that are done: most are long before their time is over.
        self._heap: list[tuple[float, int, weakref.ref[Request], float]] = []
        self._most = LEAST_CLEARED
        self._number = itertools.count()
        self._closed = False
        threading.Thread(target=self._watch, name="tvmgo-deadlines", daemon=True).start()

    def add(self, request: Request, seconds: float) -> None:
        with self._changed:
            if len(self._heap) >= self._most:
                self._heap = [item for item in self._heap if item[2]() is not None]
                heapq.heapify(self._heap)
                self._most = max(LEAST_CLEARED, 2 * len(self._heap))
            item = (time.monotonic() + seconds, next(self._number), weakref.ref(request), seconds)
            heapq.heappush(self._heap, item)
            if self._heap[0] is item:
                self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                while self._heap and self._heap[0][0] <= now:
                    _, _, known, seconds = heapq.heappop(self._heap)
                    request = known()
                    if request is not None:
                        request.time_out(seconds)
                        del request
                self._changed.wait(self._heap[0][0] - now if self._heap else None)


def _offer(place: asyncio.Future[None]) -> None:
    if not place.done():
        place.set_result(None)


def check_seconds(name: str, value: float | None) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TVMTypeError(f"{name}: expected seconds, got {type(value).__name__}")
    if not value > 0:
        raise TVMValueError(f"{name}: expected more than 0 seconds, got {value}")
