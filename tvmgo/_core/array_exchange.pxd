# SPDX-License-Identifier: Apache-2.0
from cpython.mem cimport PyMem_Free

from tvmgo._core.handle cimport Object
from tvmgo.capi.dlpack cimport DLTensor

# `array` below is an Object that holds a tensor.

# Describe host memory to a consumer of Python's buffer protocol; `release_buffer` gives back what
# that takes.
cdef int fill_buffer(object exporter, DLTensor* tensor, const char* format, Py_buffer* buffer,
                     int flags) except -1

cdef inline void release_buffer(Py_buffer* buffer) noexcept:
    PyMem_Free(buffer.internal)

# Host memory as an ndarray with its strides, of ml_dtypes' types, too. Keeps the array alive.
cdef object host_view(Object array)

# A DLPack capsule that keeps the tensor alive.
cdef object dlpack_capsule(Object array, bint versioned, bint is_copy)

# A tensor that shares the memory of any object with __dlpack__. Owned by the caller, who lets
# nobody write to it if it asked for read-only memory, too.
cdef void* tensor_from_dlpack(object x, bint allow_read_only) except NULL
