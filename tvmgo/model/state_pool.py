# SPDX-License-Identifier: Apache-2.0
"""States of a model, each of which serves one request at a time, and who waits for one."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from tvmgo.exceptions import TVMBusyError
from tvmgo.model.forks import reset_in_children


class Owned(Protocol):
    """What the pool knows of a state: the thread that has it, 0 for none."""

    owner: int


_State = TypeVar("_State", bound=Owned)


class _Waiter(Generic[_State]):
    """A thread in the queue, and what it was given."""

    def __init__(self) -> None:
        self.state: _State | None = None
        self.lock = threading.Lock()
        self.lock.acquire()


class StatePool(Generic[_State]):
    """Up to `limit` states, made when they are needed.

    Threads that find all taken are served in the order in which they came. One that has a state
    already, because an operator of its run calls the model again, gets an error instead of waiting
    for itself; so do threads that wait for each other in this way.
    """

    def __init__(self, make: Callable[[], _State], limit: int) -> None:
        self._make = make
        self.limit = limit
        self.reset()
        reset_in_children(self)

    def reset(self) -> None:
        """Forget all states and who waits: those of the parent, in a child after a fork."""
        self._lock = threading.Lock()
        self._free: deque[_State] = deque()
        self._waiters: deque[_Waiter[_State]] = deque()
        self._being_made = 0
        self.states: list[_State] = []

    @property
    def waiting(self) -> int:
        """How many threads wait for a state."""
        return len(self._waiters)

    def take(self) -> _State:
        """Return a state for the calling thread alone.

        Raises
        ------
        TVMBusyError
            If it would wait for itself.
        """
        # Between these two calls another thread may take or give; `_take_or_wait` looks again.
        if not self._waiters:
            try:
                state = self._free.pop()
            except IndexError:
                state = self._take_or_wait()
        else:
            state = self._take_or_wait()
        state.owner = threading.get_ident()
        return state

    def give(self, state: _State) -> None:
        """Give a state back."""
        state.owner = 0
        self._free.append(state)
        # In this order: who comes between finds the state, who came before is seen.
        if self._waiters:
            self._serve()

    def _serve(self) -> None:
        with self._lock:
            while self._waiters and self._free:
                waiter = self._waiters.popleft()
                waiter.state = self._free.pop()
                waiter.lock.release()

    def _take_or_wait(self) -> _State:
        waiter: _Waiter[_State] = _Waiter()
        with self._lock:
            if not self._waiters and self._free:
                return self._free.pop()
            may_make = len(self.states) + self._being_made < self.limit
            if may_make:
                self._being_made += 1
            else:
                self._waiters.append(waiter)
        if may_make:
            return self._new()
        try:
            self._wait(waiter)
        except BaseException:
            with self._lock:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
            if waiter.state is not None:
                self.give(waiter.state)
            raise
        # None: a state was to be made meanwhile, and could not.
        return self._take_or_wait() if waiter.state is None else waiter.state

    def _wait(self, waiter: _Waiter[_State]) -> None:
        me = threading.get_ident()
        _waiting[me] = self
        try:
            if self._depends_on(me, set()):
                raise TVMBusyError(
                    "the model waits for itself: this call comes from an operator of a run that "
                    "has the last of its states; load it with a larger concurrency"
                )
            self._serve()  # a state may have come back before we stood in the queue
            waiter.lock.acquire()
        finally:
            _waiting.pop(me, None)

    def _depends_on(self, thread: int, seen: set[int]) -> bool:
        """Whether no state can come back before `thread` goes on."""
        if id(self) in seen:
            return True
        seen = seen | {id(self)}
        owners = [state.owner for state in self.states]
        return len(owners) == self.limit and all(
            owner != 0
            and (
                owner == thread or (owner in _waiting and _waiting[owner]._depends_on(thread, seen))
            )
            for owner in owners
        )

    def _new(self) -> _State:
        made = None
        try:
            made = self._make()
        finally:
            with self._lock:
                self._being_made -= 1
                if made is not None:
                    self.states.append(made)
                elif self._waiters:
                    self._waiters.popleft().lock.release()
        return made


_waiting: dict[int, StatePool] = {}  # type: ignore[type-arg]  # threads, and for which pool

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_waiting.clear)
