# SPDX-License-Identifier: Apache-2.0
"""From the runtime to Python: values as Python objects.

One table says how a value without an object is received, one how an object is wrapped.
"""
from cpython.float cimport PyFloat_FromDouble
from libc.stdint cimport int32_t

from tvmgo._core.array cimport wrap_array
from tvmgo._core.array_copy cimport copy_borrowed_tensor
from tvmgo._core.big_int cimport int_from_big_int
from tvmgo._core.device cimport wrap_device
from tvmgo._core.dtype cimport wrap_dtype
from tvmgo._core.error cimport check, exception_from_error
from tvmgo._core.handle cimport cell, drop, share, wrap_owned
from tvmgo._core.owned_any cimport clear
from tvmgo._core.pointer cimport wrap_pointer
from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFIByteArray
from tvmgo.capi.python cimport PyUnicode_DecodeUTF8
from tvmgo.exceptions import TVMTypeError

cdef enum:
    STATIC_TYPES = 128          # type indices below this one are the same in every process


cdef inline object text(const char* data, Py_ssize_t size):
    # Strings of the runtime are bytes; what is no UTF-8 survives a round trip as surrogates.
    return PyUnicode_DecodeUTF8(data, size, "surrogateescape")


cdef object unpack_other_borrowed(const TVMFFIAny* any):
    cdef int32_t kind = any.type_index
    if kind == ffi.kTVMFFIFloat:
        return PyFloat_FromDouble(any.v_float64)
    if kind == ffi.kTVMFFIBool:
        return any.v_int64 != 0
    if kind >= ffi.kTVMFFIStaticObjectBegin:
        return wrap(kind, share(any.v_ptr))
    if kind < 0 or unpackers[kind] == NULL:
        raise TVMTypeError(f"the runtime handed over a value of unknown type index {kind}")
    return unpackers[kind](any)


cdef object unpack_object(TVMFFIAny* any):
    cdef int32_t kind = any.type_index
    any.type_index = ffi.kTVMFFINone
    return wrap(kind, any.v_ptr)


cdef inline object wrap(int32_t kind, void* c_handle):
    """Takes the reference over."""
    if kind < STATIC_TYPES and wrappers[kind] != NULL:
        return wrappers[kind](c_handle)
    return wrap_owned(c_handle)


ctypedef object (*unpacker)(const TVMFFIAny* any)

cdef unpacker unpackers[<int>ffi.kTVMFFIStaticObjectBegin]
cdef wrapper wrappers[STATIC_TYPES]


cdef void register_wrapper(int32_t type_index, wrapper wrap) noexcept:
    wrappers[type_index] = wrap


cdef object unpack_pointer(const TVMFFIAny* any):
    return wrap_pointer(any.v_ptr)


cdef object unpack_dtype(const TVMFFIAny* any):
    return wrap_dtype(any.v_dtype)


cdef object unpack_device(const TVMFFIAny* any):
    return wrap_device(any.v_device)


cdef object unpack_dltensor(const TVMFFIAny* any):
    # The memory belongs to the caller and may go when the call ends: a copy cannot dangle.
    # Callbacks write changes of the copy back.
    return wrap_array(copy_borrowed_tensor(<ffi.DLTensor*>any.v_ptr))


cdef object unpack_raw_str(const TVMFFIAny* any):
    return text(any.v_c_str, len(any.v_c_str))


cdef object unpack_byte_array(const TVMFFIAny* any):
    cdef TVMFFIByteArray* view = <TVMFFIByteArray*>any.v_ptr
    return view.data[:view.size]


cdef object unpack_moved(const TVMFFIAny* any):
    # An rvalue reference: a pointer to the caller's object pointer, which may be taken from it.
    cdef TVMFFIAny owned
    clear(&owned)
    check(ffi.TVMFFIAnyViewToOwnedAny(any, &owned))
    return unpack_owned(&owned)


cdef object unpack_small_str(const TVMFFIAny* any):
    return text(any.v_bytes, any.small_str_len)


cdef object unpack_small_bytes(const TVMFFIAny* any):
    return any.v_bytes[:any.small_str_len]


unpackers[<int>ffi.kTVMFFIOpaquePtr] = unpack_pointer
unpackers[<int>ffi.kTVMFFIDataType] = unpack_dtype
unpackers[<int>ffi.kTVMFFIDevice] = unpack_device
unpackers[<int>ffi.kTVMFFIDLTensorPtr] = unpack_dltensor
unpackers[<int>ffi.kTVMFFIRawStr] = unpack_raw_str
unpackers[<int>ffi.kTVMFFIByteArrayPtr] = unpack_byte_array
unpackers[<int>ffi.kTVMFFIObjectRValueRef] = unpack_moved
unpackers[<int>ffi.kTVMFFISmallStr] = unpack_small_str
unpackers[<int>ffi.kTVMFFISmallBytes] = unpack_small_bytes


cdef object wrap_str(void* c_handle):
    cdef TVMFFIByteArray* view = <TVMFFIByteArray*>cell(c_handle)
    try:
        return text(view.data, view.size)
    finally:
        drop(c_handle)


cdef object wrap_bytes(void* c_handle):
    cdef TVMFFIByteArray* view = <TVMFFIByteArray*>cell(c_handle)
    try:
        return view.data[:view.size]
    finally:
        drop(c_handle)


cdef object wrap_python_object(void* c_handle):
    # tvm_ffi's Python side sends what it does not know as it is.
    try:
        return <object>(<ffi.TVMFFIOpaqueObjectCell*>cell(c_handle)).handle
    finally:
        drop(c_handle)


cdef object wrap_tensor(void* c_handle):
    return wrap_array(c_handle)


register_wrapper(ffi.kTVMFFIStr, wrap_str)
register_wrapper(ffi.kTVMFFIBytes, wrap_bytes)
register_wrapper(ffi.kTVMFFIBigInt, int_from_big_int)
register_wrapper(ffi.kTVMFFIError, exception_from_error)
register_wrapper(ffi.kTVMFFITensor, wrap_tensor)
register_wrapper(ffi.kTVMFFIOpaquePyObject, wrap_python_object)
