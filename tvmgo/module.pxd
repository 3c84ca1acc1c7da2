# SPDX-License-Identifier: Apache-2.0
from tvmgo.handle cimport Object


cdef class Module(Object):
    pass
