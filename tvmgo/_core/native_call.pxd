# SPDX-License-Identifier: Apache-2.0
from libc.stdint cimport int32_t

from tvmgo._core.error cimport check, forget_stale_error, set_native_error
from tvmgo._core.handle cimport cell
from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFISafeCallType


# How to get into a function; what TVMFFIFunctionCall would look up.
cdef struct Entry:
    TVMFFISafeCallType call
    void* self                  # what `call` wants first; borrowed
    bint keeps_gil


# Point an entry at the function of a runtime object.
cdef inline void set_entry(Entry* entry, void* c_function) noexcept:
    entry.call = (<ffi.TVMFFIFunctionCell*>cell(c_function)).safe_call
    entry.self = c_function


# Call a function with the arguments as they are and leave its result, owned, in `result`, which
# must have been cleared. Foreign code may take long, block, or call back from other threads: it
# runs without the GIL unless the user said of this function that it does none of these.
#
# A function that succeeds may still leave an error behind: it called another one that failed, and
# went on. That error is forgotten at once. Otherwise, if a later function failed without raising an
# error of its own, this one would be shown as its reason. With the GIL kept, forgetting would be a
# sixth of the cost of a call; the docstring of `Function.release_gil` warns of it instead.
#
# In C the name begins with TVMFFIFunctionCall: that is where libtvm_ffi stops the backtrace of an
# error, and each further frame costs a tenth of what raising the error does.
cdef inline int call_native "TVMFFIFunctionCallNative"(
        const Entry* entry, const TVMFFIAny* args, int32_t count, TVMFFIAny* result) except -1:
    cdef int code
    if entry.keeps_gil:
        code = entry.call(entry.self, args, count, result)
    else:
        with nogil:
            code = entry.call(entry.self, args, count, result)
        if code == 0:
            forget_stale_error()
    return 0 if code == 0 else set_native_error()


# Call one of the runtime's own short functions, which run no foreign code. Keeps the GIL.
cdef inline int call_short(void* c_function, TVMFFIAny* args, int32_t count,
                           TVMFFIAny* result) except -1:
    return check(ffi.TVMFFIFunctionCall(c_function, args, count, result))

# A function that libtvm_ffi itself registers, such as b"ffi.Array". Owned; keep it for ever.
cdef void* builtin_function(bytes name) except NULL
