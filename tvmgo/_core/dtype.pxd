# SPDX-License-Identifier: Apache-2.0
from tvmgo.capi.dlpack cimport DLDataType


cdef class DType:
    cdef DLDataType c_dtype


cdef DType wrap_dtype(DLDataType c_dtype)

# The element type `x` names: a DType, a string, or anything numpy.dtype() takes.
cdef DLDataType dtype_of(object x) except *

cdef inline bint same_dtype(DLDataType a, DLDataType b) noexcept nogil:
    return a.code == b.code and a.bits == b.bits and a.lanes == b.lanes

# Bytes of `count` elements; types below one byte are packed, as in the runtime.
cdef inline size_t packed_nbytes(DLDataType dtype, size_t count) noexcept nogil:
    cdef size_t bits = <size_t>dtype.bits * dtype.lanes
    if bits % 8 == 0:  # first, so that large arrays do not overflow on the way
        return count * (bits // 8)
    return (count * bits + 7) // 8

# The struct-module format of one element, or NULL when Python's buffer protocol has none.
cdef const char* buffer_format(DLDataType dtype) noexcept

# The element type of a buffer with this format and itemsize.
cdef DLDataType dtype_of_buffer(
    const char* format, Py_ssize_t itemsize, object owner, str argument) except *

# numpy.dtype of an element type; TypeError when neither NumPy nor ml_dtypes has one.
cdef object numpy_dtype(DLDataType c_dtype)
