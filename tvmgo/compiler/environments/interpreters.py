# SPDX-License-Identifier: Apache-2.0
"""Which Python a worker runs in: one whose environment has the packages that its jobs need."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tvmgo.compiler.environments import places, probe
from tvmgo.compiler.environments.lock_files import locks_of
from tvmgo.compiler.environments.needs import DISTRIBUTIONS, NEEDS, TVM, lacking, numbers
from tvmgo.exceptions import TVMFileNotFoundError, TVMImportError, TVMValueError

# What managed environments are made for; that for relax has what simplify needs.
COMPILERS = {
    "relax": "apache-tvm 0.27",
    "relay": "TVM 0.19",
    "tensorflow": "TensorFlow and tf2onnx",
    "paddle": "PaddlePaddle and paddle2onnx",
    "mxnet": "MXNet 1.9 and its mx2onnx",
    "coreml": "coremltools and onnxmltools",
}
ENVIRONMENT = {"simplify": "relax"}  # others have their own
SECONDS = 60.0  # in which a Python has to say what it is


def interpreter_of(kind: str, compiler: str | os.PathLike[str] | None = None) -> Path:
    """Return the Python that workers of a kind run in.

    That is this process's own if its environment has what they need, else that of an environment
    that ``tvmgo compiler install`` made. No process is started for this, nothing is imported and
    nothing is written. A Python that `compiler` names is asked what it has, once in this process.

    Parameters
    ----------
    kind : str
        A key of `NEEDS`.
    compiler : path-like, optional
        A Python to take instead; for `relay` it may have any TVM 0.19. It is asked without the
        variables ``PYTHON...`` and the user's own packages, as its workers run without them, too.

    Raises
    ------
    TVMImportError
        If no environment has what workers of this kind need; says the command that makes one. An
        `ImportError`, and no `ExportError`, for it is nothing about the model.
    TVMFileNotFoundError, TVMValueError
        If `compiler` names no Python; `kind` is none of these.
    """
    if kind not in NEEDS:
        raise TVMValueError(f"kind: expected one of {', '.join(NEEDS)}, got {kind!r}")
    own = own_interpreter()
    if compiler is not None:
        path = Path(compiler).expanduser().absolute()
        if path != own:
            return accepted(kind, path)
    versions = probe.versions_of(DISTRIBUTIONS)
    lacks = lacking(kind, versions)
    if own and not lacks:
        return own
    if compiler is not None:
        raise unfit(kind, own or sys.executable, lacks)
    for environment in places.current(ENVIRONMENT.get(kind, kind)):
        if environment.whole:
            return environment.interpreter
    raise missing(kind, lacks, pip_will_do=own is not None and tvms(versions) <= {"apache-tvm"})


def own_interpreter() -> Path | None:
    """Return the Python of this process, None if it is part of a program that is none."""
    executable = Path(sys.executable or "")
    return executable if executable.name.lower().startswith(("python", "pypy")) else None


def tvms(versions: dict[str, str]) -> set[str]:
    return set(TVM) & set(versions)


@functools.cache  # remembers what it returned, not what it raised
def accepted(kind: str, interpreter: Path) -> Path:
    """Return a Python that has all that a kind of worker needs, or say what it lacks."""
    described = ask(interpreter)
    lacks = lacking(kind, described["versions"])
    if numbers(described["python"]) < (3, 10):
        lacks.insert(0, f"Python>=3.10 (it is {described['python']})")
    if lacks:
        raise unfit(kind, interpreter, lacks)
    return interpreter


def ask(interpreter: Path) -> dict[str, Any]:
    """Have a Python describe itself as `probe.describe` does."""
    command = [str(interpreter), "-I", probe.__file__, *DISTRIBUTIONS]
    try:
        said = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=True
        ).stdout
        described: dict[str, Any] = json.loads(said.splitlines()[-1])
    except FileNotFoundError as error:
        raise TVMFileNotFoundError.for_argument("compiler", str(interpreter)) from error
    except PermissionError as error:
        raise no_python(interpreter, "it cannot be executed") from error
    except subprocess.CalledProcessError as error:
        words = error.stderr.decode(errors="replace").strip().splitlines()
        said_last = words[-1] if words else "nothing"
        raise no_python(
            interpreter, f"it ended with exit status {error.returncode} and said: {said_last}"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise no_python(interpreter, f"it did not answer in {SECONDS:g} s") from error
    except (OSError, ValueError, IndexError) as error:
        raise no_python(interpreter, "it does not answer as Python does") from error
    return described


def no_python(interpreter: Path, why: str) -> TVMValueError:
    return TVMValueError(
        f"compiler: expected the path of a Python, 3.10 or newer, got {str(interpreter)!r}: {why}"
    )


# ---------------------------------------------------------------- what is missing


def unfit(kind: str, interpreter: Path | str, lacks: list[str]) -> TVMImportError:
    return TVMImportError(
        f"compiler: the environment of {interpreter} has not what {kind} needs: {', '.join(lacks)}"
    )


def missing(kind: str, lacks: list[str], *, pip_will_do: bool) -> TVMImportError:
    """Say what this environment lacks, and the one command that helps."""
    name = ENVIRONMENT.get(kind, kind)
    text = f"{kind} needs {', '.join(lacks)}, which this environment has not"
    if others := places.present(name):
        why = "is for another release of tvmgo" if others[-1].whole else "has lost its Python"
        text += f", and what is in {others[-1].path} {why}"
    if name not in COMPILERS:
        names = " ".join(need.names[0] for need in NEEDS[name])
        return TVMImportError(f"{text}: pip install {names}")
    if name == "relax" and pip_will_do:
        command = 'pip install "tvmgo[compiler]"'
    else:
        command = f"tvmgo compiler install {name}"
    return TVMImportError(f"{text}: {command}{pythons_for(name)}")


def pythons_for(name: str) -> str:
    """Say which Python an environment needs, if this is none."""
    locks = locks_of(name, probe.platform_name())
    if not locks:
        other = f" is not for this platform ({probe.platform_name()})"
        if not any(need.names[0] in TVM for need in NEEDS[name]):
            return f"{other}; install these packages into this environment"
        return f"{other}; compiler= takes the path of a Python that has {COMPILERS[name]}"
    if probe.python_tag() in locks:
        return ""
    return f", with one of {', '.join(python_name(tag) for tag in locks)} in PATH"


def python_name(tag: str) -> str:
    """Return the name of a Python's command: cp312 is python3.12."""
    return f"python{tag[2]}.{tag[3:]}"
