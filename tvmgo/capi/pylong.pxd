# SPDX-License-Identifier: Apache-2.0
# capi/pylong.h: declarations only.
from cpython.object cimport PyObject
from libc.stdint cimport int64_t

cdef extern from "capi/pylong.h":
    bint TVMGoSmallLong(PyObject* number, int64_t* value)
