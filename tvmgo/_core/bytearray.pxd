# SPDX-License-Identifier: Apache-2.0
from tvmgo.capi cimport ffi


cdef class ByteArray:
    cdef Py_buffer c_buffer             # keeps the exporter's memory in place while we live
    cdef ffi.TVMFFIByteArray c_view     # what the callee sees; points into c_buffer
