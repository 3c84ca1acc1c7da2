# SPDX-License-Identifier: Apache-2.0
from cpython.object cimport PyObject, PyTypeObject
from libc.stdint cimport int64_t

from tvmgo._core.array cimport Array, is_array_kernel_ready
from tvmgo._core.owned_any cimport set_any
from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFIByteArray
from tvmgo.capi.pylong cimport TVMGoSmallLong
from tvmgo.capi.python cimport (
    PyFloat_AS_DOUBLE, PyFloat_CheckExact, PyLong_CheckExact, type_of,
)


# What one argument needs besides its value while a call runs. The value may borrow from the Python
# object, from `bytes_view` and from `owned`: it is good only while all three stay where they are.
cdef struct Packed:
    TVMFFIByteArray bytes_view  # what a byte-array argument points to
    void* owned                 # a runtime object made for this argument, or NULL

# What `pack` tells of the argument.
cdef enum:
    OWNS = 1                    # packed.owned is set
    NEEDS_COPY = 2              # a tensor that is not kernel-ready


# Describe `arg` to the runtime and return what is special about it. On failure there is nothing to
# give back. The types that hot calls have most are here, so that they become part of the
# caller's loop, and small enough for compilers to agree.
cdef inline int pack(PyObject* arg, TVMFFIAny* any, Packed* packed) except -1:
    packed.owned = NULL
    if type_of(arg) == <PyTypeObject*>Array:
        set_any(any, ffi.kTVMFFITensor, <int64_t>(<Array>arg).c_handle)
        return 0 if is_array_kernel_ready(<Array>arg) else NEEDS_COPY
    set_any(any, ffi.kTVMFFIInt, 0)
    if PyLong_CheckExact(arg) and TVMGoSmallLong(arg, &any.v_int64):
        return 0
    if PyFloat_CheckExact(arg):
        any.type_index = ffi.kTVMFFIFloat
        any.v_float64 = PyFloat_AS_DOUBLE(arg)
        return 0
    return pack_other(arg, any, packed)

cdef int pack_other(PyObject* arg, TVMFFIAny* any, Packed* packed) except -1

# The same for a value that outlives the call: `any` owns everything, nothing is borrowed.
cdef int pack_owned(object arg, TVMFFIAny* any) except -1

# UTF-8 in which surrogates stand for the bytes that came in as such, or TVMValueError.
cdef bytes utf8(str string)

# Modules above hook in here when they are imported: how to make a runtime object of a "sequence", a
# "mapping", a "callable". Returns an owned reference.
ctypedef void* (*converter)(object x) except NULL
cdef void register_converter(str kind, converter convert) noexcept

# How to refuse a container of the runtime that nobody has looked into yet, see container.
ctypedef int (*container_check)(const TVMFFIAny* any) except -1
cdef void register_container_check(container_check check) noexcept
