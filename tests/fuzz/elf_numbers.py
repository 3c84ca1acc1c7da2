# SPDX-License-Identifier: Apache-2.0
"""Where in an ELF file (64 bits, little-endian) the numbers stand that say how long, how many or how far."""

LOADED, DYNAMIC = 1, 2
# Of the dynamic section: sizes of tables, of their entries, and how many.
SIZE_TAGS = {2, 8, 9, 10, 11, 18, 19, 27, 28, 35, 37, 0x6FFFFFF9, 0x6FFFFFFA, 0x6FFFFFFF}
HASH, GNU_HASH, VERSIONS_NEEDED = 4, 0x6FFFFEF5, 0x6FFFFFFE


def find_numbers(content):
    """Yield the name, the place and the width of each."""

    def at(place, width):
        return int.from_bytes(content[place : place + width], "little")

    for name, place, width in [
        ("phoff", 32, 8),
        ("shoff", 40, 8),
        ("ehsize", 52, 2),
        ("phentsize", 54, 2),
        ("phnum", 56, 2),
        ("shentsize", 58, 2),
        ("shnum", 60, 2),
    ]:
        yield f"header.{name}", place, width
    loaded, dynamic = [], None
    for i in range(at(56, 2)):
        place = at(32, 8) + 56 * i
        kind, offset, address, size = (
            at(place, 4),
            at(place + 8, 8),
            at(place + 16, 8),
            at(place + 32, 8),
        )
        if kind == LOADED:
            loaded.append((address, offset, size))
        if kind == DYNAMIC:
            dynamic = range(offset, offset + size, 16)
        for name, distance in [("offset", 8), ("filesz", 32), ("memsz", 40), ("align", 48)]:
            yield f"segment {i} of kind {kind:#x}.{name}", place + distance, 8
    for i in range(at(60, 2)):
        place = at(40, 8) + 64 * i
        for name, distance in [("offset", 24), ("size", 32), ("entsize", 56)]:
            yield f"section {i} of kind {at(place + 4, 4):#x}.{name}", place + distance, 8
    tables = {}
    for place in dynamic:
        tag = at(place, 8)
        tables.setdefault(tag, at(place + 8, 8))
        if tag in SIZE_TAGS:
            yield f"dynamic section, tag {tag:#x}", place + 8, 8

    def place_of(address):
        return next(
            offset + address - begin
            for begin, offset, size in loaded
            if begin <= address < begin + size
        )

    for tag, fields in [(HASH, "buckets symbols"), (GNU_HASH, "buckets first words shift")]:
        if tag in tables:
            for i, name in enumerate(fields.split()):
                yield f"hash table {tag:#x}.{name}", place_of(tables[tag]) + 4 * i, 4
    if VERSIONS_NEEDED in tables:
        for name, distance, width in [
            ("cnt", 2, 2),
            ("file", 4, 4),
            ("aux", 8, 4),
            ("next", 12, 4),
            ("aux.name", 24, 4),
            ("aux.next", 28, 4),
        ]:
            yield f"versions.{name}", place_of(tables[VERSIONS_NEEDED]) + distance, width


def changes(content):
    """Yield each number with each value it is changed to: nothing, a little off, huge, negative."""
    for name, place, width in find_numbers(content):
        end = 256**width
        old = int.from_bytes(content[place : place + width], "little")
        for new in sorted(
            {
                0,
                (old + 1) % end,
                (old - 1) % end,
                (2 * old) % end,
                1 << 20,
                1 << 40,
                end // 2 - 1,
                end // 2,
                end - 1,
            }
            - {old}
        ):
            if new < end:
                yield f"{name}: {new:#x} for {old:#x}", place, new.to_bytes(width, "little")
