# SPDX-License-Identifier: Apache-2.0
from libc.stdint cimport int32_t, int64_t

from tvmgo._core.handle cimport drop
from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny


# Base of Value, here so that arguments of that type are known below it.
cdef class OwnedAny:
    cdef TVMFFIAny c_any        # owned


cdef inline void set_any(TVMFFIAny* any, int32_t type_index, int64_t content) noexcept nogil:
    any.type_index = type_index
    any.zero_padding = 0
    any.v_int64 = content


cdef inline void clear(TVMFFIAny* any) noexcept nogil:
    set_any(any, ffi.kTVMFFINone, 0)


cdef inline void set_object(TVMFFIAny* any, void* c_handle) noexcept nogil:
    any.type_index = (<ffi.TVMFFIObject*>c_handle).type_index
    any.v_ptr = c_handle


# Give the reference of an owned value back and leave None.
cdef inline void release(TVMFFIAny* any) noexcept nogil:
    if any.type_index >= ffi.kTVMFFIStaticObjectBegin:
        drop(any.v_ptr)
    any.type_index = ffi.kTVMFFINone
