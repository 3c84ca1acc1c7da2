# SPDX-License-Identifier: Apache-2.0
# capi/nesting.h: declarations only.

cdef extern from "capi/nesting.h":
    enum:
        TVMGO_MOST_NESTED
    int TVMGoEnterContainer(const char* where) except -1
    void TVMGoLeaveContainer()
