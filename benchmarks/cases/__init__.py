# SPDX-License-Identifier: Apache-2.0
"""All cases, in the order of the page."""

from benchmarks.cases import (
    arrays,
    callbacks,
    calls,
    copies,
    graph,
    model,
    processes,
    results,
    serving,
    threads,
)

CASES = (
    *calls.CASES,
    *callbacks.CASES,
    *results.CASES,
    *arrays.CASES,
    *copies.CASES,
    *graph.CASES,
    *model.CASES,
    *serving.CASES,
    *threads.CASES,
    *processes.CASES,
)
