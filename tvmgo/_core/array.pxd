# SPDX-License-Identifier: Apache-2.0
from tvmgo._core.handle cimport Object
from tvmgo._core.tensor cimport is_kernel_ready, tensor_of


cdef class Array(Object):
    pass


# Traits of an Array.
cdef enum:
    KERNEL_READY = 1
    NOT_KERNEL_READY = 2


# What is_kernel_ready says of the array's tensor, which never changes.
cdef inline bint is_array_kernel_ready(Array self) noexcept:
    if self.c_trait == 0:
        self.c_trait = (KERNEL_READY if is_kernel_ready(tensor_of(self.c_handle))
                        else NOT_KERNEL_READY)
    return self.c_trait == KERNEL_READY

# Takes the reference over.
cdef Array wrap_array(void* c_handle)
