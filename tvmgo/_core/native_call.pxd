# SPDX-License-Identifier: Apache-2.0
# The one place where Python leaves for a function of the runtime that may run for long.
from libc.stdint cimport int32_t

from tvmgo._core.error cimport forget_stale_error, set_native_error
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFISafeCallType


# How to get into a function; what TVMFFIFunctionCall would look up.
cdef struct Entry:
    TVMFFISafeCallType call
    void* self                  # what `call` wants first; borrowed
    bint keeps_gil


# Enter a function with the cells as they are and leave its result, owned, in `result`, which must
# have been cleared. Foreign code may take long, block, or call back from other threads: it runs
# without the GIL unless the user said of this function that it does none of these.
#
# A function may leave an error behind although it succeeds, by calling one that fails and going on.
# It is forgotten at once, lest it seem the reason of a later function that fails without giving
# one. Where the GIL is kept, that would be a sixth of the call's cost; `Function.release_gil` says
# what its user has to know.
#
# The name in C is for libtvm_ffi: an error's backtrace ends where a name begins so, and each frame
# more is a tenth of the cost of raising one.
cdef inline int call_native "TVMFFIFunctionCallNative"(
        const Entry* entry, const TVMFFIAny* cells, int32_t count, TVMFFIAny* result) except -1:
    cdef int code
    if entry.keeps_gil:
        code = entry.call(entry.self, cells, count, result)
    else:
        with nogil:
            code = entry.call(entry.self, cells, count, result)
        if code == 0:
            forget_stale_error()
    return 0 if code == 0 else set_native_error()


# The same, without Cython's test of the result: for callers that see to failures themselves.
ctypedef int (*quiet_call)(const Entry* entry, const TVMFFIAny* cells, int32_t count,
                           TVMFFIAny* result) noexcept
