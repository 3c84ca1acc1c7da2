# SPDX-License-Identifier: Apache-2.0
"""Models in one file: an uncompressed zip archive of the files, each on a page of its own."""

from __future__ import annotations

import contextlib
import os
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO

from tvmgo.exceptions import TVMValueError
from tvmgo.model.files.parts import FilePart, is_file_name, open_file, whole_file

if TYPE_CHECKING:
    from pathlib import Path
    from zipfile import ZipFile, ZipInfo

ENDING = ".tvmgo"
PAGE = 4096  # where files begin
LOCAL_HEADER = struct.Struct("<4s22xHH")
LOCAL_MAGIC = b"PK\3\4"
UTF8, ENCRYPTED = 0x800, 0x1  # flags
# What aligns files in the archives of Android: identifier, bytes to follow, alignment.
ALIGNING = struct.Struct("<HHH")
ALIGNING_ID = 0xD935


def is_bundle_name(path: str | os.PathLike[str]) -> bool:
    return os.fspath(path).endswith(ENDING)


def read_bundle(path: str) -> dict[str, FilePart]:
    """Return the files in a bundle by name.

    Raises
    ------
    TVMValueError
        If it is no bundle, or is damaged: whatever its directory says is compared with the file.
    """
    from zipfile import ZipFile  # it takes its time to import

    whole = whole_file(path)
    with open_file(path) as file:
        try:
            with ZipFile(file) as archive:
                parts = [_part(whole, file, info) for info in archive.infolist()]
                _check_places(path, parts, archive)
        except TVMValueError:
            raise
        except Exception as error:  # zipfile's own, and many more for archives of strangers
            raise TVMValueError(f"{path}: not a bundle, or a damaged one: {error}") from None
    return {part.name: part for part in parts}


def _part(whole: FilePart, file: BinaryIO, info: ZipInfo) -> FilePart:
    path, name = whole.path, info.orig_filename
    if not is_file_name(name):
        raise TVMValueError(f"{path}: expected file names without folders, got {name!r:.60}")
    if info.flag_bits & ENCRYPTED:
        raise TVMValueError(f"{path}: {name} is encrypted")
    if info.compress_type != 0:
        raise TVMValueError(
            f"{path}: {name} is compressed, and a model is read where it lies; unzip it, and make "
            f"a bundle by `tvmgo bundle`"
        )
    file.seek(info.header_offset)
    header = file.read(LOCAL_HEADER.size)
    magic, name_bytes, extra_bytes = LOCAL_HEADER.unpack(header)
    encoding = "utf-8" if info.flag_bits & UTF8 else "cp437"
    if magic != LOCAL_MAGIC or file.read(name_bytes) != name.encode(encoding):
        raise TVMValueError(f"{path}: damaged: there is no {name} where the directory says")
    if info.compress_size != info.file_size:
        raise TVMValueError(f"{path}: damaged: {name} has two sizes")
    start = info.header_offset + LOCAL_HEADER.size + name_bytes + extra_bytes
    return FilePart(name, path, whole.stamp, start, info.file_size, info.CRC)


def _check_places(path: str, parts: Sequence[FilePart], archive: ZipFile) -> None:
    names = Counter(part.name for part in parts)
    for name, count in names.items():
        if count > 1:
            raise TVMValueError(f"{path}: {name} is there {count} times")
    end = 0
    for part in sorted(parts, key=lambda part: part.start):
        if part.start < end:
            raise TVMValueError(f"{path}: damaged: {part.name} begins inside of another file")
        end = part.start + part.size
    if end > archive.start_dir:
        raise TVMValueError(f"{path}: damaged: it is shorter than its directory says")


def write_bundle(target: Path, parts: Sequence[FilePart], digests: Mapping[str, str]) -> None:
    """Write a bundle of files, which takes the place of `target` in one step.

    Raises
    ------
    TVMValueError
        If a file has not the digest that `digests` has under its name.
    """
    import hashlib
    from zipfile import ZipFile

    with _replacing(target) as file, ZipFile(file, "w") as archive:
        for part in parts:
            info, is_large = _info(part, file.tell())
            digest = hashlib.sha256()
            with archive.open(info, "w", force_zip64=is_large) as member:
                for chunk in part.chunks():
                    digest.update(chunk)
                    member.write(chunk)
            info.extra = b""  # which the directory need not repeat
            if digests.get(part.name, digest.hexdigest()) != digest.hexdigest():
                raise TVMValueError(
                    f"{part}: not as exported: its digest in model.json is another one"
                )


def _info(part: FilePart, position: int) -> tuple[ZipInfo, bool]:
    """Describe a file that begins on a page of its own after a header at `position`.

    Also returns whether it needs the sizes of 64 bits.
    """
    import zipfile

    info = zipfile.ZipInfo(part.name)  # of 1980, so that equal models are equal files
    info.create_system = 3  # Unix
    info.external_attr = 0o100644 << 16
    info.file_size = part.size
    info.CRC = info.compress_size = 0  # to come
    is_large = part.size * 1.05 > zipfile.ZIP64_LIMIT  # as zipfile has it
    end = position + len(info.FileHeader(is_large)) + ALIGNING.size
    fill = bytes(-end % PAGE)
    info.extra = ALIGNING.pack(ALIGNING_ID, 2 + len(fill), PAGE) + fill
    return info, is_large


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """Give a new file, which takes the place of `target` if the block succeeds."""
    temporary = target.with_name(f".tvmgo-{os.urandom(8).hex()}")
    try:
        with temporary.open("xb") as file:
            yield file
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
