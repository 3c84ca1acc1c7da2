# SPDX-License-Identifier: Apache-2.0
"""The one way out of Python into a function of the runtime: who holds the GIL, and how errors
come back. Nearly all of it is in the .pxd, because it becomes part of its callers."""
from tvmgo._core.error cimport check
from tvmgo.capi cimport ffi
from tvmgo.exceptions import TVMValueError


cdef void* builtin_function(bytes name) except NULL:
    cdef ffi.TVMFFIByteArray view
    cdef void* function = NULL
    view.data, view.size = <const char*>name, len(name)
    check(ffi.TVMFFIFunctionGetGlobal(&view, &function))
    if function == NULL:
        raise TVMValueError(f"this libtvm_ffi has no function {name.decode()}")
    return function
