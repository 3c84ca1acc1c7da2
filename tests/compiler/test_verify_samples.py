# SPDX-License-Identifier: Apache-2.0
"""Inputs that are made up for a model are such that its operators can take them."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.compiler.models import onnx_model
from tests.compiler.simplified import one_node
from tvmgo.compiler.simplify.truth.bounds import Bound, find_bound
from tvmgo.compiler.simplify.truth.samples import STYLES, sample_inputs

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
TABLE = np.zeros((7, 3), "float32")


def samples(model, style=STYLES[0], seed=0):
    model = onnx.shape_inference.infer_shapes(model)
    return sample_inputs(model, model, style, seed)


def zeros(*shape, dtype="float32"):
    return np.zeros(shape, dtype)


def int64(*shape):
    return np.zeros(shape, "int64")


@pytest.mark.parametrize(
    ("operator", "inputs", "index", "options", "expected"),
    [
        ("Gather", [TABLE, int64(4)], 1, {}, Bound(0, 6)),
        ("Gather", [TABLE, int64(4)], 1, {"axis": -1}, Bound(0, 2)),
        ("GatherElements", [TABLE, int64(2, 3)], 1, {}, Bound(0, 6)),
        ("GatherND", [TABLE, int64(4, 2)], 1, {}, Bound(0, 2)),
        ("GatherND", [TABLE, int64(7, 1)], 1, {"batch_dims": 1}, Bound(0, 2)),
        (
            "ScatterElements",
            [TABLE, int64(2, 3), zeros(2, 3)],
            1,
            {},
            Bound(0, 6, distinct=True),
        ),
        ("ScatterND", [TABLE, int64(2, 1), zeros(2, 3)], 1, {}, Bound(0, 6, distinct=True)),
        ("ReverseSequence", [zeros(5, 2), int64(2)], 1, {}, Bound(1, 5)),
        ("OneHot", [int64(3), np.int64(6), zeros(2)], 0, {"constants": [1]}, Bound(0, 5)),
        ("TopK", [zeros(2, 9), np.array([1])], 1, {"outputs": 2}, Bound(1, 9)),
        ("CumSum", [zeros(2, 9), np.int64(1)], 1, {}, Bound(0, 1)),
        ("Div", [int64(3), int64(3)], 1, {}, Bound(1, 9)),
        ("Div", [int64(3), int64(3)], 0, {}, None),
        ("Add", [int64(3), int64(3)], 0, {}, None),
    ],
)
def test_bound_comes_from_the_operator(operator, inputs, index, options, expected):
    model, _ = one_node(operator, inputs, **options)
    assert find_bound(model.graph, f"x{index}") == expected


def test_lengths_of_sequences_are_at_most_the_length():
    inputs = [zeros(6, 2, 4), zeros(1, 20, 4), zeros(1, 20, 5), None, zeros(2, dtype="int32")]
    model, _ = one_node("LSTM", inputs, hidden_size=5)
    assert find_bound(model.graph, "x4") == Bound(1, 6)


def looked_up(nodes, name="i", shape=(2, 3)):
    """Make a model in which `nodes` lead from an input to ``g``, which is looked up in a table."""
    nodes = [*nodes, helper.make_node("Gather", ["table", "g"], ["y"])]
    weights = {"table": TABLE, "flat": np.array([-1]), "zero": np.array([0]), "one": np.array([1])}
    model = onnx_model(nodes, {name: (INT64, shape)}, {"y": (FLOAT, None)}, weights)
    return onnx.shape_inference.infer_shapes(model)


@pytest.mark.parametrize(
    "nodes",
    [
        [helper.make_node("Cast", ["i"], ["g"], to=TensorProto.INT32)],
        [
            helper.make_node("Reshape", ["i", "flat"], ["r"]),
            helper.make_node("Slice", ["r", "zero", "one"], ["g"]),
        ],
        [helper.make_node("Concat", ["flat2", "i"], ["g"], axis=0)],
        [helper.make_node("Split", ["i"], ["a", "g"], axis=0)],
        [helper.make_node("Where", ["c", "i", "i"], ["g"])],
        [helper.make_node("Transpose", ["i"], ["t"]), helper.make_node("Identity", ["t"], ["g"])],
    ],
    ids=lambda nodes: nodes[0].op_type,
)
def test_values_are_followed_to_where_they_are_looked_up(nodes):
    assert find_bound(looked_up(nodes).graph, "i") == Bound(0, 6)


def test_values_are_followed_into_inner_graphs():
    inner = helper.make_graph(
        [helper.make_node("Gather", ["table", "i"], ["z"])],
        "inner",
        [],
        [helper.make_tensor_value_info("z", FLOAT, None)],
    )
    model = onnx_model(
        [helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)],
        {"i": (INT64, [2]), "c": (BOOL, [])},
        {"y": (FLOAT, None)},
        {"table": TABLE},
    )
    assert find_bound(model.graph, "i") == Bound(0, 6)


def test_what_is_looked_up_twice_fits_both():
    nodes = [
        helper.make_node("Gather", ["small", "i"], ["a"]),
        helper.make_node("Gather", ["table", "i"], ["b"]),
    ]
    model = onnx_model(
        nodes,
        {"i": (INT64, [50])},
        {"a": (FLOAT, None), "b": (FLOAT, None)},
        {"table": TABLE, "small": TABLE[:2]},
    )
    assert set(samples(model)["i"]) == {0, 1}


def test_samples_use_the_whole_bound_and_are_the_same_every_time():
    model = looked_up([helper.make_node("Identity", ["i"], ["g"])], shape=(10, 10))
    found = samples(model)["i"]
    assert found.dtype == np.int64 and found.shape == (10, 10)
    assert set(found.flat) == set(range(7))
    np.testing.assert_array_equal(found, samples(model)["i"])
    assert not np.array_equal(found, samples(model, seed=1)["i"])


def test_switch_has_the_value_it_is_compared_with():
    model = onnx_model(
        [helper.make_node("Equal", ["rate", "known"], ["y"])],
        {"rate": (INT64, [])},
        {"y": (BOOL, [])},
        {"known": np.array(16000)},
    )
    assert samples(model)["rate"] == 16000


@pytest.mark.parametrize("code", [INT64, BOOL])
def test_masks_are_ones_and_then_zeros(code):
    model = onnx_model(
        [helper.make_node("Identity", ["attention_mask"], ["y"])],
        {"attention_mask": (code, [6, 10])},
        {"y": (code, [6, 10])},
    )
    mask = samples(model)["attention_mask"].astype(int)
    assert set(mask.flat) == {0, 1}
    assert mask[:, 0].all() and (np.diff(mask, axis=1) <= 0).all()


def test_places_of_a_scatter_are_distinct():
    model, _ = one_node("ScatterElements", [zeros(8, 3), int64(5, 3), zeros(5, 3)])
    places = samples(model)["x1"]
    assert places.min() >= 0 and places.max() < 8
    assert all(len(set(column)) == 5 for column in places.T)


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("uint8", 0, 255), ("int8", -128, 127), ("int32", -9, 9)]
)
def test_free_integers_have_all_values(dtype, low, high):
    model, _ = one_node("Identity", [zeros(5000, dtype=dtype)])
    found = samples(model)["x0"]
    assert found.dtype == dtype
    assert (found.min(), found.max()) == (low, high)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_floats_have_both_signs_and_later_styles_are_positive(dtype):
    model, _ = one_node("Identity", [zeros(500, dtype=dtype)])
    found = samples(model)["x0"]
    assert found.dtype == dtype and found.min() < -1 and found.max() > 1
    positive = samples(model, STYLES[1])["x0"]
    assert positive.min() > 0 and positive.max() <= 1


def test_booleans_have_both_values():
    model, _ = one_node("Identity", [zeros(50, dtype="bool")])
    assert set(samples(model)["x0"]) == {False, True}
