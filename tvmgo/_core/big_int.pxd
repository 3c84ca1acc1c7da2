# SPDX-License-Identifier: Apache-2.0
from tvmgo.capi.ffi cimport TVMFFIAny

# An int outside 64 bits as a value of the runtime, and back. Both owned; the way back takes the
# reference over.
cdef int big_int_from_int(object number, TVMFFIAny* any) except -1
cdef object int_from_big_int(void* c_handle)
