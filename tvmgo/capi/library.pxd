# SPDX-License-Identifier: Apache-2.0
# capi/library.h: declarations only.
cdef extern from "capi/library.h" nogil:
    void* TVMGoLoadedLibrary(const char* path)
    void* TVMGoSymbol(void* library, const char* name)
    void TVMGoLeaveLibrary(void* library)
