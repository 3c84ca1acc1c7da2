# SPDX-License-Identifier: Apache-2.0
# capi/kernel_rules.h: declarations only.
from tvmgo.capi.dlpack cimport DLDevice, DLTensor

cdef extern from "capi/kernel_rules.h" nogil:
    enum:
        TVMGO_FEW_ARGUMENTS
    bint TVMGoIsHost(DLDevice device)
    bint TVMGoIsCompact(const DLTensor* tensor)
    bint TVMGoNeedsCopy(const DLTensor* tensor)
