# SPDX-License-Identifier: Apache-2.0
"""Requests that wait for their turn while whoever sent them goes on."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from tvmgo.model.errors import ModelClosedError, QueueFullError
from tvmgo.model.forks import reset_in_children
from tvmgo.model.requests.request import Answer, Request, check_seconds, deadlines

if TYPE_CHECKING:
    import asyncio  # else where it is needed: it takes as long to import as all of tvmgo

CAPACITY = 1024


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
        self._closed = False
        self.reset()
        reset_in_children(self)

    def reset(self) -> None:
        """Begin anew: in a child after a fork the threads and who waits are gone."""
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: set[Request] = set()
        # Coroutines that wait for a place.
        self._standing: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    def submit(self, work: Callable[[], Answer], timeout: float | None = None) -> Future[Answer]:
        """Have a thread do the work.

        Raises
        ------
        QueueFullError
            If as many wait as may.
        """
        check_seconds("timeout", timeout)
        request = Request(work, self._leave)
        try:
            with self._lock:
                if self._closed:
                    raise ModelClosedError("the model is closed")
                if len(self._waiting) >= self._capacity:
                    raise QueueFullError(f"{self._capacity} requests wait already; try again later")
                self._waiting.add(request)
                if self._pool is None:
                    self._pool = ThreadPoolExecutor(self._threads, "tvmgo-request")
                pool = self._pool
            if timeout is not None:
                deadlines.add(request, timeout)
            pool.submit(request.serve)
        except BaseException as error:
            request.cancel()
            if isinstance(error, RuntimeError) and "shutdown" in str(error):
                raise ModelClosedError("the model is closed, or the process ends") from None
            raise
        return request

    def _leave(self, request: Request) -> None:
        with self._lock:
            if request not in self._waiting:
                return
            self._waiting.remove(request)
        self._offer_place()

    def _offer_place(self) -> None:
        """Tell the next coroutine that waits for a place, if there is one."""
        while True:
            with self._lock:
                if not self._standing or len(self._waiting) >= self._capacity:
                    return
                loop, place = self._standing.popleft()
            try:
                loop.call_soon_threadsafe(_take, place)
            except RuntimeError:  # the loop is closed, and nobody waits there
                continue
            return

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
            if len(self._waiting) < self._capacity:  # one has left meanwhile
                return
            self._standing.append((loop, place))
        try:
            await asyncio.wait_for(place, seconds)
        except BaseException as error:
            with self._lock:
                if (loop, place) in self._standing:
                    self._standing.remove((loop, place))
            if place.done() and not place.cancelled():
                self._offer_place()
            if not isinstance(error, asyncio.TimeoutError):
                raise

    def close(self) -> None:
        """Take no more, and wait for those that are here."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True)


def _take(place: asyncio.Future[None]) -> None:
    if not place.done():
        place.set_result(None)
