# SPDX-License-Identifier: Apache-2.0
"""Threads that call one function at the same time, on two cores."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from benchmarks.bindings import TVMGO, Binding, both
from benchmarks.case import Case, Group, Target, Timed, constant, equals, ratio

CORES = 2
CALLS = 2000  # in all
THREADS = Group(
    "Threads",
    "How long does a call of 50 µs of work take if four threads on two cores share the calls?",
    "The same with tvm_ffi; one thread.",
)


def stay_on_two_cores() -> None:
    """Keep this thread on two of its cores, so that each machine answers the same question."""
    if hasattr(os, "sched_setaffinity"):  # Linux
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


def shared_out(threads: int, binding: Binding) -> Timed:
    """Calls shared out evenly among threads that were started before."""
    pool = ThreadPoolExecutor(threads, initializer=stay_on_two_cores)
    work = binding.function("work")

    def call(times: int) -> int:
        for _ in range(times):
            work()
        return times

    def run() -> int:
        return sum(pool.map(call, [CALLS // threads] * threads))

    return Timed(run, equals(CALLS), CALLS)


CASES = (
    Case(
        THREADS,
        "four threads, 50 µs each",
        lambda: 4,
        {
            **both(lambda binding, threads: shared_out(threads, binding)),
            "one thread": lambda _threads: shared_out(1, TVMGO),
        },
        (Target(ratio("one thread", "tvmgo"), ">=", constant(1.9)),),
        sample_ns=1e8,
    ),
)
