# SPDX-License-Identifier: Apache-2.0
from cpython.object cimport PyTypeObject

from tvmgo.capi.dlpack cimport DLDataType, DLTensor

# numpy.ndarray once NumPy has been imported by anyone and is_ndarray has noticed; NULL before.
cdef PyTypeObject* ndarray_type

# Whether `x` is an ndarray or of a subclass. Never imports NumPy: before that, nothing is one.
cdef bint is_ndarray(object x) except -1

# A tensor that shares the memory of an ndarray and keeps it alive. Owned by the caller.
cdef void* tensor_from_ndarray(object array) except NULL

# What copies need to know of an ndarray; borrowed from it.
cdef struct NDArrayView:
    DLDataType dtype
    void* data
    size_t nbytes
    bint compact            # in C order without gaps
    bint writable

cdef NDArrayView view_of_ndarray(object array) except *

# A new ndarray of this shape and type, not filled; `data` receives its address.
cdef object new_ndarray(int ndim, const long long* shape, DLDataType dtype, void** data)
