# SPDX-License-Identifier: Apache-2.0
"""Samples of a network's rivals, in turns.

With one thread a sample is CPU time, which neighbours do not add to. With more it is time that passes,
after a pause: the threads of either go on looking for work for a while, on the cores of the other.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from benchmarks import harness
from benchmarks.case import Case, Timed

PAUSE = 0.08  # seconds
SECONDS = 3.0  # of measuring, for a case
FEWEST, MOST = 7, 100  # rounds


def measure(case: Case, threads: int, seconds: float = SECONDS) -> dict:
    """Return the milliseconds of each rival and the ratios to tvmgo, with their quartiles."""
    rivals = case.prepare()
    sample = cpu_time if threads == 1 else time_after_a_pause
    calls = {name: calls_of(timed, case.sample_ns) for name, timed in rivals.items()}
    samples: dict[str, list[float]] = {name: [] for name in rivals}
    chance, end, order = random.Random(0), time.monotonic() + seconds, list(rivals)
    with harness.collector_off():
        while len(samples["tvmgo"]) < FEWEST or (
            len(samples["tvmgo"]) < MOST and time.monotonic() < end
        ):
            chance.shuffle(order)
            for name in order:
                samples[name].append(sample(rivals[name].call, calls[name]) * 1e3)
    (theirs,) = (name for name in rivals if not name.startswith("tvmgo"))
    return {
        "ms": {name: harness.spread(costs) for name, costs in samples.items()},
        "ratios": {
            name: harness.spread(a / b for a, b in zip(costs, samples[theirs]))
            for name, costs in samples.items()
            if name != theirs
        },
        "rounds": len(samples["tvmgo"]),
        "limit": float(case.targets[0].limit.text),
    }


def calls_of(timed: Timed, nanoseconds: float) -> int:
    """Return how many calls make a sample as long as the case wants it."""
    timed.call()
    start = time.perf_counter_ns()
    timed.call()
    return max(1, round(nanoseconds / (time.perf_counter_ns() - start)))


def cpu_time(call: Callable[[], object], calls: int) -> float:
    start = time.thread_time()
    for _ in range(calls):
        call()
    return (time.thread_time() - start) / calls


def time_after_a_pause(call: Callable[[], object], calls: int) -> float:
    time.sleep(PAUSE)
    call()  # wakes the threads
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls
