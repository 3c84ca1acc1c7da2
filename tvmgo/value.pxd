# SPDX-License-Identifier: Apache-2.0
from tvmgo.capi.ffi cimport TVMFFIAny
from tvmgo.convert cimport Cell


cdef class Value(Cell):
    pass

# The name of a value's type in messages.
cdef str kind_name(const TVMFFIAny* any)

# A Value for a value that stays the runtime's, and for one whose reference is taken over.
cdef Value value_from_borrowed(const TVMFFIAny* any)
cdef Value value_from_owned(TVMFFIAny* any)
