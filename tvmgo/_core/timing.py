# SPDX-License-Identifier: Apache-2.0
"""Times of native functions, taken without Python in between.

`statistics` is imported where it is used: it takes a sixth of the time of ``import tvmgo``.
"""

from __future__ import annotations

import numbers
import struct
from dataclasses import dataclass
from typing import Any

from tvmgo._core.device import Device
from tvmgo._core.function import Function
from tvmgo._core.registry import get_global_function
from tvmgo.exceptions import TVMTypeError, TVMValueError

__all__ = ["BenchmarkResult", "make_timer", "read_times"]


@dataclass(frozen=True)
class BenchmarkResult:
    """Times of repeated runs, in seconds per run.

    Attributes
    ----------
    results : tuple of float
        One mean per repeat.
    """

    results: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean of the repeats, in seconds."""
        import statistics

        return statistics.fmean(self.results)

    @property
    def median(self) -> float:
        """Median of the repeats, in seconds."""
        import statistics

        return statistics.median(self.results)

    @property
    def min(self) -> float:
        """The fastest repeat, in seconds."""
        return min(self.results)

    @property
    def max(self) -> float:
        """The slowest repeat, in seconds."""
        return max(self.results)

    @property
    def std(self) -> float:
        """Standard deviation of the repeats, in seconds."""
        import statistics

        return statistics.pstdev(self.results)

    def __str__(self) -> str:
        names = ("mean", "median", "max", "min", "std")
        return (
            "Execution time summary:\n"
            + "".join(f"{name + ' (ms)':^14}" for name in names)
            + "\n"
            + "".join(f"{getattr(self, name) * 1e3:^14.4f}" for name in names)
        )


BenchmarkResult.__module__ = "tvmgo.graph_executor"  # where users find it


# How often and how long to time, in the order in which the runtime takes it, and the least it may be:
# the runtime divides by some without looking.
LEAST = {
    "number": 1,
    "repeat": 1,
    "min_repeat_ms": 0,
    "limit_zero_time_iterations": 0,
    "cooldown_interval_ms": 0,
    "repeats_to_cooldown": 1,
}


def make_timer(module: Any, func_name: str, device: Any, *options: int) -> Function:
    """Return a function that times one of `module`; `device` is the one that works.

    `options` are those of `LEAST`, in that order; TypeError or ValueError says which one is wrong.

    Its result is for `read_times`. Signals are answered meanwhile, unless the module is on another
    machine.
    Source: ``runtime.RPCTimeEvaluator``, which times there.
    """
    for (name, least), given in zip(LEAST.items(), options):
        _require_int(name, given, least)
    device = Device(device)
    where = (device.device_type, device.device_id)
    timer: Function
    if module.kind != "rpc":
        device.sync()  # says what is wrong with it
        make = get_global_function("tvmgo.time_evaluator")
        timer = make(module.get_function(func_name), *where, *options)
        return timer
    cache_flush_bytes, setup_function = 0, ""
    timer = get_global_function("runtime.RPCTimeEvaluator")(
        module, func_name, *where, *options, cache_flush_bytes, setup_function
    )
    return timer


def _require_int(name: str, given: Any, least: int) -> None:
    if not isinstance(given, numbers.Integral):
        raise TVMTypeError(f"{name}: expected an int, got {type(given).__name__}")
    if int(given) < least:
        raise TVMValueError(f"{name}: expected at least {least}, got {given}")


def read_times(blob: bytes) -> BenchmarkResult:
    """Return the times that the runtime hands over as bytes, a float64 for each repeat."""
    return BenchmarkResult(struct.unpack(f"={len(blob) // 8}d", blob))
