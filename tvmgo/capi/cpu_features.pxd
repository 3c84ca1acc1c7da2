# SPDX-License-Identifier: Apache-2.0
# capi/cpu_features.h: declarations only.
cdef extern from "capi/cpu_features.h" nogil:
    const char* TVMGoMissingCpuFeature(const char* needed)
