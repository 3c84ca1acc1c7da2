# SPDX-License-Identifier: Apache-2.0
"""Calls of functions with tensors that they cannot take as they are: kernels those that they cannot
work on where they are, callbacks those that are gone when the call returns.

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
cdef TVMFFISafeCallType copies_call = NULL
cdef TVMFFISafeCallType owned_call = NULL


cdef void use_calls_with_copies(TVMFFISafeCallType copies, TVMFFISafeCallType owned) noexcept:
    global copies_call, owned_call
    copies_call, owned_call = copies, owned


cdef int call_staged(const Entry* entry, const TVMFFIAny* c_args, int32_t count,
                     TVMFFIAny* result) except -1:
    cdef TVMGoCallee callee
    cdef Entry staged
    callee.call = entry.call
    callee.self = entry.self
    staged.call = copies_call
    staged.self = &callee
    staged.keeps_gil = entry.keeps_gil
    return call_native(&staged, c_args, count, result)


cdef int call_with_owned(TVMFFISafeCallType call, void* self, const TVMFFIAny* c_args,
                         int32_t count, TVMFFIAny* result) noexcept nogil:
    cdef TVMGoCallee callee
    callee.call = call
    callee.self = self
    return owned_call(&callee, c_args, count, result)
