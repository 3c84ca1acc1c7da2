# SPDX-License-Identifier: Apache-2.0


cdef class Pointer:
    cdef void* c_pointer        # borrowed from whoever gave it


cdef Pointer wrap_pointer(void* c_pointer)
