# SPDX-License-Identifier: Apache-2.0
"""A look at a library's file before the system's loader maps it into the process."""
from __future__ import annotations

import os
import struct

from tvmgo.error import TVMError

# Where an ELF file says how its program headers lie, by class (32 or 64 bits): format and offset of
# e_phoff, of e_phentsize and e_phnum, and of p_type, p_offset, p_filesz inside one header.
_ELF_LAYOUTS = {
    1: (("I", 28), ("HH", 42), ("I", 0), ("I", 4), ("I", 16)),
    2: (("Q", 32), ("HH", 54), ("I", 0), ("Q", 8), ("Q", 32)),
}
_LOADED_SEGMENT = 1  # PT_LOAD


def check_complete(path: str) -> None:
    """Refuse an ELF file that ends before its last segment does.

    The system's loader maps such a file without complaint, and the process dies of a bus error when
    it touches what is not there. Files of other kinds are left to the loader.

    Raises
    ------
    TVMError
        If the file is cut off.
    """
    size = os.stat(path).st_size
    with open(path, "rb") as file:
        head = file.read(64)
        layout = _ELF_LAYOUTS.get(head[4]) if len(head) == 64 and head[:4] == b"\x7fELF" else None
        if layout is None:
            return
        order = "<" if head[5] == 1 else ">"
        table, counts, kind, offset, length = layout
        [start] = struct.unpack_from(order + table[0], head, table[1])
        entry_size, entries = struct.unpack_from(order + counts[0], head, counts[1])
        for number in range(entries):
            file.seek(start + number * entry_size)
            entry = file.read(entry_size)
            if len(entry) < entry_size or entry_size < (32 if head[4] == 1 else 56):
                break
            [segment] = struct.unpack_from(order + kind[0], entry, kind[1])
            [first] = struct.unpack_from(order + offset[0], entry, offset[1])
            [count] = struct.unpack_from(order + length[0], entry, length[1])
            if segment == _LOADED_SEGMENT and first + count > size:
                break
        else:
            return
    raise TVMError(f"path: {path!r} is cut off: it has {size} bytes and announces more")
