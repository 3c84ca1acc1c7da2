# SPDX-License-Identifier: Apache-2.0
"""Ints outside 64 bits as the runtime's arbitrary-precision integer, and back."""
import sys

from tvmgo._core.error cimport check
from tvmgo._core.handle cimport drop
from tvmgo._core.owned_any cimport clear, set_object
from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFIByteArray


cdef int big_int_from_int(object number, TVMFFIAny* any) except -1:
    cdef bytes words = number.to_bytes(number.bit_length() // 64 * 8 + 8, sys.byteorder,
                                       signed=True)
    if sys.byteorder == "big":
        words = swap_words(words)
    cdef TVMFFIByteArray view
    view.data, view.size = <const char*>words, len(words)
    clear(any)
    return check(ffi.TVMFFIBigIntFromByteArray(&view, any))


cdef object int_from_big_int(void* c_handle):
    cdef TVMFFIAny any
    cdef TVMFFIByteArray view
    clear(&any)
    set_object(&any, c_handle)
    try:
        view = ffi.TVMFFIBigIntGetContentByteArray(&any)
        words = view.data[:view.size]
    finally:
        drop(c_handle)
    if sys.byteorder == "big":
        words = swap_words(words)
    return int.from_bytes(words, sys.byteorder, signed=True)


cdef bytes swap_words(bytes words):
    """Reverse the order of 64-bit words: the runtime keeps the lowest first on every machine."""
    return b"".join([words[i:i + 8] for i in range(len(words) - 8, -1, -8)])
