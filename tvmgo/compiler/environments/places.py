# SPDX-License-Identifier: Apache-2.0
"""Where managed environments lie: ``<root>/<compiler>/<python>-<platform>-<digest of its lock>``.

What has such a name is complete: environments are made as `UNFINISHED` and renamed, and renamed
back before they are deleted. Only who holds the compiler's file lock does either; whoever looks
for an environment needs no lock and writes nothing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tvmgo.compiler.environments.lock_files import environment_name, locks_of
from tvmgo.compiler.environments.needs import DISTRIBUTIONS
from tvmgo.compiler.environments.probe import platform_name, python_tag, versions_of
from tvmgo.exceptions import TVMImportError, TVMOSError

ROOT_VARIABLE = "TVMGO_COMPILERS"
UNFINISHED = "unfinished"
LOCK = "lock"


def root() -> Path:
    """Return the folder of all managed environments, which need not be there."""
    if chosen := os.environ.get(ROOT_VARIABLE):
        return Path(chosen).expanduser().absolute()
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():  # as the XDG specification wants it
        cache = Path(os.path.expanduser("~/.cache"))
        if not cache.is_absolute():  # in a container, for a user without a name
            raise TVMImportError(f"no home folder: {ROOT_VARIABLE} has to name one for compilers")
    return cache / "tvmgo" / "compilers"


@dataclass(frozen=True)
class Environment:
    """A virtual environment that was made by ``tvmgo compiler install``, or could be."""

    path: Path

    @property
    def interpreter(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def whole(self) -> bool:
        """Whether it is there, and the Python from which it was made is still there, too."""
        return self.interpreter.is_file()

    @property
    def python(self) -> str:
        """The version of its Python."""
        try:
            lines = (self.path / "pyvenv.cfg").read_text().splitlines()
        except OSError:
            return "?"
        settings = dict(line.partition(" = ")[::2] for line in lines)
        return settings.get("version", "?")

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the packages in it that workers need."""
        found: dict[str, str] = versions_of(
            DISTRIBUTIONS, [str(path) for path in self.path.glob("lib/python*/site-packages")]
        )
        return found

    @property
    def size(self) -> int:
        """The bytes of all its files."""
        return sum(
            os.lstat(os.path.join(folder, file)).st_size
            for folder, _, files in os.walk(self.path)
            for file in files
        )


def current(kind: str) -> list[Environment]:
    """Return the environments of a compiler that this release would make here: one for each
    Python, that of this Python's version first. They need not be there."""
    locks = locks_of(kind, platform_name())
    own = python_tag()
    tags = sorted(locks, key=lambda tag: tag != own)
    return [Environment(root() / kind / environment_name(locks[tag])) for tag in tags]


def present(kind: str) -> list[Environment]:
    """Return the environments of a compiler that are there, whoever made them, whole or not."""
    try:
        names = sorted(path for path in (root() / kind).iterdir() if path.is_dir())
    except OSError:
        return []
    return [Environment(path) for path in names if path.name != UNFINISHED]


@contextmanager
def exclusively(kind: str, say: Callable[[str], object]) -> Iterator[tuple[Path, int]]:
    """Let one process at a time change a compiler's environments.

    Gives the place where an environment is made, which is free, and the file that is locked. Who
    inherits the file keeps the lock: an orphan that still writes to that place keeps others away.
    """
    folder = root() / kind
    with as_os_error():
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / LOCK, "a")  # noqa: SIM115  closed below
    with lock:
        with as_os_error():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"waiting for another process that installs or removes {kind} ...")
                fcntl.flock(lock, fcntl.LOCK_EX)
        place = folder / UNFINISHED
        with as_os_error():
            clear(place)
        try:
            yield place, lock.fileno()
        finally:
            # Who was stopped may still write there for a moment; the next cleans up.
            shutil.rmtree(place, ignore_errors=True)


def delete(environment: Environment, place: Path) -> None:
    """Delete an environment, by way of the place of unfinished ones; the caller has the lock."""
    with as_os_error():
        environment.path.rename(place)
        clear(place)


def clear(place: Path) -> None:
    if place.exists():
        shutil.rmtree(place)


@contextmanager
def as_os_error() -> Iterator[None]:
    """Say what could not be written, and how to choose another place."""
    try:
        yield
    except OSError as error:
        raise TVMOSError(
            f"{error.filename or root()}: {error.strerror}; the variable {ROOT_VARIABLE} can name "
            "another folder for compilers"
        ) from error
