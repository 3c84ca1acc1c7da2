# SPDX-License-Identifier: Apache-2.0
"""What a shared library of ELF tells of itself, read from a file that nobody opens as a library.

For files that have passed the checks of ``cxx/formats``, which `tvmgo.library_generation` makes.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from dataclasses import dataclass, field
from typing import NamedTuple

from tvmgo.exceptions import TVMValueError

MACHINES = {
    3: "i386",
    8: "MIPS",
    20: "PowerPC",
    21: "PowerPC64",
    22: "S390",
    40: "ARM",
    62: "x86-64",
    164: "Hexagon",
    183: "AArch64",
    243: "RISC-V",
    258: "LoongArch",
}
HEADER_BYTES = 20  # up to the machine
_LOAD, _DYNAMIC = 1, 2  # segments
_NEEDED, _STRTAB, _RPATH, _RUNPATH = 1, 5, 15, 29  # tags
_DYNSYM = 11  # section
_ORDER = "<" if sys.byteorder == "little" else ">"


class Symbol(NamedTuple):
    """Where in the file something lies that a library defines; None if nowhere."""

    offset: int | None
    size: int


@dataclass
class ElfOutline:
    """What there is in a library for this machine.

    Attributes
    ----------
    needed : list of str
        Names of the libraries it is linked to.
    search : list of str
        Folders in which these are looked for first, as it names them (``$ORIGIN/...``).
    defined : dict of str to Symbol
    undefined : set of str
    """

    needed: list[str] = field(default_factory=list)
    search: list[str] = field(default_factory=list)
    defined: dict[str, Symbol] = field(default_factory=dict)
    undefined: set[str] = field(default_factory=set)


def machine_of(path: str | os.PathLike[str]) -> str:
    """Return which processors a library is for, as "x86-64, 64 bits, little-endian"."""
    with open(path, "rb") as file:
        header = file.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES or not header.startswith(b"\x7fELF"):
        raise TVMValueError(f"{os.fspath(path)}: it is not a shared library of ELF")
    number = int.from_bytes(header[18:20], "big" if header[5] == 2 else "little")
    machine = MACHINES.get(number, f"machine {number}")
    order = "big" if header[5] == 2 else "little"
    return f"{machine}, {64 if header[4] == 2 else 32} bits, {order}-endian"


def read_outline(contents: mmap.mmap) -> ElfOutline:
    """Read a library of 64 bits and of this machine's byte order.

    Raises
    ------
    ValueError
        If something lies where the file has nothing.
    """
    try:
        return _Reader(contents).read()
    except (struct.error, IndexError, ValueError) as error:
        raise TVMValueError(f"the library contradicts itself: {error}") from None


class _Reader:
    def __init__(self, contents: mmap.mmap) -> None:
        self.contents = contents
        self.loads: list[tuple[int, int, int]] = []  # address, offset, size in the file
        self.dynamic: list[tuple[int, int]] = []

    def read(self) -> ElfOutline:
        segments_at, sections_at = self.numbers("QQ", 32)
        segment_size, segments, section_size, sections = self.numbers("HHHH", 54)
        for index in range(segments):
            at = segments_at + index * segment_size
            kind, _, offset, address, _, size = self.numbers("IIQQQQ", at)
            if kind == _LOAD:
                self.loads.append((address, offset, size))
            elif kind == _DYNAMIC:
                self.dynamic = [
                    self.numbers("qQ", offset + each)  # type: ignore[misc]
                    for each in range(0, size // 16 * 16, 16)
                ]
        outline = ElfOutline()
        names = self.place(next((value for tag, value in self.dynamic if tag == _STRTAB), 0))
        if names is None:
            return outline
        for tag, value in self.dynamic:
            if tag == _NEEDED:
                outline.needed.append(self.text(names + value))
            elif tag in (_RPATH, _RUNPATH):
                outline.search += self.text(names + value).split(":")
        for index in range(sections):
            at = sections_at + index * section_size
            _, kind, _, _, offset, size = self.numbers("IIQQQQ", at)
            if kind == _DYNSYM:
                for symbol in range(offset, offset + size // 24 * 24, 24):
                    self.add_symbol(symbol, names, outline)
        return outline

    def add_symbol(self, at: int, names: int, outline: ElfOutline) -> None:
        name_at, _, _, section, value, size = self.numbers("IBBHQQ", at)
        name = self.text(names + name_at)
        if section:
            outline.defined[name] = Symbol(self.place(value), size)
        elif name:
            outline.undefined.add(name)

    def numbers(self, form: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(_ORDER + form, self.contents, at)

    def place(self, address: int) -> int | None:
        """Where in the file lies what is loaded to an address."""
        for begin, offset, size in self.loads:
            if begin <= address < begin + size:
                return address - begin + offset
        return None

    def text(self, at: int) -> str:
        end = self.contents.find(b"\0", at)
        if end < 0:
            raise ValueError("a name does not end")
        return self.contents[at:end].decode("utf-8", "surrogateescape")
