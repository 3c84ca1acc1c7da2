# SPDX-License-Identifier: Apache-2.0
"""The README's picture, of made-up figures."""

import re
from xml.etree import ElementTree

from benchmarks.front_picture import PAGE, PICTURE, SHOWN, draw, ratios

MADE_UP = """
## compiler="auto"

| model | from | outcome | compiler | format | error | ratio | export, s |
| --- | --- | --- | --- | --- | --- | --- | --- |
| A | x | right | relax | graph | 0.0e+00 | 0.50 | 5 |
| B | x | wrong | relax | graph | 0.0e+00 | 0.25 | 5 |
| C | x | right | relax | graph | 0.0e+00 |  | 5 |
| D & E | x | right | relax | graph | 0.0e+00 | 1.50 | 5 |

## compiler="relay"

| A | x | right | relay | graph | 0.0e+00 | 9.00 | 5 |
"""


def test_ratios_are_those_of_models_that_are_right():
    assert ratios(MADE_UP) == {"A": 0.5, "D & E": 1.5}


def test_bars_are_as_long_as_ratios():
    tree = ElementTree.fromstring(draw(ratios(MADE_UP)))
    bars = tree.findall("{*}rect")
    assert [float(bar.get("width")) for bar in bars] == [150, 450]
    assert [bar.get("class") for bar in bars] == ["bar", "bar slower"]
    assert "D & E" in [text.text for text in tree.findall("{*}text")]
    right = max(float(bar.get("x")) + float(bar.get("width")) for bar in bars)
    assert right < float(tree.get("width"))


def test_models_of_the_picture_are_in_the_page():
    known = ratios(PAGE.read_text())
    assert set(SHOWN) <= set(known)
    assert len(re.findall("<rect", PICTURE.read_text())) == len(SHOWN)
