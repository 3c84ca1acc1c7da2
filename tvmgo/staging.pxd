# SPDX-License-Identifier: Apache-2.0
from libc.stdint cimport int32_t, uintptr_t

from tvmgo.array cimport data_of, is_compact, tensor_of
from tvmgo.capi cimport ffi
from tvmgo.capi.dlpack cimport DLTensor
from tvmgo.capi.ffi cimport TVMFFIAny
from tvmgo.device cimport is_host

cdef enum:
    KERNEL_ALIGNMENT = 64       # what compilers of today assume of a tensor's data, in bytes


cdef inline bint is_unfit(const TVMFFIAny* any) noexcept nogil:
    cdef DLTensor* tensor
    if any.type_index != ffi.kTVMFFITensor:
        return False
    tensor = tensor_of(any.v_ptr)
    return is_host(tensor.device) and (
        <uintptr_t>data_of(tensor) % KERNEL_ALIGNMENT != 0 or not is_compact(tensor))


cdef inline bint needs_staging(const TVMFFIAny* cells, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(count):
        if is_unfit(&cells[i]):
            return True
    return False

# Call a compiled function, handing it aligned, compact copies of the unfit tensors among `cells`.
cdef int call_staged(void* c_function, TVMFFIAny* cells, Py_ssize_t count,
                     TVMFFIAny* result) except -1
