# SPDX-License-Identifier: Apache-2.0
"""Every rival of every case under pytest-benchmark, its answer checked first.

Rivals of a case run one after the other here: on a busy machine only the ratios of
``python -m benchmarks`` can be trusted. A row marked "x1000" is the time of a call that makes
the operation a thousand times, so that the way into it does not count.
"""

import re
from collections.abc import Iterable

import pytest

from benchmarks.case import Case
from benchmarks.cases import CASES

PROCESSES = 5  # rounds, where each starts an interpreter


def rivals_of(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Return what runs a test for each rival, under a name that `-k` can pick out, such as
    "results-list-tvm_ffi"."""
    return pytest.mark.parametrize(
        ("case", "rival"),
        [
            pytest.param(case, name, id=re.sub(r"\W+", "-", f"{case.title}-{name}", flags=re.ASCII))
            for case in cases
            for name in case.rivals
        ],
    )


def run_rival(benchmark, case: Case, rival: str) -> None:
    timed = case.prepare(rival)[rival]
    function, *arguments = timed.arguments
    benchmark.group = case.title
    benchmark.extra_info.update(rival=rival, operations=timed.operations)
    if timed.operations > 1:
        benchmark.name += f" x{timed.operations}"
    if case.group.processes:
        answer = benchmark.pedantic(function, arguments, rounds=PROCESSES)
    else:
        answer = benchmark(function, *arguments)
    if case.unit != "ns":
        benchmark.extra_info[case.unit] = answer
    assert timed.right(answer)


@rivals_of(CASES)
def test_case(benchmark, case, rival):
    run_rival(benchmark, case, rival)
