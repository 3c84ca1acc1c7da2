# SPDX-License-Identifier: Apache-2.0
"""Times of native functions, taken by the runtime's own timer without Python in between."""

from __future__ import annotations

import numbers
import statistics
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
        return statistics.fmean(self.results)

    @property
    def median(self) -> float:
        """Median of the repeats, in seconds."""
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
        return statistics.pstdev(self.results)

    def __str__(self) -> str:
        names = ("mean", "median", "max", "min", "std")
        return (
            "Execution time summary:\n"
            + "".join(f"{name + ' (ms)':^14}" for name in names)
            + "\n"
            + "".join(f"{getattr(self, name) * 1e3:^14.4f}" for name in names)
        )


def make_timer(
    module: Any,
    func_name: str,
    device: Any,
    number: int,
    repeat: int,
    min_repeat_ms: int,
    limit_zero_time_iterations: int,
    cooldown_interval_ms: int,
    repeats_to_cooldown: int,
) -> Function:
    """Return a function that times one of `module`; parameters as for `Module.time_evaluator`.

    Its result is for `read_times`. Source: ``runtime.RPCTimeEvaluator``.
    """
    # The runtime divides by some of these without looking.
    _require_int("number", number, 1)
    _require_int("repeat", repeat, 1)
    _require_int("min_repeat_ms", min_repeat_ms, 0)
    _require_int("limit_zero_time_iterations", limit_zero_time_iterations, 0)
    _require_int("cooldown_interval_ms", cooldown_interval_ms, 0)
    _require_int("repeats_to_cooldown", repeats_to_cooldown, 1)
    device = Device(device)
    timer: Function = get_global_function("runtime.RPCTimeEvaluator")(
        module,
        func_name,
        device.device_type,
        device.device_id,
        number,
        repeat,
        min_repeat_ms,
        limit_zero_time_iterations,
        cooldown_interval_ms,
        repeats_to_cooldown,
        0,
        "",
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
