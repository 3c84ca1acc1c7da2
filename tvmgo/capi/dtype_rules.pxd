# SPDX-License-Identifier: Apache-2.0
# capi/dtype_rules.h: declarations only.
from tvmgo.capi.dlpack cimport DLDataType

cdef extern from "capi/dtype_rules.h" nogil:
    bint TVMGoHasNumbers(DLDataType dtype)
    bint TVMGoHasSize(DLDataType dtype)
