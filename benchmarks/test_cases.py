# SPDX-License-Identifier: Apache-2.0
"""Every rival of every case under pytest-benchmark, its answer checked first.

Rivals of a case run one after the other here: on a busy machine only the ratios of
``python -m benchmarks`` can be trusted. A row marked "x1000" is the time of a call that makes
the operation a thousand times, so that the way into it does not count.
"""

import re

import pytest

from benchmarks.cases import CASES

BY_TITLE = {case.title: case for case in CASES}
RIVALS = [(case.title, rival) for case in CASES for rival in case.rivals]
PROCESSES = 5  # rounds, where each starts an interpreter


def identifier(title: str, rival: str) -> str:
    """Return a name that `-k` can pick out: "results-list-tvm_ffi"."""
    return re.sub(r"\W+", "-", f"{title}-{rival}", flags=re.ASCII)


@pytest.mark.parametrize(
    ("title", "rival"), [pytest.param(*names, id=identifier(*names)) for names in RIVALS]
)
def test_case(benchmark, title, rival):
    case = BY_TITLE[title]
    timed = case.prepare(rival)[rival]
    function, *arguments = timed.arguments
    benchmark.group = title
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
