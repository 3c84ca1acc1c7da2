# SPDX-License-Identifier: Apache-2.0
# capi/tensor_object.h: declarations only.
from libc.stdint cimport int32_t, int64_t

from tvmgo.capi.dlpack cimport DLTensor

cdef extern from "capi/tensor_object.h" nogil:
    ctypedef struct TVMGoTensor:
        DLTensor tensor
    void TVMGoInitTensorObject(TVMGoTensor* self, void (*deleter)(void* self, int flags) noexcept)
    void TVMGoFillCompactStrides(const int64_t* shape, int32_t ndim, int64_t* strides)
