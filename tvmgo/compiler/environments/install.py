# SPDX-License-Identifier: Apache-2.0
"""Making managed environments, and removing them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tvmgo.compiler.environments import probe
from tvmgo.compiler.environments.interpreters import (
    COMPILERS,
    ask,
    own_interpreter,
    python_name,
    pythons_for,
)
from tvmgo.compiler.environments.lock_files import environment_name, locks_of
from tvmgo.compiler.environments.needs import lacking
from tvmgo.compiler.environments.places import (
    Environment,
    as_os_error,
    current,
    delete,
    exclusively,
    present,
    root,
)
from tvmgo.exceptions import TVMError, TVMImportError, TVMOSError, TVMValueError

Say = Callable[[str], object]

# Settings of pip that are about other environments than the one it is to fill.
NOT_HERE = ("TARGET", "PREFIX", "ROOT", "CONSTRAINT", "REQUIREMENT", "DRY_RUN", "NO_BINARY")


def tell(text: str) -> None:
    print(text, flush=True)  # before what pip prints


def install(kind: str, *, wheels: str | os.PathLike[str] | None = None, say: Say = tell) -> Path:
    """Make the managed environment of a compiler, unless it is there, and return its Python.

    It is made from the lock file of this Python, or of another in PATH if there is none for this.
    pip shows its progress itself. All or nothing: whatever goes wrong, and whenever this process
    ends, there is no environment afterwards or a complete one. Of several processes that install
    the same at once, one does and the others wait.

    Parameters
    ----------
    kind : {"relax", "relay"}
    wheels : path-like, optional
        A folder with all the wheels; then no network is used.
    say : callable
        Called with a line of text as each step begins.

    Raises
    ------
    TVMImportError
        If there are no wheels for this platform, or for this Python and those in PATH.
    TVMOSError
        If the folder of the environments cannot be written, or pip failed; it has said why.
    """
    check_kind(kind)
    if wheels is not None:
        wheels = Path(wheels).absolute()
        if not wheels.is_dir():
            raise TVMValueError(f"wheels: expected a folder, got {str(wheels)!r}")
    if (found := whole(kind)) is None:
        python, lock = python_and_lock(kind)
        with exclusively(kind, say) as (place, held):
            if (found := whole(kind)) is None:  # another process may have made it meanwhile
                found = Environment(root() / kind / environment_name(lock))
                say(f"making {found.path} by {python}")
                make(kind, python, lock, wheels, place, found, held)
    say(f"{kind}: {found.path}")
    return found.interpreter


def remove(kind: str, *, outdated: bool = False, say: Say = tell) -> list[Path]:
    """Delete the managed environments of a compiler, and return where they were.

    Parameters
    ----------
    kind : {"relax", "relay"}
    outdated : bool
        Leave those that this release would take.
    say : callable
        Called with a line of text for each.

    Raises
    ------
    TVMOSError
        If they cannot be deleted.
    """
    check_kind(kind)
    if not (root() / kind).is_dir():
        return []
    removed = []
    with exclusively(kind, say) as (place, _):
        kept = current(kind) if outdated else []
        for environment in present(kind):
            if environment not in kept:
                delete(environment, place)
                say(f"removed {environment.path}")
                removed.append(environment.path)
    return removed


def check_kind(kind: str) -> None:
    if kind not in COMPILERS:
        raise TVMValueError(f"kind: expected one of {', '.join(COMPILERS)}, got {kind!r}")


def whole(kind: str) -> Environment | None:
    return next((environment for environment in current(kind) if environment.whole), None)


def python_and_lock(kind: str) -> tuple[Path, Path]:
    """Return a Python for which there is a lock file: this one, or one in PATH."""
    locks = locks_of(kind, probe.platform_name())
    own = own_interpreter()
    if own is not None and probe.python_tag() in locks:
        return own, locks[probe.python_tag()]
    for tag in locks:
        for folder in os.get_exec_path():
            python = Path(folder).absolute() / python_name(tag)
            if python.is_file() and answers_as(python, tag):
                return python, locks[tag]
    raise TVMImportError(
        f"{kind} is not for {probe.python_tag()}, which {sys.executable} is: "
        f"tvmgo compiler install {kind}{pythons_for(kind)}"
    )


def answers_as(python: Path, tag: str) -> bool:
    """Whether a Python is what its name says: a name may be a version manager's, which knows
    none of that version."""
    try:
        described = ask(python)
    except TVMError:
        return False
    return bool(described["tag"] == tag and described["platform"] == probe.platform_name())


def make(
    kind: str,
    python: Path,
    lock: Path,
    wheels: Path | None,
    place: Path,
    environment: Environment,
    held: int,
) -> None:
    """Make an environment at a place, and move it to where it belongs."""
    made = Environment(place)
    source = ["--no-index", "--find-links", str(wheels)] if wheels else []
    run(held, python, "-m", "venv", "--prompt", f"tvmgo-{kind}", place)
    exact = ("--require-hashes", "--only-binary", ":all:", "--no-deps", "--requirement", lock)
    try:
        run(held, made.interpreter, "-m", "pip", "install", "--no-user", *exact, *source)
    except TVMOSError as error:
        if wheels is None:
            raise
        raise TVMOSError(
            f"{error}. Where there is a network, with the same Python and platform, this fetches "
            f"the wheels: pip download {shlex.join(map(str, [*exact, '--dest', wheels]))}"
        ) from error
    if lacks := lacking(kind, made.versions):
        raise TVMOSError(f"pip has installed elsewhere, by its settings: {', '.join(lacks)}")
    with as_os_error():
        name_in_scripts(place, environment.path)
        if environment.path.exists():  # has lost its Python
            environment.path.rename(place / "lost")
        place.rename(environment.path)


def run(held: int, python: Path, *arguments: str | Path) -> None:
    """Run a module of a Python, on our own terminal."""
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    } | {f"PIP_{name}": "" for name in NOT_HERE}
    command = [str(python), "-I", *map(str, arguments)]
    done = subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, pass_fds=[held])
    if done.returncode != 0:
        raise TVMOSError(
            f"{' '.join(command)}: failed with exit status {done.returncode}, see above"
        )


def name_in_scripts(place: Path, final: Path) -> None:
    """Write the final place into the scripts of an environment, which name their Python."""
    for script in (place / "bin").iterdir():
        if not script.is_symlink():
            content = script.read_bytes()
            renamed = content.replace(os.fsencode(place), os.fsencode(final))
            if renamed != content:
                script.write_bytes(renamed)
