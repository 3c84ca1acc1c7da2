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


def describe_machine() -> dict:
    """Return what identifies the kind of machine: the CPU, its cores, the system."""
    cpuinfo = Path("/proc/cpuinfo")
    found = cpuinfo.exists() and re.search(r"model name\s*: (.*)", cpuinfo.read_text())
    return {
        "cpu": found[1] if found else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def describe_versions() -> dict[str, str]:
    """Return the versions of Python, tvmgo, the libraries beside it, and its compiler."""
    binary = Path(tvmgo._core.function.__file__).read_bytes()
    compiler = re.search(rb"GCC: \(.*?\) [\d.]+|clang version [\d.]+", binary)
    return {
        platform.python_implementation(): platform.python_version(),
        "tvmgo": tvmgo.__version__,
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
        "compiler": compiler[0].decode() if compiler else "unknown",
    }


def others_seconds() -> tuple[float, float | None]:
    """Return the time, and the CPU seconds that all processes but ours have used until then, None
    where the system does not say."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return time.monotonic(), None
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(
        int, stat.read_text().split()[1:9]
    )
    busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return time.monotonic(), busy - sum(os.times()[:4]) - descendants_seconds("self")


def descendants_seconds(process: str) -> float:
    """Return the CPU seconds of the processes that one has started and that still run."""
    seconds = 0.0
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in children.read_text().split():
            stat = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            seconds += sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")
            seconds += descendants_seconds(child)
    return seconds


def others_share(start: tuple[float, float | None]) -> float | None:
    """Return the share of the machine's CPUs that others have used since `others_seconds()`."""
    clock, used = others_seconds()
    if used is None or start[1] is None:
        return None
    return max(0.0, used - start[1]) / ((clock - start[0]) * os.cpu_count())


def yardstick() -> float:
    """Return the nanoseconds one turn of a fixed loop of plain Python takes now.

    On a virtual machine a neighbour on the same core is seen in nothing else: no process of ours
    runs, and yet everything takes longer.
    """
    turns = 50_000
    return min(timeit.repeat("x += 1", "x = 0", number=turns, repeat=5)) / turns * 1e9
