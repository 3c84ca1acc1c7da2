# SPDX-License-Identifier: Apache-2.0
# Tensors of the runtime seen from C: where their elements lie and how.
from tvmgo._core.dtype cimport packed_nbytes
from tvmgo._core.handle cimport cell
from tvmgo.capi.dlpack cimport DLTensor
from tvmgo.capi.kernel_rules cimport TVMGoIsCompact, TVMGoNeedsCopy


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


# Whether the elements lie one after the other in C order.
cdef inline bint is_compact(DLTensor* tensor) noexcept nogil:
    return TVMGoIsCompact(tensor)


# Whether compiled kernels can work on the elements where they are, see staging.
cdef inline bint is_kernel_ready(DLTensor* tensor) noexcept nogil:
    return not TVMGoNeedsCopy(tensor)
