# SPDX-License-Identifier: Apache-2.0
"""Shapes given by users, checked before memory is asked for."""
from cpython.number cimport PyNumber_Index
from cpython.object cimport PyObject
from libc.stdint cimport INT64_MAX, int64_t

from tvmgo._core.dtype cimport packed_nbytes, wrap_dtype
from tvmgo.capi.dlpack cimport DLDataType
from tvmgo.capi.dtype_rules cimport TVMGoHasSize
from tvmgo.capi.pylong cimport TVMGoSmallLong
from tvmgo.exceptions import TVMTypeError, TVMValueError


cdef int read_shape(object shape, int64_t* dims) except -1:
    cdef int ndim = 0
    if type(shape) is not tuple:  # nor a list: an __index__ below could change it meanwhile
        shape = shape_tuple(shape)
    if len(shape) > MAX_NDIM:
        raise TVMValueError(f"shape: expected at most {MAX_NDIM} dimensions, got {len(shape)}")
    for item in shape:
        dims[ndim] = read_extent(item)
        ndim += 1
    return ndim


cdef tuple shape_tuple(object shape):
    if isinstance(shape, (str, bytes, bytearray)):  # which are sequences, too
        raise TVMTypeError(f"shape: expected ints, got {type(shape).__name__}")
    try:
        return tuple(shape)
    except TypeError:
        if not hasattr(shape, "__index__"):
            raise TVMTypeError(f"shape: expected ints, got {type(shape).__name__}") from None
        return (shape,)


cdef int64_t read_extent(object item) except -1:
    cdef int64_t extent
    if type(item) is int and TVMGoSmallLong(<PyObject*>item, &extent) and extent >= 0:
        return extent
    if type(item) is not int:
        try:
            item = PyNumber_Index(item)
        except TypeError:
            raise TVMTypeError(f"shape: expected ints, got {type(item).__name__}") from None
    if not 0 <= item <= INT64_MAX:
        raise TVMValueError(f"shape: expected sizes from 0 to 2**63-1, got {item}")
    return item


cdef size_t checked_nbytes(int ndim, const int64_t* dims, DLDataType dtype) except? 0:
    cdef int64_t count = 1, most
    cdef int i
    if not TVMGoHasSize(dtype):
        raise TVMTypeError(f"dtype: {wrap_dtype(dtype)} has no size")
    most = INT64_MAX // <int64_t>packed_nbytes(dtype, 1)
    for i in range(ndim):
        if dims[i] == 0:
            return 0
    for i in range(ndim):
        if count > most // dims[i]:
            raise TVMValueError(f"shape: {tuple([dims[i] for i in range(ndim)])} of "
                                f"{wrap_dtype(dtype)} is more than any memory")
        count *= dims[i]
    return packed_nbytes(dtype, count)
