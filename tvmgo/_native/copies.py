# SPDX-License-Identifier: Apache-2.0
"""Copies of files of code that nobody else can write to, and that leave nothing behind."""

from __future__ import annotations

import errno
import mmap
import os
import sys
from collections.abc import Callable
from functools import partial

_FICLONE = 0x40049409  # linux/fs.h
_CHUNK = 1 << 20
_no_clones: set[int] = set()  # the devices of file systems that cannot clone


def make_copy(
    source: int,
    path: str,
    target: str,
    clone_only: bool = False,
    part: tuple[int, int] | None = None,
) -> int | None:
    """Make `target`, where nothing is yet, lead to a copy of an open file.

    The first of these that the system lets us do: a clone, which shares the blocks of the file
    until one of both is written to; a copy in memory, which has the name of the file, for
    debuggers and profilers; a file at `target`. With `clone_only` nothing but the first. Of a
    `part`, its start and size, there are no clones.

    Returns the copy, an open file that the caller closes after use; or None. Nobody else can open
    the copy any more after that and after removing `target`.
    """
    write = partial(_write, start=part[0], size=part[1]) if part else _write
    ways: list[tuple[Callable[[str, str], int], Callable[[int, int], object]]] = []
    if sys.platform == "linux":  # elsewhere there is no path to a file without a name
        if part is None:
            ways.append((_create_beside, _clone))
        ways.append((_create_in_memory, write))
    ways.append((_create_at_target, write))
    for create, fill in ways[:1] if clone_only else ways:
        try:
            copy = create(path, target)
        except OSError:
            continue
        try:
            fill(source, copy)
            # Some systems, or the folder's, forbid to run code from such a file.
            mmap.mmap(copy, 1, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC).close()
            if not os.path.lexists(target):
                os.symlink(f"/proc/{os.getpid()}/fd/{copy}", target)  # a linker's self is another
        except OSError:
            os.close(copy)
            continue
        return copy
    return None


def make_clone(source: int, path: str) -> int | None:
    """Return a clone of an open file that lies at `path`, an open file of no name; None if the file
    system makes none.
    """
    try:
        clone = _create_beside(path, "")
    except (OSError, AttributeError):  # no such flag elsewhere than on Linux
        return None
    try:
        _clone(source, clone)
    except OSError:
        os.close(clone)
        return None
    return clone


def _create_beside(path: str, _target: str) -> int:
    if os.stat(os.path.dirname(path)).st_dev in _no_clones:  # a file there and back takes its time
        raise OSError(errno.EOPNOTSUPP, "cannot clone")
    return os.open(os.path.dirname(path), os.O_TMPFILE | os.O_RDWR, 0o700)


def _create_in_memory(path: str, _target: str) -> int:
    return os.memfd_create(os.fsdecode(os.fsencode(os.path.basename(path))[:200]))


def _create_at_target(_path: str, target: str) -> int:
    return os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o700)


def _clone(source: int, copy: int) -> None:
    import fcntl

    try:
        fcntl.ioctl(copy, _FICLONE, source)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.ENOTTY):
            _no_clones.add(os.fstat(copy).st_dev)
        raise


def _write(source: int, copy: int, start: int = 0, size: int = sys.maxsize) -> None:
    end = start + size
    while chunk := os.pread(source, min(_CHUNK, end - start), start):
        start += len(chunk)
        while chunk:
            chunk = chunk[os.write(copy, chunk) :]
