# SPDX-License-Identifier: Apache-2.0
"""Networks, and kernels by themselves, under pytest-benchmark, as other cases are; `-k` takes some."""

from benchmarks.cases import kernels, networks
from benchmarks.test_cases import rivals_of, run_rival


@rivals_of((*networks.CASES, *kernels.CASES))
def test_network(benchmark, case, rival):
    run_rival(benchmark, case, rival)
