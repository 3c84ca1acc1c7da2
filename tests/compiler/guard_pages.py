# SPDX-License-Identifier: Apache-2.0
"""Memory between pages that nobody may touch: who goes outside of an array there, dies."""

import ctypes
import mmap

import numpy as np

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
PAGE = mmap.PAGESIZE


def guarded_copy(array, at_end):
    """Copy an array to where a page without access ends, or begins if it is `at_end`."""
    size = -(-array.nbytes // PAGE) * PAGE
    pages = mmap.mmap(-1, size + 2 * PAGE)  # kept by the copy
    start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    for guard in (start, start + PAGE + size):
        assert LIBC.mprotect(guard, PAGE, 0) == 0
    offset = PAGE + (size - array.nbytes if at_end else 0)
    copy = np.frombuffer(pages, array.dtype, array.size, offset).reshape(array.shape)
    copy[...] = array
    return copy
