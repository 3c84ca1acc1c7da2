# SPDX-License-Identifier: Apache-2.0
"""Signal handlers stay as they are while a library is loaded.

libtvm_ffi takes SIGSEGV when it is loaded, also from faulthandler, which a user has enabled for the
Python traceback that it prints.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator

_SIGNALS = range(1, 65)
_SPACE = 256  # bytes; more than any system's struct sigaction
_TELLING = 16  # handler and mask come first; after these the C library may leave bytes unset


@contextlib.contextmanager
def kept_handlers() -> Iterator[None]:
    """Undo, at the end, what happened to signal handlers meanwhile."""
    if os.name != "posix":
        yield
        return
    sigaction = ctypes.PyDLL(None).sigaction
    sigaction.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)

    def actions() -> ctypes.Array[ctypes.c_char]:
        """Return those of all signals one behind the other, zeros for what is none."""
        found = ctypes.create_string_buffer(_SPACE * (_SIGNALS.stop))
        first = ctypes.addressof(found)
        for number in _SIGNALS:
            sigaction(number, None, first + _SPACE * number)
        return found

    before = actions()
    try:
        yield
    finally:
        after = actions()
        for number in _SIGNALS:
            start = _SPACE * number
            if after[start : start + _TELLING] != before[start : start + _TELLING]:
                sigaction(number, ctypes.addressof(before) + start, None)
