# SPDX-License-Identifier: Apache-2.0
"""Where and with what figures were taken, and how steady the machine was meanwhile."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import time
import timeit
from pathlib import Path

import tvmgo

LIBRARIES = ("apache-tvm-ffi", "apache-tvm", "numpy")


def cpu_model() -> str:
    """Return the name the CPU gives itself."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def describe_machine() -> dict:
    """Return what identifies the kind of machine: the CPU, its cores, the system."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def compiler() -> str:
    """Return the compiler that built tvmgo, as it signed the extension."""
    binary = Path(tvmgo._core.function.__file__).read_bytes()
    found = re.search(rb"GCC: \(.*?\) [\d.]+|clang version [\d.]+", binary)
    return found.group().decode() if found else "unknown"


def describe_versions() -> dict[str, str]:
    """Return the versions of Python, tvmgo, the libraries beside it, and its compiler."""
    return {
        platform.python_implementation(): platform.python_version(),
        "tvmgo": tvmgo.__version__,
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
        "compiler": compiler(),
    }


def _busy_seconds() -> float | None:
    """CPU time all processes have used since the start of the machine, or None if unknown."""
    try:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()
    except OSError:
        return None
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


class Neighbours:
    """Counts, from its making on, the CPU time that is not ours."""

    def __init__(self):
        self.start = self._now()

    @staticmethod
    def _now():
        # Children count once they have ended, which all of ours have at either end.
        own = sum(os.times()[:4])
        return time.monotonic(), _busy_seconds(), own

    def share(self) -> float | None:
        """Return the mean share of the machine's CPUs that others used, 0 to 1."""
        clock, busy, own = (
            now - then if then is not None else None for now, then in zip(self._now(), self.start)
        )
        if busy is None:
            return None
        return max(0.0, busy - own) / (clock * os.cpu_count())


def yardstick() -> float:
    """Return the nanoseconds one turn of a fixed loop of plain Python takes now.

    On a virtual machine a neighbour on the same core is seen in nothing else: no process of ours
    runs, and yet everything takes longer.
    """
    turns = 50_000
    return min(timeit.repeat("x += 1", "x = 0", number=turns, repeat=5)) / turns * 1e9
