# SPDX-License-Identifier: Apache-2.0
"""Requests and the futures of their answers."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeAlias

from tvmgo.exceptions import TVMError, TVMTypeError, TVMValueError
from tvmgo.model.forks import reset_in_children

if TYPE_CHECKING:
    import numpy.typing as npt

LEAST_CLEARED = 64  # deadlines
MOST_SECONDS = 1e8  # three years; what waits takes no more than 292, and ends with an error beyond

# What `run` returns: arrays by the names of outputs.
Answer: TypeAlias = "dict[str, npt.NDArray[Any]]"


class AnswerFuture(Future[Answer]):
    """A future that nobody waits for in vain: in a forked child it ends with an error."""

    def __init__(self) -> None:
        super().__init__()
        self._claims = itertools.count()
        reset_in_children(self)

    def claim(self) -> bool:
        """Whether the caller is the one who ends it: the first, and it is not cancelled."""
        return next(self._claims) == 0 and self.set_running_or_notify_cancel()

    def cancel(self) -> bool:
        is_cancelled = super().cancel()
        if is_cancelled:
            self.claim()  # so that who waits for several futures learns of it at once
        return is_cancelled

    def reset(self) -> None:
        """End it, in a child after a fork: the threads that would answer are the parent's."""
        self._condition = threading.Condition()  # one of these may have had it
        self._done_callbacks: list[Any] = []  # they tell the parent's clients
        if not self.done():
            text = "the process was forked after this request: its parent has the answer"
            self.set_exception(TVMError(text))


class Request(AnswerFuture):
    """Work that a thread will do, unless it is cancelled or its time is over before.

    Parameters
    ----------
    work : callable
        It goes when the request begins or ends, with the arrays it holds.
    leave : callable
        Called with the request when it waits no longer, maybe more than once.
    """

    def __init__(self, work: Callable[[], Answer], leave: Callable[[Request], object]) -> None:
        super().__init__()
        self._work: Callable[[], Answer] | None = work
        self._leave = leave

    @property
    def waits(self) -> bool:
        """Whether it may still begin."""
        return self._work is not None

    def cancel(self) -> bool:
        is_cancelled = super().cancel()
        if is_cancelled:
            self._work = None
            self._leave(self)
        return is_cancelled

    def _begin(self) -> Callable[[], Answer] | None:
        """Return the work to the first who asks, if it is not cancelled."""
        if not self.claim():
            return None
        work, self._work = self._work, None
        self._leave(self)
        return work

    def serve(self) -> None:
        work = self._begin()
        if work is None:
            return
        try:
            result = work()
        except BaseException as error:
            self.set_exception(error)
            del self, work  # the error's traceback refers to them
        else:
            self.set_result(result)

    def time_out(self, seconds: float) -> None:
        if self._begin() is not None:
            text = f"the request has not begun within {seconds:g} s"
            self.set_exception(TimeoutError(text))


class Deadlines:
    """Ends requests that have not begun when their time is over, by a thread while there are any."""

    def __init__(self) -> None:
        self.reset()
        reset_in_children(self)

    def reset(self) -> None:
        """Forget all requests: in a child after a fork they have ended."""
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, weakref.ref[Request], float]] = []
        self._number = itertools.count()
        self._most = LEAST_CLEARED
        self._watches = False

    def add(self, request: Request, seconds: float) -> None:
        item = (time.monotonic() + seconds, next(self._number), weakref.ref(request), seconds)
        with self._changed:
            heapq.heappush(self._heap, item)
            if len(self._heap) > self._most:  # most have begun long before their time
                self._heap = [each for each in self._heap if _waiting(each[2]) is not None]
                heapq.heapify(self._heap)
                self._most = max(LEAST_CLEARED, 2 * len(self._heap))
            if not self._watches:
                threading.Thread(target=self._watch, name="tvmgo-deadlines", daemon=True).start()
                self._watches = True
            elif self._heap[0] is item:
                self._changed.notify()

    def _watch(self) -> None:
        while True:
            with self._changed:
                if not self._heap:
                    self._watches = False
                    return
                at, _, reference, seconds = self._heap[0]
                left = at - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
                heapq.heappop(self._heap)
            request = _waiting(reference)
            if request is not None:
                request.time_out(seconds)
            del request  # before the next wait


def _waiting(reference: weakref.ref[Request]) -> Request | None:
    request = reference()
    return request if request is not None and request.waits else None


deadlines = Deadlines()


def check_seconds(name: str, value: float | None) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TVMTypeError(f"{name}: expected seconds, got {type(value).__name__}")
    if not 0 < value <= MOST_SECONDS:
        raise TVMValueError(
            f"{name}: expected more than 0 and at most {MOST_SECONDS:g} seconds, got {value}"
        )
