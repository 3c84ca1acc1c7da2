# SPDX-License-Identifier: Apache-2.0
"""Where frameworks are: managed environments where there are such, else one that pip fills; and their models."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.helpers import CHECKOUT, environment_of
from tvmgo.compiler.environments.install import install
from tvmgo.compiler.environments.interpreters import COMPILERS

MAKING = Path(__file__).parent / "making"
CACHE = CHECKOUT / ".cache" / "frameworks"

# By the program that writes models: the environment, and what pip is to install if it is none of tvmgo's.
PROGRAMS = {
    "pytorch": ("torch==2.13.0", "onnx", "onnxscript"),
    "tensorflow": (),
    "paddle": (),
    "mxnet": (),
    "coreml": (),
    "darknet": ("opencv-python-headless<5",),
}


def python_of(program: str) -> Path:
    """Return a Python that has the framework, made on first use."""
    if program in COMPILERS:
        return install(program, say=lambda line: None)
    return environment_of(CACHE / program, PROGRAMS[program])


def models_of(program: str) -> list[Path]:
    """Return the files and folders that a program writes, written on first use."""
    folder = CACHE / "models" / program
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        script = MAKING / f"{program}_files.py"
        subprocess.run([python_of(program), script, folder], check=True, stdout=sys.stderr)
        (folder / "complete").touch()
    return sorted(path.with_suffix("") for path in folder.glob("*.npz"))
