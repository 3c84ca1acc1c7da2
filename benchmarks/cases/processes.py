# SPDX-License-Identifier: Apache-2.0
"""Fresh interpreters: how long an import takes, and how much memory it leaves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial

from benchmarks.case import Case, Figure, Group, Target, Timed, constant, equals

IMPORT = Group(
    "Starting",
    "What does the import cost a fresh process?",
    "tvm_ffi, NumPy, and an interpreter that imports nothing; from the start of the process to "
    "its end.",
    processes=True,
)
MEMORY = Group(
    "Memory after the import",
    "How much memory does a fresh process have to itself after the import?",
    "tvm_ffi, NumPy, and an interpreter that imports nothing; as Linux reports it.",
    processes=True,
)
REPORT = """
with open("/proc/self/smaps_rollup") as file:
    print(sum(int(line.split()[1]) for line in file if line.startswith("Private_")))
"""


def start(code: str) -> int:
    """Run `code` in a fresh interpreter, from its start to its end. Return its exit status."""
    return subprocess.run([sys.executable, "-c", code], check=True).returncode


def private_kib(code: str) -> int:
    """Return the KiB of memory an interpreter shares with nobody after it has run `code`."""
    command = [sys.executable, "-c", code + REPORT]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def starting(code: str, _shared) -> Timed:
    return Timed(partial(start, code), equals(0))


def measuring(code: str, _shared) -> Timed:
    return Timed(partial(private_kib, code), lambda kib: kib > 0)


def over_python(costs) -> float:
    return (costs["tvmgo"] - costs["Python"]) / (costs["tvm_ffi"] - costs["Python"])


TARGET = Target(Figure("(tvmgo - Python) / (tvm_ffi - Python)", over_python), "<=", constant(0.5))
ALONE = {"tvmgo": "import tvmgo", "tvm_ffi": "import tvm_ffi"}
BESIDE_NUMPY = {"tvmgo": "import numpy, tvmgo", "tvm_ffi": "import numpy, tvm_ffi"}


def cases(group: Group, rival: Callable[..., Timed], unit: str) -> tuple[Case, Case]:
    """The imports alone, and in a program that uses NumPy anyway."""

    def case(name: str, imports: dict[str, str], targets: tuple[Target, ...]) -> Case:
        codes = {**imports, "NumPy": "import numpy", "Python": "pass"}
        rivals = {name: partial(rival, code) for name, code in codes.items()}
        return Case(group, name, lambda: None, rivals, targets, unit=unit)

    return case("import", ALONE, (TARGET,)), case("import beside NumPy", BESIDE_NUMPY, ())


CASES = (
    *cases(IMPORT, starting, "ns"),
    *(cases(MEMORY, measuring, "KiB") if sys.platform == "linux" else ()),
)
