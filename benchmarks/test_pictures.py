# SPDX-License-Identifier: Apache-2.0
"""The pictures of the published run can be drawn, and are the same each time."""

import json

from benchmarks import pictures, runs


def test_pictures_are_the_same_each_time(tmp_path):
    figures = json.loads(runs.PUBLISHED.read_text())
    drawn = []
    for turn in ("first", "second"):
        folder = tmp_path / turn
        folder.mkdir()
        pictures.write(figures, folder)
        drawn.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) == set(pictures.PICTURES)


def test_bandwidth_is_bytes_per_nanosecond():
    assert pictures.bandwidths([(1000, 10.0), (64, 2.0)]) == [(1000, 100.0), (64, 32.0)]
