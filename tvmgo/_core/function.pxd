# SPDX-License-Identifier: Apache-2.0
from cpython.object cimport PyObject
from libc.stdint cimport int32_t

from tvmgo._core.handle cimport Object
from tvmgo._core.native_call cimport Entry
from tvmgo._core.pack cimport Packed
from tvmgo._core.unchecked cimport unchecked_check
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFISafeCallType
from tvmgo.capi.kernel_rules cimport TVMGO_FEW_ARGUMENTS


cdef class Function(Object):
    cdef void* c_vectorcall     # the C function that answers calls, see TVMGoUseVectorcall
    cdef Entry c_entry          # that of the handle, unless a shorter way is known
    # Borrowed, or NULL: the Python callable that the function keeps, if it is a callback of ours,
    # and the same if Python may call it without asking the runtime.
    cdef PyObject* c_callable
    cdef PyObject* c_direct
    cdef object collectable     # always None: makes the type one that the garbage collector visits
    cdef bint c_compiled        # runs compiled code, which needs aligned, compact tensors


# Takes the reference over.
cdef Function wrap_function(void* c_handle)

# Let calls go straight to the compiled code at `address`, which must stay as long as the function.
cdef void bind_code(Function function, void* address) noexcept

# From now on, know functions that are entered so for callbacks of ours: TVMGoCallback objects whose
# callable wants objects, or wants Values.
cdef void recognise_callbacks(TVMFFISafeCallType with_objects,
                              TVMFFISafeCallType with_values) noexcept

# Remember that functions made as `function` was run compiled code, and mark it.
cdef void mark_compiled(Function function) noexcept

# Let `Function.prepare` be `make(function, args)`.
cdef void use_prepare(object make) noexcept

# Take the function that a Function gets in the place of its callback when the garbage collector
# cuts that off. The reference is taken over and kept for ever.
cdef void use_for_collected(void* c_function) noexcept

# Call a function with Python objects, as a plain call does. With a `check`, the arguments must pass
# check(expected, arguments, count) first, which is called through a cast to `unchecked_check`.
cdef int call_checked(Function function, PyObject* const* args, Py_ssize_t count,
                      unchecked_check check, const TVMFFIAny* expected,
                      TVMFFIAny* result) except -1

cdef int refuse_keywords(PyObject* names) except -1

# Give back what was made for the first `count` arguments.
cdef void release_packed(Packed* packed, Py_ssize_t count) noexcept

# Raise the exception that is set. If it is one of tvmgo's, say which argument it is about.
cdef int name_argument(Py_ssize_t index) except -1

# The same for what a callback returned.
cdef int name_result() except -1

cdef enum:
    FEW_ARGUMENTS = TVMGO_FEW_ARGUMENTS     # that many need no memory from the heap
