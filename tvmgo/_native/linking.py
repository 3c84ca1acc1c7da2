# SPDX-License-Identifier: Apache-2.0
"""Object files, and archives of them, made into the shared library that they are to become.

TVM's compilers write them where no linker was to be had, and TVM's ``load_module`` links them.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator

from tvmgo._native import locate
from tvmgo.exceptions import TVMError, TVMValueError

FORMATS = ("o", "obj", "a", "tar", "tgz")
_SOURCES = (".c", ".cc", ".cpp")
_COMPILERS = ("g++", "clang++", "c++", "gcc", "clang", "cc")
_COMMAND = "g++ -shared -fPIC -o deploy.so"

_RELOCATABLE = 1  # ET_REL
_TAR_MAGIC_AT = 257
_HEADER_BYTES = 264


@contextlib.contextmanager
def linked(path: str, required: bool) -> Iterator[str]:
    """Give the path of the shared library that a file is, or has been linked to meanwhile.

    Raises
    ------
    TVMValueError
        If nothing is to be linked, and that is required; if it is an archive without code, or code for another processor.
    TVMError
        If there is no compiler, or it fails.
    """
    kind = kind_of(path)
    if kind is None:
        if required:
            raise TVMValueError(
                f'path: {path!r} is no object file; for a shared library, pass format="so"'
            )
        yield path
        return
    import tempfile  # here and below: rarely needed, and half as much to import as all of tvmgo

    with tempfile.TemporaryDirectory(prefix="tvmgo-") as folder:
        inputs = _unpack(path, folder) if kind == "tar" else [path]
        for file in inputs:
            _require_own_processor(path, file)
        library = os.path.join(folder, os.path.basename(path) + ".so")
        _link(path, inputs, library)
        yield library


def _read_header(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_HEADER_BYTES)
    except OSError:  # whoever loads it will say so
        return b""


def kind_of(path: str) -> str | None:
    """Return "object", "archive" or "tar", or None for what is no work for a linker."""
    header = _read_header(path)
    if header.startswith(b"\x7fELF"):
        return "object" if _elf_number(header, 16) == _RELOCATABLE else None
    if header.startswith(b"!<arch>\n"):
        return "archive"
    suffix = os.path.splitext(path)[1][1:]
    if suffix in ("tar", "tgz") or path.endswith(".tar.gz"):
        return "tar"
    return "tar" if header[_TAR_MAGIC_AT:].startswith(b"ustar") else None


def _elf_number(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 2], "big" if header[5:6] == b"\2" else "little")


def _require_own_processor(path: str, file: str) -> None:
    """Refuse an object file for another one than libtvm_ffi; archives and sources may be any."""
    header, own = _read_header(file), _read_header(locate.loaded["tvm_ffi"])
    if not header.startswith(b"\x7fELF") or not own.startswith(b"\x7fELF"):
        return
    if header[4:6] != own[4:6] or _elf_number(header, 18) != _elf_number(own, 18):
        raise TVMValueError(
            f"path: {path!r} holds code for another processor (ELF machine "
            f"{_elf_number(header, 18)}, this process is {_elf_number(own, 18)}); compile the "
            f"model for this one"
        )


def _unpack(path: str, folder: str) -> list[str]:
    """Write the code in an archive to files of ours, whatever names it has there."""
    import shutil
    import tarfile

    inputs: list[str] = []
    others: list[str] = []
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if not member.isreg() or member.issparse():
                    continue
                content = archive.extractfile(member)
                assert content is not None
                name = re.sub(r"[^A-Za-z0-9_.]", "_", member.name.rpartition("/")[2])[-100:]
                target = os.path.join(folder, f"{len(inputs)}-{name}")
                with open(target, "wb") as file:
                    shutil.copyfileobj(content, file)
                kind = kind_of(target)
                if kind in ("object", "archive") or name.endswith(_SOURCES):
                    inputs.append(target)
                else:
                    others.append(member.name)
                    os.remove(target)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise TVMValueError(f"path: {path!r} is no readable tar archive: {error}") from None
    if not inputs:
        found = f", only {', '.join(map(ascii, others[:10]))}" if others else ""
        hint = "; unpack it, and load the shared library in it" if _has_library(others) else ""
        raise TVMValueError(
            f"path: {path!r} holds no object file{found}{hint}; expected what TVM's "
            f"export_library writes"
        )
    return inputs


def _has_library(names: list[str]) -> bool:
    return any(name.endswith((".so", ".dll", ".dylib")) for name in names)


def find_compiler() -> list[str] | None:
    import shlex
    import shutil

    for variable in ("CXX", "CC"):
        if os.environ.get(variable):
            return shlex.split(os.environ[variable])
    for name in _COMPILERS:
        found = shutil.which(name)
        if found:
            return [found]
    return None


def _link(path: str, inputs: list[str], library: str) -> None:
    import shlex
    import subprocess

    advice = f"or make a shared library of it elsewhere: `{_COMMAND} *.o`"
    compiler = find_compiler()
    if compiler is None:
        raise TVMError(
            f"path: {path!r} has to be linked, and there is no compiler ({', '.join(_COMPILERS)}); "
            f"install one, name one in the environment variable CXX or CC, {advice}"
        )
    whole, rest = ["-Wl,--whole-archive"], ["-Wl,--no-whole-archive"]
    if sys.platform == "darwin":
        whole, rest = ["-Wl,-all_load", "-undefined", "dynamic_lookup"], []
    command = [*compiler, "-shared", "-fPIC", "-o", library, *whole, *inputs, *rest]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
        )
    except OSError as error:
        raise TVMError(
            f"path: {path!r} has to be linked, and the compiler {compiler[0]!r} cannot be run: "
            f"{error.strerror}; name one in the environment variable CXX or CC, {advice}"
        ) from None
    if done.returncode != 0:
        raise TVMError(
            f"path: {path!r} cannot be linked: {shlex.join(command)} failed: "
            f"{done.stderr.strip()[-2000:]}"
        )
