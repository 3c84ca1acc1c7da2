# SPDX-License-Identifier: Apache-2.0
"""Under which names the system's loader is to open the file of a library.

It maps files: code that is overwritten while it is loaded, as `cp` does, changes under whoever runs
it, or is gone. So it is given copies. And it knows libraries by name: asked again for one that is
still in memory it returns that, even when another file lies there now. Then it is given another
name.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from tvmgo._native.copies import make_copy
from tvmgo._native.forks import loading
from tvmgo.exceptions import TVMError, TVMOSError

_Result = TypeVar("_Result")

COPY_LIMIT = 32 << 20  # bytes that are copied unasked
_TICK = 0.02  # seconds; files written within one may have the same time
_ATTEMPTS = 10
# Where folders for names, and for copies if need be, are made. In memory it takes a tenth of the time;
# None is the usual place of temporary files.
_FOLDERS = ("/dev/shm", None)


class _File:
    """What this process has loaded of one file."""

    def __init__(self) -> None:
        self.stamp_in_place: tuple[int, ...] | None = None
        self.stamp_of_copy: tuple[int, ...] | None = None
        self.name_of_copy = ""


_files: dict[tuple[int, int], _File] = {}  # by device and inode

if os.name == "posix":
    # Not a PyDLL: another thread, which is in the system's loader, may be waiting for the GIL.
    _system = ctypes.CDLL(None)
    _system.dlopen.restype = ctypes.c_void_p
    _system.dlopen.argtypes = (ctypes.c_char_p, ctypes.c_int)
    _system.dlclose.argtypes = (ctypes.c_void_p,)


@contextlib.contextmanager
def _in_memory(name: str) -> Iterator[int]:
    """Give the handle of a library and keep it in memory; 0 if it is not there."""
    handle = _system.dlopen(os.fsencode(name), os.RTLD_LAZY | os.RTLD_NOLOAD) or 0
    try:
        yield handle
    finally:
        if handle:
            _system.dlclose(handle)


def load_file(
    path: str,
    private: bool | None,
    needs_origin: Callable[[str], bool],
    load: Callable[[str, str], _Result],
) -> _Result:
    """Load the library at `path`.

    `load(source, name)` does it: the bytes of the library can be read at `source`, and the system's
    loader is to open it as `name`. Both are of use only until `load` returns.
    `needs_origin(path)` tells whether the library may need other files beside it.

    Raises
    ------
    TVMError
        If the library is to be mapped in place and was overwritten since it was; if the file is
        being written to.
    TVMOSError
        If no copy can be made and `private` is True.
    """
    if os.name != "posix":  # files are not overwritten there while they are loaded
        return load(path, path)
    for _ in range(_ATTEMPTS):
        try:
            file = open(path, "rb", buffering=0)  # noqa: SIM115
        except OSError:
            return load(path, path)  # says why it cannot be read
        with file, loading, contextlib.ExitStack() as stack:
            status = settled(file.fileno())
            if status.st_size == 0:
                return load(path, path)
            known = _files.setdefault((status.st_dev, status.st_ino), _File())
            naming = _Naming(path, file.fileno(), status, known, stack)
            source, name = naming.choose(private, needs_origin(path))
            if source == path or not naming.changed(file.fileno()):
                result = load(source, name)
                if source != path or not naming.changed(path):
                    return result
    raise TVMError(f"path: {path!r} is being written to; {_ADVICE}")


@contextlib.contextmanager
def copy_of_part(file: int, name: str, start: int, size: int) -> Iterator[str]:
    """Give the path of a copy of a part of an open file; nobody can open it after the block.

    Raises
    ------
    TVMOSError
        If none can be made.
    """
    with contextlib.ExitStack() as stack:
        for parent in _FOLDERS:
            try:
                folder = stack.enter_context(_folder_in(parent))
            except OSError:  # not there, or not ours
                continue
            target = os.path.join(folder, name)
            copy = make_copy(file, target, target, part=(start, size))
            if copy is not None:
                stack.callback(os.close, copy)
                yield target
                return
        raise TVMOSError(f"{name}: no copy of it can be made")


@contextlib.contextmanager
def _folder_in(parent: str | None) -> Iterator[str]:
    """Give a new folder, which goes again with the files in it."""
    if parent is None:
        import tempfile  # takes as long as all of tvmgo, and is rarely needed

        parent = tempfile.gettempdir()
    folder = os.path.join(parent, f"tvmgo-{os.urandom(8).hex()}")
    os.mkdir(folder, 0o700)
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):
            for name in os.listdir(folder):
                os.unlink(os.path.join(folder, name))
            os.rmdir(folder)


_ADVICE = "write a new library to another file in the same folder and rename that (os.replace)"


def settled(file: int) -> os.stat_result:
    """Return the status of an open file, which shows whatever is written to it from now on."""
    while True:
        status = os.fstat(file)
        age = time.time() - status.st_ctime_ns / 1e9
        if not 0 <= age < _TICK:
            return status
        time.sleep(_TICK - age)


class _Naming:
    """The choice of names for a file. All that these need is released with `stack`."""

    def __init__(
        self,
        path: str,
        file: int,
        status: os.stat_result,
        known: _File,
        stack: contextlib.ExitStack,
    ) -> None:
        self.path, self.file, self.known, self.stack = path, file, known, stack
        self.status = status
        self.stamp = (status.st_size, status.st_mtime_ns)
        self.name = os.path.basename(path)

    def changed(self, file: int | str) -> bool:
        """Whether what is at a path, or is open, is not the file as it was."""
        now, then = os.stat(file), self.status
        return (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns) != (
            then.st_dev,
            then.st_ino,
            *self.stamp,
        )

    def choose(self, private: bool | None, needs_origin: bool) -> tuple[str, str]:
        """Return where to read the library, and the name to open it by."""
        in_place, mapped = self._name_in_place()
        stamp = self.known.stamp_in_place
        overwritten = mapped and stamp is not None and stamp != self.stamp
        # Opened so before, it has its one set of variables there.
        if private or (private is None and not needs_origin and (overwritten or not mapped)):
            names = self._name_of_copy(private, needs_origin)
            if names is not None:
                return names
        if overwritten:
            raise TVMError(
                f"path: the library {self.path!r} was overwritten while it is loaded, and what is "
                f"loaded cannot be used any more; {_ADVICE}"
            )
        self.known.stamp_in_place = self.stamp
        return self.path, in_place

    def _folder(self, parent: str | None = None) -> str:
        return self.stack.enter_context(_folder_in(parent))

    def _keep_in_memory(self, name: str) -> int:
        return self.stack.enter_context(_in_memory(name))

    def _name_beside(self) -> str:
        """Return the name of a file to come in the same folder, which will go again."""
        target = f"{os.path.dirname(self.path)}/.tvmgo-{os.urandom(8).hex()}-{self.name}"

        @self.stack.callback
        def remove() -> None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(target)

        return target

    def _name_in_place(self) -> tuple[str, bool]:
        """Return a name for the file itself, and whether it is in memory."""
        named = self._keep_in_memory(self.path)
        if not named:
            return self.path, False
        # In memory is the file, or another that was there before. By a name that the loader does
        # not know it looks at the file. The folder has that name, for libraries that need it.
        folder = os.path.join(self._folder(), "folder")
        os.symlink(os.path.dirname(self.path), folder)
        elsewhere = os.path.join(folder, self.name)
        mapped = self._keep_in_memory(elsewhere)
        return (self.path if named == mapped else elsewhere), bool(mapped)

    def _name_of_copy(self, private: bool | None, needs_origin: bool) -> tuple[str, str] | None:
        """Return where to read a copy and its name, or None if none is to be had."""
        stamp = (*self.stamp, self.status.st_ctime_ns)
        known = self.known
        if stamp == known.stamp_of_copy and self._keep_in_memory(known.name_of_copy):
            return self.path, known.name_of_copy  # the copy has no file any more
        clone_only = private is None and self.status.st_size > COPY_LIMIT
        for parent in _FOLDERS:
            try:
                folder = self._folder(parent)
            except OSError:  # not there, or not ours
                continue
            target = self._name_beside() if needs_origin else os.path.join(folder, self.name)
            copy = make_copy(self.file, self.path, target, clone_only)
            if copy is not None:
                self.stack.callback(os.close, copy)
                known.stamp_of_copy, known.name_of_copy = stamp, target
                return target, target
        if private:
            raise TVMOSError(f"private: no copy of {self.path!r} can be made")
        return None
