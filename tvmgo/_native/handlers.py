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

    def actions() -> dict[int, ctypes.Array[ctypes.c_char]]:
        buffers = {number: ctypes.create_string_buffer(_SPACE) for number in _SIGNALS}
        return {number: it for number, it in buffers.items() if sigaction(number, None, it) == 0}

    before = actions()
    try:
        yield
    finally:
        for number, action in actions().items():
            if action[:_TELLING] != before[number][:_TELLING]:
                sigaction(number, before[number], None)
