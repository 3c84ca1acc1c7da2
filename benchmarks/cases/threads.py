# SPDX-License-Identifier: Apache-2.0
"""Threads that call one function at the same time, on two cores; a kernel's own threads."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

import tvmgo
from benchmarks import native
from benchmarks.bindings import TVMGO, Binding, both
from benchmarks.case import Case, Group, Target, Timed, at_most, constant, equals, ratio

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


LAYERS, SIZE = 3, 224  # as in parallel.c
OPENMP = "OpenMP in C"
PARALLEL = Group(
    "A parallel kernel",
    "What does a compiled network of three small layers cost, each of which is a parallel loop?",
    "The same loops under `#pragma omp parallel for` in C, called in the same way in the same "
    "process.",
)


class Network:
    """The weights and values of a network, and how many threads run it."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        numbers = np.random.default_rng(0)
        self.weights = tvmgo.array(numbers.normal(size=(LAYERS, SIZE, SIZE)).astype("float32"))
        first = numbers.normal(size=SIZE).astype("float32")
        self.values = tvmgo.array(np.vstack([first, np.zeros((LAYERS, SIZE), "float32")]))
        self.expected = first
        for weights in self.weights.numpy():
            self.expected = np.maximum(weights @ self.expected, 0)

    def run_by(self, name: str) -> Timed:
        function = tvmgo.load_module(native.library("parallel", "-O3", "-fopenmp"))[name]
        values = np.asarray(self.values)

        def is_right(_answer: object) -> bool:
            right = np.allclose(values[-1], self.expected, rtol=1e-4, atol=1e-2)
            values[1:] = 0
            return right

        return Timed(partial(function, self.weights, self.values, self.threads), is_right)


def parallel_case(threads: int) -> Case:
    return Case(
        PARALLEL,
        f"{threads} thread{'s' * (threads > 1)}",
        lambda: Network(threads),
        {
            "tvmgo": lambda network: network.run_by("layers_on_pool"),
            OPENMP: lambda network: network.run_by("layers_with_openmp"),
        },
        (at_most(1.05, OPENMP),),
        sample_ns=1e7,
        pause=0.06,  # idle threads of OpenMP look for work for many milliseconds
    )


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
    parallel_case(1),
    parallel_case(CORES),
)
