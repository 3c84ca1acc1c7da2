# SPDX-License-Identifier: Apache-2.0
"""Calls of compiled functions with arrays that they cannot work on where they are.

The copies are made in C++, see cxx/tensor/aligned_copies.h.
"""
from libc.stdint cimport int32_t

from tvmgo._core.native_call cimport Entry, call_native
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFISafeCallType

cdef extern from "tensor/call_with_copies.h":
    ctypedef struct TVMGoCallee:
        TVMFFISafeCallType call
        void* self


# Set by `native`, which has the C++ and is imported later.
cdef TVMFFISafeCallType call_with_copies = NULL


cdef void use_call_with_copies(TVMFFISafeCallType call) noexcept:
    global call_with_copies
    call_with_copies = call


cdef int call_staged(const Entry* entry, const TVMFFIAny* c_args, int32_t count,
                     TVMFFIAny* result) except -1:
    cdef TVMGoCallee callee
    cdef Entry staged
    callee.call = entry.call
    callee.self = entry.self
    staged.call = call_with_copies
    staged.self = &callee
    staged.keeps_gil = entry.keeps_gil
    return call_native(&staged, c_args, count, result)
