# SPDX-License-Identifier: Apache-2.0
from tvmgo._core.handle cimport Object, cell
from tvmgo.capi.dlpack cimport DLTensor
from tvmgo.capi.kernel_rules cimport TVMGoIsCompact, TVMGoNeedsCopy


cdef class Array(Object):
    pass


cdef inline DLTensor* tensor_of(void* c_handle) noexcept nogil:
    return <DLTensor*>cell(c_handle)


cdef inline char* data_of(DLTensor* tensor) noexcept nogil:
    return <char*>tensor.data + tensor.byte_offset

cdef size_t nbytes_of(DLTensor* tensor) noexcept nogil

# Whether the elements lie one after the other in C order.
cdef inline bint is_compact(DLTensor* tensor) noexcept nogil:
    return TVMGoIsCompact(tensor)

# Whether compiled kernels cannot work on the elements where they are, see tvmgo._core.staging.
cdef inline bint is_unfit(DLTensor* tensor) noexcept nogil:
    return TVMGoNeedsCopy(tensor)

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
