# SPDX-License-Identifier: Apache-2.0
"""Operators at the edges: indices out of range, division by zero, NaN, nothing to reduce."""

import math
import os
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper
from tvm import relax

from tests.compiler.models import (
    FLOAT,
    X,
    assert_same,
    normal,
    onnx_model,
    onnx_runtime,
    relax_module,
    run,
)
from tests.helpers import search_path
from tvmgo.compiler import export

pytestmark = pytest.mark.slow


def spec(array):
    return helper.np_dtype_to_tensor_dtype(array.dtype), array.shape


def model_of(operator, inputs, output, weights=None, **attributes):
    """Make a model of one operator, which returns what looks like `output`."""
    names = [*inputs, *(weights or {})]
    node = helper.make_node(operator, names, ["result"], **attributes)
    specs = {name: spec(value) for name, value in inputs.items()}
    return onnx_model([node], specs, {"result": spec(output)}, weights)


def exported(path, operator, inputs, output, weights=None, **attributes):
    (result,) = run(export(model_of(operator, inputs, output, weights, **attributes), path), inputs)
    return result


# Indices

DATA = np.arange(12, dtype="float32").reshape(4, 3)
VALID = np.array([[3, -1, 0], [-4, 1, 2]])
PAIRS = np.array([[3, -1], [-4, 2]])
# Operator: valid indices, and whether there are updates
INDEXED = {
    "Gather": (VALID, False),
    "GatherElements": (VALID, False),
    "GatherND": (PAIRS, False),
    "ScatterElements": (VALID, True),
    "ScatterND": (PAIRS, True),
}


def indexed_model(operator, dtype="int64"):
    indices, has_updates = INDEXED[operator]
    inputs = {"data": DATA, "indices": indices.astype(dtype)}
    shape = indices.shape if operator.endswith("Elements") else indices.shape[:1]
    if has_updates:
        inputs["updates"] = -np.arange(1, 1 + np.prod(shape), dtype="float32").reshape(shape)
        shape = DATA.shape
    elif operator == "Gather":
        shape = (2, 3, 3)
    return model_of(operator, inputs, np.empty(shape, "float32")), inputs


@pytest.mark.parametrize(
    ("operator", "dtype"), [*((operator, "int64") for operator in INDEXED), ("Gather", "int32")]
)
def test_valid_indices_give_the_results_of_onnx_runtime(operator, dtype, tmp_path):
    model, inputs = indexed_model(operator, dtype)
    assert_same(run(export(model, tmp_path), inputs), onnx_runtime(model, inputs))


COMPARISONS = {
    "Equal": np.equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
}


@pytest.mark.parametrize("operator", COMPARISONS)
def test_a_comparison_with_nan_is_false_and_its_negation_true(operator, tmp_path):
    """However the negation is said; TVM makes ``a >= b`` of ``not (a < b)``."""
    compare = helper.make_node(operator, ["a", "b"], ["c"])
    for negation in (["Not", "c"], ["Xor", "c", "yes"], ["Equal", "c", "no"]):
        model = onnx_model(
            [compare, helper.make_node(negation[0], negation[1:], ["y"])],
            {"a": spec(A), "b": spec(B)},
            {"y": (TensorProto.BOOL, A.shape)},
            {"yes": np.array(True), "no": np.array(False)},
        )
        (result,) = run(export(model, tmp_path, target="native"), {"a": A, "b": B})
        np.testing.assert_array_equal(result, ~COMPARISONS[operator](A, B))


def test_numbers_of_a_relax_module_that_differ(tmp_path):
    """NaN differs from all, itself too."""

    bb = relax.BlockBuilder()
    a, b = (relax.Var(name, relax.TensorType((8,), "float32")) for name in "ab")
    with bb.function("main", [a, b]):
        bb.emit_func_output(bb.emit(relax.op.not_equal(a, b)))
    (result,) = run(export(bb.get(), tmp_path), {"a": A, "b": B})
    np.testing.assert_array_equal(result, A != B)


WILD = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from tests.compiler.models import assert_same, run
from tests.compiler.test_operators import INDEXED, indexed_model
from tvmgo.compiler import export

for operator in INDEXED:
    model, inputs = indexed_model(operator)
    artifacts = export(model, sys.argv[2] + "/" + operator)
    last = (4, 3) if operator.endswith("ND") else (4, 4)  # of the axes that [0, 0] and [0, 1] index
    for wild in (2**40, -(2**40), 4, -5, 2**63 - 1, -(2**63)):
        clamped = inputs["indices"].copy()
        for i in (0, 1):
            clamped[0, i] = 0 if wild < 0 else last[i] - 1
        expected = run(artifacts, {**inputs, "indices": clamped})
        inputs["indices"][0, :2] = wild
        assert_same(run(artifacts, inputs), expected)
