# SPDX-License-Identifier: Apache-2.0
"""The pictures can be drawn of any run, and are the same each time."""

from benchmarks import pictures
from benchmarks.cases import CASES

RESULTS = [
    {
        "group": case.group.title,
        "name": case.name,
        "unit": case.unit,
        "rivals": {
            rival: {"low": 1.0, "median": 2.0 + place, "high": 30.0}
            for place, rival in enumerate(case.rivals)
        },
    }
    for case in CASES
]
GROUPS = {result["group"] for result in RESULTS}


def test_pictures_are_the_same_each_time(tmp_path):
    drawn = []
    for turn in ("first", "second"):
        folder = tmp_path / turn
        pictures.write({"results": RESULTS}, folder)
        drawn.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == len(GROUPS)


def test_picture_shows_each_rival_where_its_cost_is():
    results = [result for result in RESULTS if result["group"] == RESULTS[0]["group"]]
    (axes,) = pictures.draw("calls", results).axes
    shown = {line.get_label(): list(line.get_xdata()) for line in axes.lines}
    for rival, costs in shown.items():
        assert costs == [
            result["rivals"][rival]["median"] for result in results if rival in result["rivals"]
        ]
    assert shown.keys() == {rival for result in results for rival in result["rivals"]}
