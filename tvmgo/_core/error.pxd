# SPDX-License-Identifier: Apache-2.0
from tvmgo._core.handle cimport drop
from tvmgo.capi cimport ffi

# The only road from a failed C call to a Python exception: takes the error the call left behind
# and raises it. For calls that can run foreign code, use it right after the call.
cdef inline int check(int code) except -1:
    return 0 if code == 0 else set_native_error()

# Make that error the exception that is set, and return -1. The traceback begins in the caller's
# Python code: a frame for each level of ours would cost more than all the rest.
cdef int set_native_error() noexcept

# Raise the exception that is set already. For callers written like C, which see failures as -1.
cdef inline int raise_pending() except -1:
    return -1

# Forget the error that a call which succeeded has left behind, if any.
cdef inline void forget_stale_error() noexcept nogil:
    cdef void* c_error = NULL
    ffi.TVMFFIErrorMoveFromRaised(&c_error)
    if c_error != NULL:
        drop(c_error)

# The exception an error object stands for. Takes the reference over.
cdef object exception_from_error(void* c_error)

# An error object for a Python exception; carries the exception itself. Owned by the caller.
cdef void* error_from_exception(object exception) except NULL

# Leave `exception` behind as the raised error of a callback. Never fails.
cdef void raise_to_native(object exception) noexcept
