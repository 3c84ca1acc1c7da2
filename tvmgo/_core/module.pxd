# SPDX-License-Identifier: Apache-2.0
from tvmgo._core.handle cimport Object


cdef class Module(Object):
    cdef void* c_library        # of a file that load_module has loaded, to look up symbols; or NULL
