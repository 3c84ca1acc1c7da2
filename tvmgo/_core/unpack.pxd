# SPDX-License-Identifier: Apache-2.0
from cpython.object cimport PyObject
from libc.stdint cimport int32_t

from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny
from tvmgo.capi.python cimport Py_INCREF, Py_None, PyLong_FromLongLong


# A Python object for a value that stays the runtime's, and for one whose reference is taken over.
cdef inline object unpack_borrowed(const TVMFFIAny* any):
    if any.type_index == ffi.kTVMFFIInt:
        return PyLong_FromLongLong(any.v_int64)
    return None if any.type_index == ffi.kTVMFFINone else unpack_other_borrowed(any)


cdef inline object unpack_owned(TVMFFIAny* any):
    if any.type_index == ffi.kTVMFFINone:
        return None
    if any.type_index < ffi.kTVMFFIStaticObjectBegin:
        return unpack_borrowed(any)
    return unpack_object(any)


# `unpack_owned` for the caller of a vectorcall, as a new reference.
cdef inline PyObject* unpack_result(TVMFFIAny* any) except NULL:
    if any.type_index == ffi.kTVMFFINone:
        Py_INCREF(Py_None)
        return Py_None
    return new_reference(unpack_owned(any))


cdef inline PyObject* new_reference(object x) noexcept:
    Py_INCREF(<PyObject*>x)
    return <PyObject*>x

cdef object unpack_other_borrowed(const TVMFFIAny* any)
cdef object unpack_object(TVMFFIAny* any)

# Modules above hook in here when they are imported: how to wrap an object of a static type. Takes
# the reference over.
ctypedef object (*wrapper)(void* c_handle)
cdef void register_wrapper(int32_t type_index, wrapper wrap) noexcept
