# SPDX-License-Identifier: Apache-2.0
# capi/callback_object.h: declarations only.
from tvmgo.capi.ffi cimport TVMFFISafeCallType

cdef extern from "capi/callback_object.h" nogil:
    ctypedef struct TVMGoCallback:
        void* callable
    TVMGoCallback* TVMGoNewCallback(void* callable, TVMFFISafeCallType entry,
                                    void (*deleter)(void* self, int flags) noexcept)
