# SPDX-License-Identifier: Apache-2.0
"""Values of the runtime (tvm-ffi ``TVMFFIAny``): filling, emptying and owning one."""
from cpython.object cimport PyTypeObject

from tvmgo._core.handle cimport count_handles
from tvmgo.capi.pytype cimport TVMGoSealType


cdef class OwnedAny:
    """A value of the runtime that Python owns; see `Value`."""

    def __cinit__(self):
        clear(&self.c_any)
        count_handles(1)

    def __init__(self, *args, **kwargs):
        raise TypeError("OwnedAny is only a base; make a Value")

    def __dealloc__(self):
        count_handles(-1)
        release(&self.c_any)


TVMGoSealType(<PyTypeObject*>OwnedAny)
