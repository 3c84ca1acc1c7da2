# SPDX-License-Identifier: Apache-2.0
"""Attributes that know whether a converter has read them."""

import pytest

from tvmgo.compiler.tracking import TrackedAttributes

READING = {
    "by name": lambda attributes: attributes["axis"],
    "by get": lambda attributes: attributes.get("axis", 1),
    "by asking for it": lambda attributes: "axis" in attributes,
    "by taking it out": lambda attributes: attributes.pop("axis"),
    "as arguments": lambda attributes: dict(**attributes),
}


@pytest.mark.parametrize("way", READING)
def test_what_was_read_is_known(way):
    attributes = TrackedAttributes({"axis": 2})
    assert attributes.read == set()
    READING[way](attributes)
    assert attributes.read == {"axis"}


def test_values_are_those_of_the_node():
    attributes = TrackedAttributes({"axis": 2})
    assert attributes.get("keepdims", 1) == 1
    assert attributes.pop("axis") == 2
    assert attributes.pop("axis", None) is None
    assert attributes == {}


def test_names_alone_are_no_reading():
    attributes = TrackedAttributes({"axis": 2, "keepdims": 1})
    assert list(attributes.keys()) == ["axis", "keepdims"]
    assert attributes.read == set()
