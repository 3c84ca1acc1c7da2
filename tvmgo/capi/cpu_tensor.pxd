# SPDX-License-Identifier: Apache-2.0
# capi/cpu_tensor.h: declarations only.
from libc.stdint cimport int32_t, int64_t

from tvmgo.capi.dlpack cimport DLDataType
from tvmgo.capi.ffi cimport TVMFFIObjectHandle

cdef extern from "capi/cpu_tensor.h" nogil:
    int TVMGoNewCPUTensor(const int64_t* shape, int32_t ndim, DLDataType dtype,
                          int32_t device_id, size_t nbytes, bint zeroed,
                          TVMFFIObjectHandle* out)