"""


def test_indices_out_of_range_are_clamped(tmp_path):
    """In a process of its own, since what goes wrong here ends it."""
    command = [sys.executable, "-c", WILD, str(Path(__file__).parent), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": search_path()}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def test_relax_index_out_of_range_is_clamped(tmp_path):
    module = relax_module(
        """class Module:
    @R.function
    def main(x: R.Tensor((2, 3), "float32"), i: R.Tensor((3,), "int64")):
        with R.dataflow():
            y = R.take(x, i, axis=1)
            z = R.index_tensor(x, (i,))
            R.output(y, z)
        return (y, z)
"""
    )
    results = run(export(module, tmp_path), {"x": X, "i": np.array([2**40, -1, -(2**40)])})
    assert_same(results, [X[:, [2, 0, 0]], X[[1, -1, 0]]])


# Division of integers


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_division_of_integers(dtype, tmp_path):
    lowest = np.iinfo(dtype).min
    a, b = np.array([5, lowest, 7, 0], dtype), np.array([0, -1, 2, 0]).astype(dtype)
    quotient = np.array([5, lowest, 3, 0], dtype)
    rest = np.array([0, 0, 1, 0], dtype)
    for operator, expected in (("Div", quotient), ("Mod", rest)):
        result = exported(tmp_path / operator, operator, {"a": a, "b": b}, a)
        assert_same([result], [expected])


# NaN

NAN, INF = np.nan, np.inf
A = np.array([NAN, 1, -1, INF, -INF, 0.5, 2, NAN], "float32")
B = np.array([1, NAN, NAN, NAN, NAN, 0, -0.5, NAN], "float32")


@pytest.mark.parametrize(
    ("operator", "inputs", "weights"),
    [
        ("Relu", {"a": A}, {}),
        ("Sign", {"a": A}, {}),
        ("Max", {"a": A, "b": B}, {}),
        ("Min", {"a": A, "b": B}, {}),
        ("Max", {"a": A}, {"b": np.float32(1)}),
        ("Clip", {"a": A}, {"low": np.float32(-0.5), "high": np.float32(1.5)}),
        ("Clip", {"a": A, "low": np.array(NAN, "f4"), "high": np.array(1.5, "f4")}, {}),
        ("ThresholdedRelu", {"a": A}, {}),
        ("HardSigmoid", {"a": A}, {}),
    ],
)
def test_nan_goes_where_it_goes_in_onnx_runtime(operator, inputs, weights, tmp_path):
    model = model_of(operator, inputs, A, weights)
    assert_same(run(export(model, tmp_path), inputs), onnx_runtime(model, inputs))


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize(("operator", "reduce"), [("ReduceMax", np.max), ("ReduceMin", np.min)])
def test_reduction_keeps_nan_and_infinities(operator, reduce, keepdims, tmp_path):
    x = np.array([[1, NAN, 2], [3, 4, 5], 3 * [-INF], 3 * [INF]], "float32")[None]
    expected = reduce(x, axis=(0, 2), keepdims=bool(keepdims))
    result = exported(tmp_path, operator, {"x": x}, expected, axes=[0, 2], keepdims=keepdims)
    assert_same([result], [expected])


@pytest.mark.parametrize(
    ("operator", "value"),
    [("ReduceMax", -INF), ("ReduceMin", INF), ("ReduceSum", 0), ("ReduceProd", 1)],
)
def test_reduction_of_nothing_gives_the_neutral_element(operator, value, tmp_path):
    x, expected = np.empty((64, 0), "float32"), np.full(64, value, "float32")
    # ReduceSum has had its axes as an input since opset 13.
    options = {"weights": {"axes": np.array([1])}} if operator == "ReduceSum" else {"axes": [1]}
    assert_same(
        [exported(tmp_path, operator, {"x": x}, expected, keepdims=0, **options)], [expected]
    )


@pytest.mark.parametrize("operator", ["Shrink", "ThresholdedRelu", "Where"])
def test_choices_between_numbers_are_numbers(operator, tmp_path):
    x = np.array(2.0, "float32")
    inputs = {"c": np.array(True), "x": x, "y": -x} if operator == "Where" else {"x": x}
    result = exported(tmp_path, operator, inputs, x)
    assert (result.shape, float(result)) == ((), 2.0)


def test_error_function_in_float64(tmp_path):
    x = np.linspace(-4, 4, 67)
    result = exported(tmp_path, "Erf", {"x": x}, x)
    np.testing.assert_allclose(result, [math.erf(value) for value in x], rtol=1e-14)


FLOAT8 = ["float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"]


def test_sign_of_what_has_none(tmp_path):
    x = np.array([0, 1, 200], np.uint8)
    assert exported(tmp_path, "Sign", {"x": x}, x).tolist() == [0, 1, 1]


def test_truth_values_are_compared(tmp_path):
    a, b = np.array([[True], [False]]), np.array([True, False])
    result = exported(tmp_path, "Equal", {"a": a, "b": b}, a == b)
    assert (result == (a == b)).all()


@pytest.mark.parametrize("wide", ["float32", "float16"])
@pytest.mark.parametrize("name", [*FLOAT8, "float8_e8m0fnu"])
def test_every_float8_is_read_as_it_is(name, wide, tmp_path):
    x = np.arange(256, dtype=np.uint8).view(getattr(ml_dtypes, name))
    with np.errstate(all="ignore"):
        expected = x.astype(np.float32).astype(wide)
    node = helper.make_node("Cast", ["x"], ["y"], to=spec(expected)[0])
    model = onnx_model([node], {"x": spec(x)}, {"y": spec(expected)})
    model.opset_import[0].version = 24
    (result,) = run(export(model, tmp_path), {"x": x})
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("saturate", [1, 0])
@pytest.mark.parametrize("name", ["bfloat16", *FLOAT8])
def test_casts_to_short_floats_round(name, saturate, tmp_path):
    """All numbers of float16, and as many a little beside, above and below them."""
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
    with np.errstate(all="ignore"):
        x = np.concatenate([halves, halves * np.float32(1.000123), halves * 3e4, halves * 1e-4])
    code = getattr(TensorProto, name.upper().replace("_", ""))
    nodes = [
        helper.make_node("Cast", ["x"], ["short"], to=code, saturate=saturate),
        helper.make_node("Cast", ["short"], ["y"], to=FLOAT),
    ]
    model = onnx_model(nodes, {"x": (FLOAT, x.shape)}, {"y": (FLOAT, x.shape)})
    model.opset_import[0].version = 19
    dtype = getattr(ml_dtypes, name)
    largest = float(ml_dtypes.finfo(dtype).max)
    expected = np.clip(x, -largest, largest) if saturate and name != "bfloat16" else x
    with np.errstate(all="ignore"):
        expected = expected.astype(dtype).astype(np.float32)
    np.testing.assert_array_equal(*run(export(model, tmp_path), {"x": x}), expected)


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.25])
@pytest.mark.parametrize("mode", ["half_pixel", "output_half_pixel"])
def test_regions_are_shifted_after_they_are_scaled(mode, scale, tmp_path):
    x = normal(1, 2, 8, 8)
    regions = np.array([[0, 0, 5, 4], [1, 2, 7, 7]], np.float32) / scale
    attributes = {"coordinate_transformation_mode": mode, "spatial_scale": scale}
    model = onnx_model(
        [
            helper.make_node(
                *("RoiAlign", ["x", "regions", "batches"], ["y"]),
                **attributes,
                output_height=2,
                output_width=3,
                sampling_ratio=2,
            )
        ],
        {"x": (FLOAT, x.shape), "regions": (FLOAT, regions.shape)},
        {"y": (FLOAT, (2, 2, 2, 3))},
        {"batches": np.zeros(2, np.int64)},
    )
    inputs = {"x": x, "regions": regions}
    assert_same(run(export(model, tmp_path), inputs), onnx_runtime(model, inputs))


@pytest.mark.parametrize("operator, gates", [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
def test_recurrent_operators(operator, gates, tmp_path):
    x = normal(4, 2, 3)
    weights = {
        "w": normal(1, gates * 5, 3),
        "r": normal(1, gates * 5, 5),
        "b": normal(1, gates * 10),
    }
    nodes = [helper.make_node(operator, ["x", *weights], ["y"], hidden_size=5)]
    model = onnx_model(nodes, {"x": (FLOAT, x.shape)}, {"y": (FLOAT, (4, 1, 2, 5))}, weights)
    assert_same(run(export(model, tmp_path), {"x": x}), onnx_runtime(model, {"x": x}))


def test_products_with_constant_weights_in_float64(tmp_path):
    x, w = normal(3, 4, dtype="float64"), normal(4, 5, dtype="float64")
    expected = x @ w
    result = exported(tmp_path / "matmul", "MatMul", {"x": x}, expected, {"w": w})
    assert_same([result], [expected], rtol=1e-14)
    image, kernel = normal(1, 2, 5, 5, dtype="float64"), normal(3, 2, 1, 1, dtype="float64")
    expected = np.einsum("nchw,ocij->nohw", image, kernel)
    result = exported(tmp_path / "conv", "Conv", {"x": image}, expected, {"w": kernel})
    assert_same([result], [expected], rtol=1e-13)
