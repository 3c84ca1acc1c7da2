# SPDX-License-Identifier: Apache-2.0
"""Bare addresses (tvm-ffi's opaque pointer; gotvm's handle)."""
cimport cython
from cpython.object cimport PyTypeObject

from tvmgo.capi.pytype cimport TVMGoNameType, TVMGoTakeConstructor, newfunc


@cython.final
cdef class Pointer:
    """An address that only the native side can use (tvm-ffi's opaque pointer, gotvm's handle).

    Comes out of functions and can be passed on; Python code cannot make one.
    """

    @property
    def address(self):
        """The address as an int."""
        return <size_t>self.c_pointer

    def __eq__(self, other):
        if not isinstance(other, Pointer):
            return NotImplemented
        return self.c_pointer == (<Pointer>other).c_pointer

    def __hash__(self):
        return hash(<size_t>self.c_pointer)

    def __repr__(self):
        return f"<tvmgo.Pointer {<size_t>self.c_pointer:#x}>"


cdef newfunc construct = TVMGoTakeConstructor(
    <PyTypeObject*>Pointer, b"functions that return an address")
TVMGoNameType(<PyTypeObject*>Pointer, b"tvmgo.Pointer")


cdef Pointer wrap_pointer(void* c_pointer):
    cdef Pointer pointer = <Pointer>construct(<PyTypeObject*>Pointer, (), NULL)
    pointer.c_pointer = c_pointer
    return pointer
