# SPDX-License-Identifier: Apache-2.0
"""The pictures can be drawn of any run, and are the same each time."""

from benchmarks import pictures
from benchmarks.cases import CASES

COST = {"low": 1.0, "median": 2.0, "high": 3.0}
RESULTS = [
    {
        "group": case.group.title,
        "name": case.name,
        "size": case.size,
        "rivals": dict.fromkeys(case.rivals, COST),
    }
    for case in CASES
]


def test_pictures_are_the_same_each_time(tmp_path):
    drawn = []
    for turn in ("first", "second"):
        folder = tmp_path / turn
        pictures.write({"results": RESULTS}, folder)
        drawn.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) == set(pictures.PICTURES)


def test_bandwidth_is_bytes_per_nanosecond():
    assert pictures.bandwidth({"size": 1000}, 10.0) == (1000, 100.0)
    assert pictures.bandwidth({"size": 64}, 2.0) == (64, 32.0)
