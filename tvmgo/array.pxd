# SPDX-License-Identifier: Apache-2.0
from tvmgo.capi.dlpack cimport DLTensor
from tvmgo.handle cimport Object, cell


cdef class Array(Object):
    pass


cdef inline DLTensor* tensor_of(void* c_handle) noexcept nogil:
    return <DLTensor*>cell(c_handle)


cdef inline char* data_of(DLTensor* tensor) noexcept nogil:
    return <char*>tensor.data + tensor.byte_offset

cdef size_t nbytes_of(DLTensor* tensor) noexcept nogil

# Whether the elements lie one after the other in C order.
cdef bint is_compact(DLTensor* tensor) noexcept nogil

# Takes the reference over.
cdef Array wrap_array(void* c_handle)

# A tensor that shares the memory of any object with __dlpack__. Owned by the caller.
cdef void* tensor_from_dlpack(object x) except NULL

# A compact copy of a tensor that is only borrowed, and the way back. The tensor may be strided.
cdef void* copy_borrowed_tensor(DLTensor* source) except NULL
cdef int write_back(void* c_copy, DLTensor* target) except -1
