# SPDX-License-Identifier: Apache-2.0
"""The owned reference to a runtime object (tvm-ffi: ``TVMFFIObjectIncRef``, ``...DecRef``).

The only module that raises or lowers a reference count, and that counts what is alive.
"""
import time

cimport cython
from cpython.object cimport PyTypeObject
from cpython.pythread cimport PyThread_get_thread_ident

from tvmgo.capi cimport ffi
from tvmgo.capi.dlpack cimport SESSION_STEP, DLTensor
from tvmgo.capi.pytype cimport TVMGoNameType, TVMGoSealType
from tvmgo._native.forks import call_around_forks


def live_objects():
    """Return how many runtime resources Python keeps alive at the moment.

    Returns
    -------
    dict of str to int
        ``handles``: references held by `Array`, `Function`, `Module`, `Value` and `Object`;
        ``callbacks``: Python callables the runtime can call;
        ``buffers``: Python buffers lent to the runtime as tensors.

    Notes
    -----
    For leak tests: the numbers before and after a piece of work must be equal.
    """
    return {"handles": live.handles, "callbacks": live.callbacks, "buffers": live.buffers}


@cython.freelist(64)  # an Array lives as short as the call it is the result of
cdef class Object:
    """An object owned by the runtime, held by one strong reference.

    Base of `Array`, `Function` and `Module`. An instance of this very class is a runtime object
    of a type that tvmgo has no class for; it can be kept and passed on, nothing else. Two wrappers
    are equal when they hold the same runtime object.
    """

    def __init__(self, *args, **kwargs):
        # Factories leave __init__ out.
        raise TypeError(f"{type(self).__name__} objects are made by tvmgo's functions, "
                        f"not by calling the class")

    def __dealloc__(self):
        cdef void* c_handle = self.c_handle
        if c_handle == NULL:
            return
        self.c_handle = NULL
        count_handles(-1)
        if not is_host_tensor(c_handle) and is_last_reference(c_handle):
            # The deleter of a module or function may unload a library or join worker threads, or
            # ask another machine to free something; with the GIL held, one that waits for a thread
            # running Python would never return.
            global releasing
            if answering and PyThread_get_thread_ident() in answering:
                deferred.append(<size_t>c_handle)
                return
            while forking != 0 and forking != PyThread_get_thread_ident():
                time.sleep(1e-4)
            releasing += 1
            with nogil:
                drop(c_handle)
            releasing -= 1
            if deferred:
                release_deferred()
        else:
            drop(c_handle)

    def __eq__(self, other):
        if not isinstance(other, Object):
            return NotImplemented
        return self.c_handle == (<Object>other).c_handle

    def __hash__(self):
        return hash(<size_t>self.c_handle)

    def __repr__(self):
        if self.c_handle == NULL:
            return "<tvmgo.Object of nothing>"
        cdef const ffi.TVMFFITypeInfo* info = ffi.TVMFFIGetTypeInfo(type_index(self.c_handle))
        key = info.type_key.data[:info.type_key.size].decode()
        return f"<tvmgo.{type(self).__name__} {key} at {<size_t>self.c_handle:#x}>"


# Threads that answer what the runtime asks other machines, as it does when it frees what is there.
# They must not wait for that themselves, which garbage collection could have them do; others do it.
cdef set answering = set()
cdef list deferred = []


def answer_here(bint begins):
    """Say that this thread answers the runtime from now on, or does no more."""
    if begins:
        answering.add(PyThread_get_thread_ident())
    else:
        answering.discard(PyThread_get_thread_ident())


def release_deferred():
    """Release what threads that answer the runtime were to release."""
    cdef size_t address
    while deferred:
        address = deferred.pop()
        with nogil:
            drop(<void*>address)


cdef inline bint is_host_tensor(void* c_handle) noexcept:
    """Whether it is a tensor in this machine's memory, the CPU's or a device's."""
    return (type_index(c_handle) == ffi.kTVMFFITensor
            and <int>(<DLTensor*>cell(c_handle)).device.device_type < SESSION_STEP)


# How many threads are in a deleter, without the GIL, and which one forks, 0 for none: a child in
# which a library is half unloaded cannot load another. Not those that `release` counts: they come
# from native code, wait for the GIL, and may fork in a finaliser.
cdef int releasing = 0
cdef unsigned long forking = 0


def before_fork():
    """Wait for deleters; not for long, as it may be one of them that forks."""
    global forking
    for _ in range(20_000):
        if releasing <= 0:
            break
        time.sleep(1e-4)
    forking = PyThread_get_thread_ident()


def after_fork_in_parent():
    global forking
    forking = 0


def after_fork_in_child():
    global forking, releasing
    forking = releasing = 0
    answering.clear()  # those threads are the parent's


call_around_forks(before_fork, after_fork_in_parent, after_fork_in_child)


# Set by `interop`, which this module must not import.
cdef object exporter = None


def use_tvm_ffi_exporter(f):
    """Take the function that hands objects to tvm_ffi."""
    global exporter
    exporter = f


cdef object to_tvm_ffi(Object self):
    return exporter(self)


cdef Object wrap_owned(void* c_handle):
    cdef Object self = Object.__new__(Object)
    adopt_owned(self, c_handle)
    return self


TVMGoSealType(<PyTypeObject*>Object)
TVMGoNameType(<PyTypeObject*>Object, b"tvmgo.Object")
