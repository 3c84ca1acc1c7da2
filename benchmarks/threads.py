# SPDX-License-Identifier: Apache-2.0
"""Threads that call one function at the same time, on two cores."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

CORES = 2


def _stay_on_two_cores() -> None:
    """Keep this thread on two of its cores, so that each machine answers the same question."""
    if hasattr(os, "sched_setaffinity"):  # Linux
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


class Threads:
    """Some threads, started once, and the function they call."""

    def __init__(self, number: int, function: Callable[[], object]):
        self.number = number
        self.function = function
        self.pool = ThreadPoolExecutor(number, initializer=_stay_on_two_cores)

    def _call(self, times: int) -> int:
        function = self.function
        for _ in range(times):
            function()
        return times

    def run(self, calls: int) -> int:
        """Make so many calls in all, shared out evenly. Return how many were made."""
        shares = [(calls + i) // self.number for i in range(self.number)]
        return sum(self.pool.map(self._call, shares))
