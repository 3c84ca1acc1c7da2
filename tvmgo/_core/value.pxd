# SPDX-License-Identifier: Apache-2.0
from tvmgo._core.convert cimport Cell
from tvmgo.capi.ffi cimport TVMFFIAny


cdef class Value(Cell):
    pass

# Refuse arguments of other types than those in `pattern`, the cells of a call as it was prepared.
cdef int check_alike(const TVMFFIAny* pattern, const TVMFFIAny* cells,
                     Py_ssize_t count) except -1

# A Value for a value that stays the runtime's, and for one whose reference is taken over.
cdef Value value_from_borrowed(const TVMFFIAny* any)
cdef Value value_from_owned(TVMFFIAny* any)
