# SPDX-License-Identifier: Apache-2.0
# capi/gil.h: declarations only.
#
# Between the two calls the GIL is held, which Cython does not know. Functions that need it are
# called there by way of a pointer type that is declared `nogil`.
cdef extern from "capi/gil.h":
    ctypedef struct TVMGoGil:
        pass
    bint TVMGoHoldsGil() noexcept nogil
    TVMGoGil TVMGoEnterPython() noexcept nogil
    void TVMGoLeavePython(TVMGoGil gil) noexcept nogil
