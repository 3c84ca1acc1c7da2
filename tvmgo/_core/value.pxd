# SPDX-License-Identifier: Apache-2.0
from tvmgo._core.owned_any cimport OwnedAny
from tvmgo.capi.ffi cimport TVMFFIAny


cdef class Value(OwnedAny):
    pass

# A Value for a value that stays the runtime's, and for one whose reference is taken over.
cdef Value value_from_borrowed(const TVMFFIAny* any)
cdef Value value_from_owned(TVMFFIAny* any)

# What messages call the type of a value.
cdef str kind_name(const TVMFFIAny* any)
