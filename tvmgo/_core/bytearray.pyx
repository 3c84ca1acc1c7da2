# SPDX-License-Identifier: Apache-2.0
"""Byte strings lent to a callee (tvm-ffi ``TVMFFIByteArray``; gotvm ``NewByteArray``)."""
from cpython.buffer cimport (
    PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer,
)

from cpython.object cimport PyTypeObject
from tvmgo.capi.pytype cimport TVMGoNameType
from tvmgo.exceptions import TVMTypeError


cdef class ByteArray:
    """A byte string that shares the memory of a Python buffer instead of copying it.

    Parameters
    ----------
    data : C-contiguous buffer
        ``bytes``, ``bytearray``, ``memoryview``, ``mmap``, a NumPy array, ... Its memory stays
        in place, and a ``bytearray`` cannot be resized, as long as this object lives.

    Raises
    ------
    TypeError
        If `data` is not a C-contiguous buffer.

    Notes
    -----
    Passed to a function, the callee reads the very bytes of `data`; the GIL is released
    meanwhile, so changing them from another thread is seen. Supports ``bytes(x)``, ``len(x)``
    and the (read-only) buffer protocol.
    Source: ``TVMFFIByteArray`` (type index 9); gotvm ``NewByteArray``, ``ByteArray.GetData``.
    """

    def __cinit__(self, data):
        try:
            PyObject_GetBuffer(data, &self.c_buffer, PyBUF_SIMPLE)
        except (TypeError, ValueError, BufferError) as error:
            raise TVMTypeError(f"data: expected a C-contiguous buffer, got "
                               f"{type(data).__name__} ({error})") from None
        self.c_view.data = <const char*>self.c_buffer.buf
        if self.c_view.data == NULL:  # an empty buffer may have no address; callees want one
            self.c_view.data = ""
        self.c_view.size = self.c_buffer.len

    def __dealloc__(self):
        PyBuffer_Release(&self.c_buffer)

    def __len__(self):
        return self.c_view.size

    def __bytes__(self):
        return self.c_view.data[:self.c_view.size]

    def __eq__(self, other):
        if not isinstance(other, (ByteArray, bytes, bytearray, memoryview)):
            return NotImplemented
        return memoryview(self) == memoryview(other)

    __hash__ = None  # the shared bytes may change

    def __repr__(self):
        return f"<tvmgo.ByteArray of {len(self)} bytes>"

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        PyBuffer_FillInfo(buffer, self, <void*>self.c_view.data, self.c_view.size, True, flags)


TVMGoNameType(<PyTypeObject*>ByteArray, b"tvmgo.ByteArray")
