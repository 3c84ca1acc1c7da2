# SPDX-License-Identifier: Apache-2.0
"""Attributes and inputs that know whether a converter has read them."""

import pytest

from tvmgo.compiler.onnx_nodes import TrackedAttributes, TrackedInputs, place_of, unread

READING = {
    "by name": lambda attributes: attributes["axis"],
    "by get": lambda attributes: attributes.get("axis", 1),
    "by asking for it": lambda attributes: "axis" in attributes,
    "by taking it out": lambda attributes: attributes.pop("axis"),
    "as arguments": lambda attributes: dict(**attributes),
}


def names(attributes):
    return attributes.read - {"tvm_custom"}


@pytest.mark.parametrize("way", READING)
def test_what_was_read_is_known(way):
    attributes = TrackedAttributes({"axis": 2})
    assert names(attributes) == set()
    READING[way](attributes)
    assert names(attributes) == {"axis"}


def test_values_are_those_of_the_node():
    attributes = TrackedAttributes({"axis": 2})
    assert attributes.get("keepdims", 1) == 1
    assert attributes.pop("axis") == 2
    assert attributes.pop("axis", None) is None
    assert attributes == {}


def test_names_alone_are_no_reading():
    attributes = TrackedAttributes({"axis": 2, "keepdims": 1})
    assert list(attributes.keys()) == ["axis", "keepdims"]
    assert names(attributes) == set()


def test_inputs_that_were_read_are_known():
    inputs = TrackedInputs(["x", None, "z"])
    assert inputs[5] is None
    assert inputs[-1] == "z"
    assert inputs.read == {2, 5}
    assert inputs[:2] == ["x", None]
    assert inputs.read == {0, 1, 2, 5}
    inputs = TrackedInputs(["x", "y"])
    assert [*iter(inputs)] == ["x", "y"]
    assert inputs.read == {0, 1}


def test_what_is_unread_and_says_something_is_named():
    attributes = TrackedAttributes(
        {"axis": 1, "keepdims": 1, "mode": b"odd", "tvm_custom": {}, "ratio": 2}
    )
    inputs = TrackedInputs(["x", None, "z"])
    assert inputs[0] == "x"
    found = unread("ArgMax", 18, attributes, inputs, {("ArgMax", "ratio")}, lambda x: x is None)
    # keepdims=1 is the default
    assert sorted(found) == ["axis=1", "input 2", "mode=odd"]


def test_nodes_are_called_by_name_and_operator():
    assert place_of("n", "Add") == "node `n`, operator Add"
    assert place_of("", "Add") == "operator Add"
