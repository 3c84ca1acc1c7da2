# SPDX-License-Identifier: Apache-2.0
"""Networks under pytest-benchmark, as other cases are; `-k` takes some of them."""

from benchmarks.cases.networks import CASES
from benchmarks.test_cases import rivals_of, run_rival


@rivals_of(CASES)
def test_network(benchmark, case, rival):
    run_rival(benchmark, case, rival)
