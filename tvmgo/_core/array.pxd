# SPDX-License-Identifier: Apache-2.0
from libc.stdint cimport int64_t, uintptr_t

from tvmgo._core.device cimport is_host
from tvmgo._core.handle cimport Object, cell
from tvmgo.capi.dlpack cimport DLTensor


cdef class Array(Object):
    pass


cdef inline DLTensor* tensor_of(void* c_handle) noexcept nogil:
    return <DLTensor*>cell(c_handle)


cdef inline char* data_of(DLTensor* tensor) noexcept nogil:
    return <char*>tensor.data + tensor.byte_offset

cdef size_t nbytes_of(DLTensor* tensor) noexcept nogil

# Whether the elements lie one after the other in C order.
cdef inline bint is_compact(DLTensor* tensor) noexcept nogil:
    cdef int64_t expected = 1
    cdef int i
    if tensor.strides == NULL:
        return True
    for i in range(tensor.ndim - 1, -1, -1):
        if tensor.strides[i] != expected and tensor.shape[i] != 1:
            return has_no_elements(tensor)
        expected *= tensor.shape[i]
    return True

cdef bint has_no_elements(DLTensor* tensor) noexcept nogil

cdef enum:
    KERNEL_ALIGNMENT = 64       # what compilers of today assume of a tensor's data, in bytes

# Whether compiled kernels cannot work on the elements where they are, see tvmgo.staging.
cdef inline bint is_unfit(DLTensor* tensor) noexcept nogil:
    return is_host(tensor.device) and (
        <uintptr_t>data_of(tensor) % KERNEL_ALIGNMENT != 0 or not is_compact(tensor))

# Traits of an Array.
cdef enum:
    FIT = 1
    UNFIT = 2

cdef inline bint is_unfit_array(Array self) noexcept:
    if self.c_trait == 0:
        self.c_trait = UNFIT if is_unfit(tensor_of(self.c_handle)) else FIT
    return self.c_trait == UNFIT

# Takes the reference over.
cdef Array wrap_array(void* c_handle)

# A tensor that shares the memory of any object with __dlpack__. Owned by the caller.
cdef void* tensor_from_dlpack(object x) except NULL

# A compact copy of a tensor that is only borrowed, and the way back. The tensor may be strided.
cdef void* copy_borrowed_tensor(DLTensor* source) except NULL
cdef int write_back(void* c_copy, DLTensor* target) except -1
