# SPDX-License-Identifier: Apache-2.0
"""Every case under pytest-benchmark, one table per case, times per call.

Question: what does one operation cost now? Baseline: the other rows of its table. Takeaway: for
work on one case (``-k "3 ints"``), and for ``--benchmark-compare`` with a saved run. Rivals run
one after the other here, so on a busy machine trust the ratios of ``python -m benchmarks`` only.
"""

import pytest

from benchmarks.cases import CASES
from benchmarks.compare import enough_calls

ROUNDS = 21


class Clock:
    """Shows the cost of single calls: pytest-benchmark has no word for a loop of our own."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def advance(self, sampler, calls):
        self.now += sampler(calls) / 1e9


clock = Clock()


@pytest.mark.benchmark(timer=clock)
@pytest.mark.parametrize(
    ("case", "rival"),
    [
        pytest.param(case, rival, id=f"{case.group.title}-{case.name}-{rival}")
        for case in CASES
        if case.unit == "ns"
        for rival in case.rivals
    ],
)
def test_case(benchmark, case, rival):
    sampler = case.prepare((rival,))[rival]
    calls = enough_calls(sampler, case)
    benchmark.group = f"{case.group.title}: {case.name}"
    benchmark.extra_info.update(statement=case.rivals[rival].statement, calls=calls)
    benchmark.pedantic(
        clock.advance,
        args=(sampler, calls),
        warmup_rounds=1,
        rounds=5 if case.group.processes else ROUNDS,
    )


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.unit != "ns"], ids=lambda case: case.name
)
def test_case_without_time_is_measured(case):
    assert all(sampler(1) > 0 for sampler in case.prepare().values())
