# SPDX-License-Identifier: Apache-2.0
"""States of a model, each of which serves one request at a time, and who waits for one.

Compiled, because between two steps of Python a signal's handler may raise: Ctrl-C would lose the
state that was just taken, and soon all of them. Here that happens only while a state runs, while
a thread waits, and while a state or a thread is made. Nothing else here gives the GIL away, so that
no lock is needed.

A thread that finds a state runs its request itself. One that does not leaves its request in the
queue, which threads of ours work off: were it woken with a state, the system would often put it
on the processor that another request keeps busy, while the one of the state idles. A runner goes
on to the next request without sleeping; who is woken has its answer.
"""
import os
import threading
from collections import deque
from contextvars import copy_context

cimport cython
from cpython.pythread cimport PyThread_get_thread_ident

from tvmgo.exceptions import TVMBusyError

REST = 1.0  # seconds without work, after which a runner ends


@cython.final
cdef class Waiter:
    """A thread in the queue, its request, and what becomes of it.

    Without arguments it wants a state for itself; it gets one, too, if no runner is there.
    """

    cdef StatePool pool
    cdef tuple args
    cdef object context
    cdef object lock
    cdef object state
    cdef object runner  # the thread that has begun to run the request
    cdef object result
    cdef object error
    cdef bint is_done

    def __cinit__(self, StatePool pool, tuple args):
        self.pool = pool
        self.args = args
        self.context = None if args is None else copy_context()
        self.lock = threading.Lock()
        self.lock.acquire()

    cdef run_on(self, state):
        self.runner = state.owner
        try:
            self.result = self.context.run(state.run, *self.args)
        except BaseException as error:
            self.error = error
        self.is_done = True
        self.lock.release()

    cdef answer(self):
        if self.error is not None:
            raise self.error
        return self.result

    cdef wait_for_end(self):
        """Wait until nothing works on the caller's arrays any more, whatever comes."""
        while not self.is_done:
            try:
                self.lock.acquire()
            except BaseException:  # another Ctrl-C
                pass

    cdef list awaited(self):
        """Return the threads of which one must go on before this one does; 0 for an unknown one."""
        cdef StatePool pool = self.pool
        if self.runner is not None:
            return [self.runner]
        owners = [state.owner for state in pool.states]
        return owners + [0] * (pool.limit - len(owners))

    cdef bint is_stuck(self) except -1:
        """Whether this one waits, in the end, for itself alone: all who could help it wait, too."""
        cdef Waiter waiter
        stuck = [self]
        for waiter in stuck:
            for thread in waiter.awaited():
                other = waiting.get(thread)
                if other is None:
                    return False
                if other not in stuck:
                    stuck.append(other)
        return True


@cython.final
cdef class Runner:
    """A thread that runs requests of pools whose states are taken. It belongs to none of them."""

    cdef object lock
    cdef StatePool pool
    cdef object state

    def __cinit__(self):
        self.lock = threading.Lock()
        self.lock.acquire()

    cdef give(self, StatePool pool, state):
        """Let it work off the queue of a pool with one of its states."""
        self.pool = pool
        self.state = state
        self.lock.release()

    def serve(self):
        """Do that until there was nothing to do for a while."""
        global one_is_started
        cdef StatePool pool
        one_is_started = False  # from now on it is known by what it does
        while self.has_work():
            pool, state = self.pool, self.state
            self.pool = self.state = None
            pool.work_off(state)
            pool = state = None  # they are not kept alive by a thread that rests

    cdef bint has_work(self) except -1:
        resting.append(self)
        if not self.lock.acquire(True, REST):
            if self in resting:
                resting.remove(self)
                return False
            self.lock.acquire()
        return True


@cython.final
cdef class StatePool:
    """Up to `limit` states, made when they are needed.

    Requests that find all taken are served in the order in which they came, by threads of the
    process's own, as many as there are states at most. A thread that has a state already, because
    an operator of its run calls the model again, gets an error instead of waiting for itself; so do
    threads that wait for each other in this way.

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
    cdef Py_ssize_t run_by_runners
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
        self.run_by_runners = 0
        self.states = []

    @property
    def waiting(self):
        """How many requests wait for a state."""
        return len(self.waiters)

    def run(self, *args):
        """Have a state run with these arguments, as soon as there is one.

        Raises
        ------
        TVMBusyError
            If the calling thread would wait for itself.
        """
        cdef Waiter waiter
        if self.waiters or not self.free:
            waiter = Waiter(self, args)
            state = self.take_or_wait(waiter)
            if state is None:
                return waiter.answer()
        else:
            state = self.free.pop()
        state.owner = PyThread_get_thread_ident()
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
        state = self.take_or_wait(Waiter(self, None))
        state.owner = PyThread_get_thread_ident()
        return state

    cpdef give(self, state):
        """Give a state back."""
        state.owner = 0
        if self.waiters:
            self.pass_on(state)
        else:
            self.free.append(state)

    cdef pass_on(self, state):
        """Have a runner work off the queue, or let the first who waits have the state."""
        cdef Waiter waiter = self.waiters[0]
        if waiter.args is not None and resting:
            self.run_by_runners += 1
            (<Runner>resting.pop()).give(self, state)
        else:
            self.waiters.popleft()
            waiter.state = state
            waiter.lock.release()

    cdef work_off(self, state):
        """Run what waits, in a runner's thread."""
        cdef Waiter waiter
        state.owner = PyThread_get_thread_ident()
        while self.waiters and (<Waiter>self.waiters[0]).args is not None:
            waiter = self.waiters.popleft()
            waiter.run_on(state)
            waiter = None
        self.run_by_runners -= 1
        self.give(state)

    cdef take_or_wait(self, Waiter waiter):
        """Return a state, or None if a runner has answered the request."""
        while True:
            if not self.waiters and self.free:
                return self.free.pop()
            if len(self.states) + self.being_made < self.limit:
                return self.new()
            self.waiters.append(waiter)
            self.wait(waiter)
            if waiter.is_done or waiter.state is not None:
                return waiter.state
            # A state was to be made meanwhile, and could not.

    cdef wait(self, Waiter waiter):
        me = PyThread_get_thread_ident()
        waiting[me] = waiter
        try:
            if waiter.is_stuck():
                raise TVMBusyError(
                    "the model waits for itself: this call comes from an operator of a run that "
                    "has the last of its states; load it with a larger concurrency"
                )
            if waiter.args is not None and self.run_by_runners < self.limit:
                see_to_a_runner()
            waiter.lock.acquire()
        except BaseException:
            if waiter in self.waiters:
                self.waiters.remove(waiter)
            elif waiter.runner is not None:
                waiter.wait_for_end()
            elif waiter.state is not None:
                self.give(waiter.state)
            else:
                self.let_next_make_one()
            raise
        finally:
            waiting.pop(me, None)

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


cdef dict waiting = {}  # threads, and what each waits with
cdef list resting = []  # runners
cdef bint one_is_started = False


cdef see_to_a_runner():
    """Have one rest, unless the system allows no more threads."""
    global one_is_started
    if resting or one_is_started:
        return
    one_is_started = True
    try:
        threading.Thread(target=Runner().serve, name="tvmgo-runner", daemon=True).start()
    except Exception:  # who waits will be woken with a state
        one_is_started = False
    except BaseException:  # Ctrl-C
        one_is_started = False
        raise


def reset():
    """Forget all threads: those of the parent, in a child after a fork."""
    global one_is_started
    waiting.clear()
    resting.clear()
    one_is_started = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=reset)
