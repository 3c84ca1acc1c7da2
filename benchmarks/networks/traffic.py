# SPDX-License-Identifier: Apache-2.0
"""Requests from many threads, to two processes, and at times of their own."""

from __future__ import annotations

import functools
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np

import tvmgo
from benchmarks.case import Timed
from benchmarks.networks.service import CORES, Rivals

THREADS = 8
REQUESTS = 48  # of a sample
ARRIVALS = 300
LOAD = 0.7  # of what can be served
Answer = Callable[[np.ndarray], Any]


def from_threads(rivals: Rivals, answer: Answer, threads: int = THREADS) -> Timed:
    """Requests of single rows, shared out among threads that were started before."""
    pool = ThreadPoolExecutor(threads)
    rows = [rivals.x[i : i + 1] for i in range(len(rivals.x))] * max(1, REQUESTS // len(rivals.x))

    def run() -> list[Any]:
        return list(pool.map(answer, rows))

    run()  # starts the threads
    expected = np.concatenate([rivals.expected] * (len(rows) // len(rivals.x)))
    return Timed(
        run, lambda answers: np.allclose(np.concatenate(answers), expected, 1e-4, 1e-5), len(rows)
    )


@functools.cache
def processes(rivals: Rivals) -> ProcessPoolExecutor:
    """Return two processes, each of which loads the model and has the request."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(CORES, context, _load, (rivals.folder, rivals.x))


def by_processes(rivals: Rivals) -> Timed:
    """As many requests, shared out to two processes."""
    pool = processes(rivals)

    def run() -> list[np.ndarray]:
        return list(pool.map(_answer, range(REQUESTS), chunksize=4))

    run()
    return Timed(run, lambda answers: all(map(rivals.is_right, answers)), REQUESTS)


def _load(folder: str, x: np.ndarray) -> None:
    global _answer_it
    _answer_it = functools.partial(tvmgo.Model.load(folder, concurrency=1, threads=1), x)


def _answer(_number: int) -> Any:
    return _answer_it()


class OpenLoop:
    """Requests come at times of their own, at 70 % of what the slower rival can serve."""

    def __init__(self, rivals: Rivals) -> None:
        self.rivals = rivals
        self._pool = ThreadPoolExecutor(THREADS)
        slower = max(map(self._seconds_each, (rivals.model, rivals.run_session)))
        gaps = np.random.default_rng(0).exponential(slower / LOAD, ARRIVALS)
        self._due = np.cumsum(gaps).tolist()

    def _seconds_each(self, answer: Answer) -> float:
        timed = from_threads(self.rivals, answer)
        start = time.perf_counter()
        timed.call()
        return (time.perf_counter() - start) / timed.operations

    def milliseconds(self, answer: Answer, percent: float) -> float:
        """Return a percentile of the times from when a request is due to its answer."""
        start = time.perf_counter()

        def serve(due: float) -> float:
            assert self.rivals.is_right(answer(self.rivals.x))
            return time.perf_counter() - start - due

        futures: list[Future[float]] = []
        for due in self._due:
            time.sleep(max(0, start + due - time.perf_counter()))
            futures.append(self._pool.submit(serve, due))
        return float(np.percentile([each.result() for each in futures], percent)) * 1e3
