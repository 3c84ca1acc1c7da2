# SPDX-License-Identifier: Apache-2.0
from libc.stdint cimport int64_t

from tvmgo.capi.dlpack cimport DLDataType

cdef enum:
    MAX_NDIM = 1024             # more than any model has; shapes are read to the stack

# Check a shape given by the user: an int or ints. Writes at most MAX_NDIM extents to `dims` and
# returns how many.
cdef int read_shape(object shape, int64_t* dims) except -1

# Bytes of an array, or ValueError when no address space could hold it.
cdef size_t checked_nbytes(int ndim, const int64_t* dims, DLDataType dtype) except? 0
