# SPDX-License-Identifier: Apache-2.0
from libc.stdint cimport int64_t

from tvmgo._core.handle cimport Object
from tvmgo.capi.dlpack cimport DLDataType, DLDevice, DLTensor

# `array` below is an Object that holds a tensor.

# A compact tensor whose elements are not set. Owned by the caller.
cdef void* new_tensor(int ndim, const int64_t* dims, DLDataType dtype,
                      DLDevice device) except NULL

# The array itself if it is in host memory (and compact), else a compact copy that is.
cdef Object in_host_memory(Object array)
cdef Object compact_in_host_memory(Object array)

# Copy elements in C order. The other side has the array's element type and byte count, or an error
# names it; nothing is changed then.
cdef int copy_from_array(Object array, Object source) except -1
cdef int copy_from_ndarray(Object array, object source) except -1
cdef int copy_from_buffer(Object array, object source) except -1
cdef int copy_to_ndarray(Object array, object target) except -1
cdef int copy_to_buffer(Object array, object target) except -1

# A new ndarray of this shape, which has as many elements as the array.
cdef object copy_to_new_ndarray(Object array, int ndim, const long long* shape)

# A compact copy of a tensor that is only borrowed, and the way back. The tensor may be strided.
cdef void* copy_borrowed_tensor(DLTensor* source) except NULL
cdef int write_back(void* c_copy, DLTensor* target) except -1
