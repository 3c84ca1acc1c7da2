# SPDX-License-Identifier: Apache-2.0
from cpython.object cimport PyObject

from tvmgo.capi.ffi cimport TVMFFIAny
from tvmgo.handle cimport Object


cdef class Function(Object):
    cdef void* c_vectorcall     # the C function that answers calls, see TVMGoUseVectorcall
    cdef PyObject* c_callable   # the Python callable that a callback made here keeps, borrowed; or NULL
    cdef PyObject* c_direct     # the same, if Python may call it without asking the runtime; or NULL
    cdef object collectable     # always None: makes the type one that the garbage collector visits
    cdef bint c_compiled        # runs compiled code, which needs aligned, compact tensors


# Takes the reference over.
cdef Function wrap_function(void* c_handle)

# Remember that functions made as `function` was run compiled code, and mark it.
cdef void mark_compiled(Function function) noexcept

# Call a function with `count` arguments and leave its result, owned, in `result`.
cdef int call(Function function, PyObject* const* args, Py_ssize_t count,
              TVMFFIAny* result) except -1
