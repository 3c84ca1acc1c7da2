# SPDX-License-Identifier: Apache-2.0
"""States of a model, each of which serves one request at a time, and who waits for one.

Compiled, because between two steps of Python a signal's handler may raise: Ctrl-C would lose the
state that was just taken, and soon all of them. Here that happens only while a state runs, while
a thread waits, and while a state is made. Nothing else here gives the GIL away, so that no lock is
needed.
"""
import os
import threading
from collections import deque

cimport cython
from cpython.pythread cimport PyThread_get_thread_ident

from tvmgo.exceptions import TVMBusyError


@cython.final
cdef class Waiter:
    """A thread in the queue, and what it was given."""

    cdef object state
    cdef object lock

    def __cinit__(self):
        self.lock = threading.Lock()
        self.lock.acquire()


@cython.final
cdef class StatePool:
    """Up to `limit` states, made when they are needed.

    Threads that find all taken are served in the order in which they came. One that has a state
    already, because an operator of its run calls the model again, gets an error instead of waiting
    for itself; so do threads that wait for each other in this way.

    Parameters
    ----------
    make : callable
        Makes a state: an object with a method `run` and an attribute `owner`, the thread that has
        it, 0 for none.
    limit : int
    """

    cdef object make
    cdef object free
    cdef object waiters
    cdef Py_ssize_t being_made
    cdef object __weakref__
    cdef readonly Py_ssize_t limit
    cdef readonly list states

    def __init__(self, make, Py_ssize_t limit):
        self.make = make
        self.limit = limit
        self.reset()

    def reset(self):
        """Forget all states and who waits: those of the parent, in a child after a fork."""
        self.free = deque()
        self.waiters = deque()
        self.being_made = 0
        self.states = []

    @property
    def waiting(self):
        """How many threads wait for a state."""
        return len(self.waiters)

    def run(self, *args):
        """Have a state run with these arguments, as soon as there is one.

        Raises
        ------
        TVMBusyError
            If the calling thread would wait for itself.
        """
        state = self.take()
        try:
            return state.run(*args)
        finally:
            self.give(state)

    def run_each(self, work):
        """Call ``work(state)`` with each of all states, of which none serves others meanwhile."""
        taken = []
        try:
            for _ in range(self.limit):
                taken.append(self.take())
                work(taken[-1])
        finally:
            for state in taken:
                self.give(state)

    cpdef take(self):
        """Return a state for the calling thread alone, which gives it back."""
        state = self.take_or_wait() if self.waiters or not self.free else self.free.pop()
        state.owner = PyThread_get_thread_ident()
        return state

    cpdef give(self, state):
        """Give a state back."""
        cdef Waiter waiter
        state.owner = 0
        if self.waiters:
            waiter = self.waiters.popleft()
            waiter.state = state
            waiter.lock.release()
        else:
            self.free.append(state)

    cdef take_or_wait(self):
        cdef Waiter waiter
        while True:
            waiter = Waiter()
            if not self.waiters and self.free:
                return self.free.pop()
            if len(self.states) + self.being_made < self.limit:
                return self.new()
            self.waiters.append(waiter)
            try:
                self.wait(waiter)
            except BaseException:
                if waiter.state is not None:
                    self.give(waiter.state)
                elif waiter in self.waiters:
                    self.waiters.remove(waiter)
                else:
                    self.let_next_make_one()
                raise
            if waiter.state is not None:
                return waiter.state
            # A state was to be made meanwhile, and could not.

    cdef wait(self, Waiter waiter):
        me = PyThread_get_thread_ident()
        waiting[me] = self
        try:
            if self.depends_on(me, set()):
                raise TVMBusyError(
                    "the model waits for itself: this call comes from an operator of a run that "
                    "has the last of its states; load it with a larger concurrency"
                )
            waiter.lock.acquire()
        finally:
            waiting.pop(me, None)

    cdef bint depends_on(self, thread, seen) except -1:
        """Whether no state can come back before `thread` goes on."""
        cdef StatePool awaited
        if self in seen:
            return True
        seen = seen | {self}
        if len(self.states) != self.limit:
            return False
        for state in self.states:
            owner = state.owner
            if owner == thread:
                continue
            awaited = waiting.get(owner)  # None for 0, which is no thread
            if awaited is None or not awaited.depends_on(thread, seen):
                return False
        return True

    cdef new(self):
        self.being_made += 1
        try:
            state = self.make()
        except BaseException:
            self.let_next_make_one()
            raise
        finally:
            self.being_made -= 1
        self.states.append(state)
        return state

    cdef let_next_make_one(self):
        if self.waiters:
            (<Waiter>self.waiters.popleft()).lock.release()


cdef dict waiting = {}  # threads, and for which pool

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=waiting.clear)
