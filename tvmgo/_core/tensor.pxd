# SPDX-License-Identifier: Apache-2.0
# Tensors of the runtime seen from C: where their elements lie and how.
from libc.stdint cimport int64_t, uintptr_t

from tvmgo._core.device cimport is_host
from tvmgo._core.dtype cimport packed_nbytes
from tvmgo._core.handle cimport cell
from tvmgo.capi.dlpack cimport DLTensor

cdef enum:
    KERNEL_ALIGNMENT = 64       # what compilers of today assume of a tensor's data, in bytes


# Borrowed from the tensor object.
cdef inline DLTensor* tensor_of(void* c_handle) noexcept nogil:
    return <DLTensor*>cell(c_handle)


cdef inline char* data_of(DLTensor* tensor) noexcept nogil:
    return <char*>tensor.data + tensor.byte_offset


cdef inline tuple shape_of(DLTensor* tensor):
    return tuple([tensor.shape[i] for i in range(tensor.ndim)])


cdef inline size_t count_elements(DLTensor* tensor) noexcept nogil:
    cdef size_t count = 1
    cdef int i
    for i in range(tensor.ndim):
        count *= <size_t>tensor.shape[i]
    return count


cdef inline size_t nbytes_of(DLTensor* tensor) noexcept nogil:
    return packed_nbytes(tensor.dtype, count_elements(tensor))


cdef inline bint has_no_elements(DLTensor* tensor) noexcept nogil:
    cdef int i
    for i in range(tensor.ndim):
        if tensor.shape[i] == 0:
            return True
    return False


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


# Whether compiled kernels can work on the elements where they are, see staging.
cdef inline bint is_kernel_ready(DLTensor* tensor) noexcept nogil:
    return not is_host(tensor.device) or (
        <uintptr_t>data_of(tensor) % KERNEL_ALIGNMENT == 0 and is_compact(tensor))
