# SPDX-License-Identifier: Apache-2.0
cdef extern from "capi/gil.h":
    ctypedef struct TVMGoGil:
        pass
    TVMGoGil TVMGoEnterPython() noexcept nogil
    void TVMGoLeavePython(TVMGoGil gil) noexcept nogil
