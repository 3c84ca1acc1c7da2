# SPDX-License-Identifier: Apache-2.0
from tvmgo.capi.ffi cimport TVMFFIAny
from tvmgo.convert cimport Cell


cdef class Value(Cell):
    pass

# A Value for a value that stays the runtime's, and for one whose reference is taken over.
cdef Value value_from_borrowed(const TVMFFIAny* any)
cdef Value value_from_owned(TVMFFIAny* any)
