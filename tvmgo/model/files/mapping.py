# SPDX-License-Identifier: Apache-2.0
"""The bytes of parameters, which kernels will read where they lie for as long as a model lives.

A mapped file must not change: what is written to it would silently be other parameters, and to read
what has been cut off ends the process. So a file is mapped only if this process cannot write to it,
or by way of a clone, which shares its blocks but not what is written later. Any other is read.
"""

from __future__ import annotations

import mmap
import os
from typing import Any, BinaryIO

import numpy as np

from tvmgo._core.array import empty
from tvmgo._native.copies import make_clone
from tvmgo.exceptions import TVMError
from tvmgo.model.files.parts import FilePart


def bytes_of(part: FilePart, private: bool | None) -> Any:
    """Return what a file holds, as an array of bytes that nothing changes.

    Parameters
    ----------
    part : FilePart
    private : bool or None
        True: a clone or a copy. False: the file is mapped, and must not be written to. None: it is
        mapped if this process cannot write to it.
    """
    if part.size == 0:
        return empty((0,), "uint8")
    with part.open() as file:
        if private is False or (private is None and not is_writable(part)):
            return mapped(file.fileno(), part)
        clone = make_clone(file.fileno(), part.path)
        if clone is None:
            return read(file, part)
        try:
            return mapped(clone, part)
        finally:
            os.close(clone)


def is_writable(part: FilePart) -> bool:
    """Whether this process may write to the file, or may give itself the right to."""
    if os.name != "posix":
        return True
    if os.statvfs(part.path).f_flag & os.ST_RDONLY:
        return False
    is_owner = os.stat(part.path).st_uid == os.geteuid()
    effective = os.access in os.supports_effective_ids
    return is_owner or os.access(part.path, os.W_OK, effective_ids=effective)


def mapped(file: int, part: FilePart) -> np.ndarray:
    before = part.start % mmap.ALLOCATIONGRANULARITY
    try:
        # What an operator in Python writes by mistake stays in this process, and does not end it.
        memory = mmap.mmap(
            file, before + part.size, access=mmap.ACCESS_COPY, offset=part.start - before
        )
    except ValueError as error:  # it is shorter now
        raise TVMError(f"{part}: {error}") from None
    return np.frombuffer(memory, np.uint8, part.size, before)


def read(file: BinaryIO, part: FilePart) -> Any:
    array = empty((part.size,), "uint8")
    memory = memoryview(np.asarray(array))  # type: ignore[arg-type]  # NumPy 2 says so, 1 does not
    file.seek(part.start)
    while memory:
        count = file.readinto(memory)  # type: ignore[attr-defined]  # it is not buffered
        if not count:
            raise TVMError(f"{part}: expected {len(memory)} bytes more")
        memory = memory[count:]
    return array
