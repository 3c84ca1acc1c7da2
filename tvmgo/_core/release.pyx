# SPDX-License-Identifier: Apache-2.0
"""How native code gives Python objects back: in any thread, until Python ends.

A thread that waits for the GIL while Python ends is ended by pthread_exit. Where the runtime drops
its last reference to an object that happens inside a C++ destructor, which must not be left in this
way: the process would abort. So from the end on objects are left alone, and the end waits for
threads that are at it.
"""
import atexit
import os
import time

from libc.stdint cimport int32_t

from tvmgo.capi.gil cimport TVMGoEnterPython, TVMGoGil, TVMGoLeavePython
from tvmgo.capi.python cimport Py_IsInitialized

cdef extern from * nogil:
    int32_t add "__atomic_add_fetch"(int32_t* counter, int32_t by, int order)
    int32_t load "__atomic_load_n"(int32_t* counter, int order)
    void store "__atomic_store_n"(int32_t* counter, int32_t to, int order)
    enum: __ATOMIC_SEQ_CST

# How long a finaliser may take that runs at the end in another thread.
MOST_SECONDS = 1.0

cdef int32_t dropping = 0  # threads
cdef int32_t ended = False


cdef void release_without_gil(void* self, int flags, Deleter deleter) noexcept nogil:
    cdef TVMGoGil gil
    if not Py_IsInitialized():
        return
    add(&dropping, 1, __ATOMIC_SEQ_CST)  # before looking: `_end` does these in the other order
    if not load(&ended, __ATOMIC_SEQ_CST):
        gil = TVMGoEnterPython()
        deleter(self, flags)
        TVMGoLeavePython(gil)
    add(&dropping, -1, __ATOMIC_SEQ_CST)


def _end():
    store(&ended, True, __ATOMIC_SEQ_CST)
    latest = time.monotonic() + MOST_SECONDS
    while load(&dropping, __ATOMIC_SEQ_CST) > 0 and time.monotonic() < latest:
        time.sleep(0.001)


def _forget_threads():
    store(&dropping, 0, __ATOMIC_SEQ_CST)


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
