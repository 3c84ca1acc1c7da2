# SPDX-License-Identifier: Apache-2.0
# The one place where Python leaves for a function of the runtime that may run for long.
from libc.stdint cimport int32_t

from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny
from tvmgo.error cimport check, forget_stale_error
from tvmgo.handle cimport cell


# Call `c_function` with the cells as they are and leave its result, owned, in `result`, which must
# have been cleared. Foreign code may take long, block, or call back from other threads: it runs
# without the GIL unless the user said of this function that it does none of these.
#
# An earlier call may have left its error behind although it succeeded. It is forgotten first, lest
# it seem the reason of a function that fails without giving one. Where the GIL is kept, that would
# be a sixth of the call's cost; `Function.release_gil` says what its user has to know.
cdef inline int call_native(void* c_function, bint keeps_gil, const TVMFFIAny* cells,
                            int32_t count, TVMFFIAny* result) except -1:
    # What TVMFFIFunctionCall does, without the way there.
    cdef ffi.TVMFFISafeCallType c_call = (<ffi.TVMFFIFunctionCell*>cell(c_function)).safe_call
    cdef int code
    if keeps_gil:
        code = c_call(c_function, cells, count, result)
    else:
        with nogil:
            forget_stale_error()
            code = c_call(c_function, cells, count, result)
    return check(code)
