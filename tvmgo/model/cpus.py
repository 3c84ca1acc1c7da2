# SPDX-License-Identifier: Apache-2.0
"""How many requests run at a time, and on how many threads each."""

from __future__ import annotations

import numbers
from typing import Any

from tvmgo._core import native as _native_side  # noqa: F401, registers the function below
from tvmgo._core.registry import get_global_function
from tvmgo.exceptions import TVMTypeError, TVMValueError

_allowed_cpus = get_global_function("tvmgo.allowed_cpus")


def allowed_cpus() -> int:
    """Return how many CPUs this process may use: its CPU set, and its control group's quota."""
    count: int = _allowed_cpus()
    return count


def share_out(concurrency: int | None, threads: int | None) -> tuple[int, int]:
    """Return both; what is not given is such that their product is not more than the CPUs."""
    for name, value in (("concurrency", concurrency), ("threads", threads)):
        if value is not None:
            check_count(name, value)
    cpus = allowed_cpus()
    if concurrency is None:
        concurrency = max(1, cpus // (threads or 1))
    if threads is None:
        threads = max(1, cpus // concurrency)
    return int(concurrency), int(threads)


def check_count(name: str, value: Any) -> None:
    """See that an argument is an int of C, 1 or more."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TVMTypeError(f"{name}: expected an int, got {type(value).__name__}")
    if int(value) < 1:
        raise TVMValueError(f"{name}: expected 1 or more, got {value}")
    if int(value) >= 2**31:
        raise TVMValueError(f"{name}: expected less than 2**31, got {value}")
