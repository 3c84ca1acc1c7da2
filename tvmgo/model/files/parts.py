# SPDX-License-Identifier: Apache-2.0
"""The files of a model: each is a file of its own, or a part of one that holds them all."""

from __future__ import annotations

import contextlib
import functools
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple, TypeVar

from tvmgo._native.library_files import copy_of_part, settled
from tvmgo.exceptions import TVMError, TVMOSError, TVMValueError

CHUNK = 1 << 20
ATTEMPTS = 5

Stamp = tuple[int, int, int, int]
_Function = TypeVar("_Function", bound=Callable[..., Any])


class FileChangedError(TVMError):
    """A file was replaced or written to while the files of a model were read."""


def again_if_replaced(function: _Function) -> _Function:
    """Have a function that finds and reads files called anew if they are replaced meanwhile."""

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        for _ in range(ATTEMPTS - 1):
            with contextlib.suppress(FileChangedError):
                return function(*args, **options)
        return function(*args, **options)

    return call  # type: ignore[return-value]


class FilePart(NamedTuple):
    """A file, or a part of a bundle.

    Attributes
    ----------
    name : str
        Without folders.
    path : str
        Of the file that it is, or is in.
    stamp : tuple of int
        What would be another one if the file at `path` was replaced or written to.
    start, size : int
        Which bytes of the file it is.
    checksum : int or None
        The CRC-32 of a part of a bundle; None for a file of its own.
    """

    name: str
    path: str
    stamp: Stamp
    start: int
    size: int
    checksum: int | None = None

    def __str__(self) -> str:
        return self.path if self.checksum is None else f"{self.path}: {self.name}"

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Give the open file, which is the one that was found, and is so after the block, too.

        Raises
        ------
        FileChangedError
            If it is another one, or is written to meanwhile.
        """
        with open_file(self.path) as file:
            self._compare(settled(file.fileno()))
            yield file
            self._compare(os.fstat(file.fileno()))

    def _compare(self, status: os.stat_result) -> None:
        if stamp_of(status) != self.stamp:
            raise FileChangedError(
                f"{self.path} was replaced or written to while it was read; read it again, and "
                f"write new files beside it and rename them (os.replace)"
            )

    def chunks(self) -> Iterator[bytes]:
        """Give what it holds, piece by piece."""
        with self.open() as file:
            file.seek(self.start)
            done = 0
            while done < self.size:
                chunk = file.read(min(CHUNK, self.size - done))
                if not chunk:
                    raise TVMError(f"{self}: expected {self.size} bytes, got {done}")
                done += len(chunk)
                yield chunk

    def read_bytes(self) -> bytes:
        """Return what it holds, and raise TVMValueError if a bundle's checksum is another one."""
        contents = b"".join(self.chunks())
        self._check([contents])
        return contents

    def read_text(self, encoding: str = "utf-8") -> str:
        """The same as text; ValueError if it is none."""
        return self.read_bytes().decode(encoding)

    def check(self) -> None:
        """Raise TVMValueError if it is not what was put into the bundle."""
        self._check(self.chunks())

    def _check(self, chunks: Iterable[bytes]) -> None:
        if self.checksum is None:
            return
        import zlib

        checksum = 0
        for chunk in chunks:
            checksum = zlib.crc32(chunk, checksum)
        if checksum != self.checksum:
            raise TVMValueError(
                f"{self}: damaged: expected the checksum {self.checksum:#010x}, got {checksum:#010x}"
            )

    def sha256(self) -> str:
        """Return the digest as the manifest has it, in hexadecimal."""
        import hashlib  # loads OpenSSL

        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()

    @contextlib.contextmanager
    def as_file(self) -> Iterator[str]:
        """Give the path of a file with nothing else in it; of a part a copy, as long as the block."""
        if self.checksum is None:
            yield self.path
            return
        self.check()
        with (
            self.open() as file,
            copy_of_part(file.fileno(), self.name, self.start, self.size) as copy,
        ):
            yield copy


def stamp_of(status: os.stat_result) -> Stamp:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def open_file(path: str) -> BinaryIO:
    """Open a file, without a buffer."""
    try:
        return open(path, "rb", buffering=0)
    except OSError as error:
        raise TVMOSError(f"path: {path} cannot be read: {error.strerror}") from error


def whole_file(path: str | os.PathLike[str]) -> FilePart:
    """Return a file of its own.

    Raises
    ------
    TVMValueError
        If it is a pipe or the like, which could not be read twice.
    """
    path = os.fspath(path)
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise TVMValueError(f"path: {path} is no regular file")
    return FilePart(os.path.basename(path), path, stamp_of(status), 0, status.st_size)


def is_file_name(name: str) -> bool:
    """Whether it names a file without a folder."""
    return name not in ("", ".", "..") and not set(name) & set("/\\\0")
