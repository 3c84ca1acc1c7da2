# SPDX-License-Identifier: Apache-2.0
"""The largest and smallest elements of rows: ties, NaN, none or all of a row."""

import itertools

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.compiler.models import onnx_model, onnx_runtime, run
from tests.compiler.templates.kernels import TARGETS, call_all, unit_of
from tvmgo.compiler import export
from tvmgo.compiler.relax.templates.kernels.selecting import SelectionKernel

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

RANDOM = np.random.default_rng(5)
DTYPES = ("float32", "float64", "int32", "int64")
# Shape, how many of a row
CHOICES = [((3, 40), 5), ((2, 2, 33), 1), ((1, 100), 100), ((5, 1), 1), ((70,), 17), ((2, 18), 2)]


def in_order(x, count, largest):
    """Return values and places of a stable sort along the last axis."""
    # Of what is sorted from behind, the first of equal elements comes last.
    order = np.argsort(x[..., ::-1], -1, kind="stable")[..., ::-1]
    order = x.shape[-1] - 1 - order if largest else np.argsort(x, -1, kind="stable")
    places = order[..., :count]
    return np.take_along_axis(x, places, -1), places


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("largest", [True, False])
def test_chosen_in_order(largest, target):
    for (shape, count), dtype in zip(CHOICES, itertools.cycle(DTYPES)):
        x = RANDOM.integers(-9, 9, shape).astype(dtype)
        kernel = SelectionKernel(shape, count, largest, unit_of(target)).emit("k", dtype, "int64")
        types = [((*shape[:-1], count), each) for each in (dtype, "int64")]
        values, places = call_all(kernel, target, types, x)
        expected, order = in_order(x, count, largest)
        np.testing.assert_array_equal(values, expected)
        np.testing.assert_array_equal(places, order)


def test_extreme_numbers_are_no_special_ones():
    target = TARGETS[0].values[0]
    x = np.array([[np.iinfo("int64").min, 3, np.iinfo("int64").max, -1]])
    kernel = SelectionKernel(x.shape, 4, False, unit_of(target)).emit("k", "int64", "int32")
    values, places = call_all(kernel, target, [((1, 4), "int64"), ((1, 4), "int32")], x)
    assert (values.tolist(), places.tolist()) == ([sorted(x[0])], [[0, 3, 1, 2]])


def model_of(x, count, axis, largest):
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    shape = list(x.shape)
    shape[axis] = count
    node = helper.make_node("TopK", ["x", "k"], ["y", "places"], axis=axis, largest=largest)
    outputs = {"y": (kind, shape), "places": (TensorProto.INT64, shape)}
    return onnx_model([node], {"x": (kind, x.shape)}, outputs, {"k": np.array([count])})


@pytest.mark.parametrize(
    ("shape", "count", "axis", "dtype", "largest"),
    [
        ((4, 60), 3, 1, "float64", 1),
        ((4, 60), 3, 1, "int64", 0),
        ((4, 60), 5, 1, "float16", 0),
        ((3, 50, 7), 4, 1, "float32", 1),
        ((50, 3), 1, 0, "int32", 0),
        ((2, 300), 60, 1, "float32", 1),
        ((2, 40), 40, 1, "float32", 0),
    ],
    ids=str,
)
def test_as_in_onnx_runtime(shape, count, axis, dtype, largest, tmp_path):
    x = RANDOM.integers(-20, 20, shape).astype(dtype)
    model = model_of(x, count, axis, largest)
    artifacts = export(model, tmp_path, target="native", verify=False)
    for result, expected in zip(run(artifacts, {"x": x}), onnx_runtime(model, {"x": x})):
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(("count", "largest"), [(1, 1), (2, 0), (3, 1), (9, 1)])
def test_nan_ends_where_it_does_in_onnx_runtime(count, largest, tmp_path):
    x = RANDOM.integers(0, 9, (200, 90)).astype("float32")
    x[RANDOM.random(x.shape) < RANDOM.random((200, 1))] = np.nan
    model = model_of(x, count, 1, largest)
    artifacts = export(model, tmp_path, target="native", verify=False)
    for result, expected in zip(run(artifacts, {"x": x}), onnx_runtime(model, {"x": x})):
        np.testing.assert_array_equal(result, expected)
