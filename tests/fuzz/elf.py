# SPDX-License-Identifier: Apache-2.0
"""Small shared libraries in ELF, of either width and byte order, with every table a reader looks at."""

import struct


def elf(*, is64=True, order="<", machine=62, gnu_hash=True, sections=True):
    """A shared library without code: two segments, a dynamic section and three symbols."""
    word = "Q" if is64 else "I"

    def words(*values):
        return struct.pack(order + word * len(values), *values)

    names = b"\0__tvm_module_ctx\0add\0TVMFuncCall\0libc.so.6\0GLIBC_2.2\0V1\0"

    def name(value):
        return names.index(b"\0" + value + b"\0") + 1

    entries = [
        (0, 0, 0),
        (name(b"TVMFuncCall"), 0x10, 0),
        (name(b"__tvm_module_ctx"), 0x11, 1),
        (name(b"add"), 0x12, 1),
    ]
    if is64:
        symbols = [
            struct.pack(order + "IBBHQQ", at, info, 0, index, 0x100, 8)
            for at, info, index in entries
        ]
    else:
        symbols = [
            struct.pack(order + "IIIBBH", at, 0x100, 8, info, 0, index)
            for at, info, index in entries
        ]
    if gnu_hash:  # the last two in one bucket; the chain ends with an odd number
        table = (
            struct.pack(order + "4I", 1, 2, 1, 0) + words(0) + struct.pack(order + "3I", 2, 4, 7)
        )
    else:
        table = struct.pack(order + "2I1I4I", 1, 4, 1, 0, 2, 3, 0)
    parts = {
        "names": names,
        "symbols": b"".join(symbols),
        "hash": table,
        "of_symbols": struct.pack(order + "4H", 0, 2, 3, 3),
        "needed": struct.pack(
            order + "HHIIIIHHII", 1, 1, name(b"libc.so.6"), 16, 0, 5, 0, 2, name(b"GLIBC_2.2"), 0
        ),
        "defined": struct.pack(order + "HHHHIIIII", 1, 0, 3, 1, 7, 20, 0, name(b"V1"), 0),
        "relocations": words(0x108, 8, 0x100) + words(0x110, 8, 0x108),
        "start": words(0x100),
    }
    kinds = dict(
        names=3,
        symbols=11,
        hash=0x6FFFFFF6 if gnu_hash else 5,
        of_symbols=0x6FFFFFFF,
        needed=0x6FFFFFFE,
        defined=0x6FFFFFFD,
        relocations=4,
        start=14,
    )
    header_size, segment_size, section_size = (64, 56, 64) if is64 else (52, 32, 40)
    at, end = {}, header_size + 3 * segment_size
    sizes = {part: len(content) for part, content in parts.items()}
    for part, content in parts.items():
        at[part] = end
        parts[part] = content + bytes(-len(content) % 8)
        end += len(parts[part])
    dynamic = b"".join(
        words(tag, value)
        for tag, value in [
            (1, name(b"libc.so.6")),
            (5, at["names"]),
            (10, sizes["names"]),
            (6, at["symbols"]),
            (11, len(symbols[0])),
            (0x6FFFFEF5 if gnu_hash else 4, at["hash"]),
            (0x6FFFFFF0, at["of_symbols"]),
            (0x6FFFFFFE, at["needed"]),
            (0x6FFFFFFF, 1),
            (0x6FFFFFFC, at["defined"]),
            (0x6FFFFFFD, 1),
            (7, at["relocations"]),
            (8, sizes["relocations"]),
            (9, len(words(0, 0, 0))),
            (0x6FFFFFF9, 2),
            (12, at["start"]),
            (25, at["start"]),
            (27, sizes["start"]),
            (0, 0),
        ]
    )
    at["dynamic"], sizes["dynamic"], kinds["dynamic"] = end, len(dynamic), 6
    end += len(dynamic)

    def segment(kind, begin, size, more=0):
        if is64:
            return struct.pack(
                order + "IIQQQQQQ", kind, 5, begin, begin, begin, size, size + more, 8
            )
        return struct.pack(order + "IIIIIIII", kind, begin, begin, begin, size, size + more, 5, 4)

    def section(part):
        return (
            struct.pack(order + "II", 0, kinds[part])
            + words(2, at[part], at[part], sizes[part])
            + struct.pack(order + "II", 0, 0)
            + words(8, 0)
        )

    ident = b"\177ELF" + bytes([2 if is64 else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    header = ident + struct.pack(
        order + "HHI" + 3 * word + "IHHHHHH",
        3,
        machine,
        1,
        0,
        header_size,
        end if sections else 0,
        0,
        header_size,
        segment_size,
        3,
        section_size,
        len(at) if sections else 0,
        0,
    )
    return b"".join(
        [
            header,
            segment(1, 0, end, 64),
            segment(2, at["dynamic"], len(dynamic)),
            segment(0x6474E552, at["dynamic"], len(dynamic)),
            *parts.values(),
            dynamic,
            *(map(section, at) if sections else []),
        ]
    )
