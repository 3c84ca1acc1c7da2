# SPDX-License-Identifier: Apache-2.0
"""Rare attributes and element types, exported and beside ONNX Runtime, or arithmetic where it has no kernel."""

import ml_dtypes
import numpy as np
import pytest

from tests.compiler.models import normal, onnx_runtime, run
from tests.compiler.simplified import one_node
from tvmgo.compiler import export

pytestmark = pytest.mark.slow


def exported(path, model, values):
    return run(export(model, path, target="native", format="graph", compiler="relax"), values)


def check(path, model, values, expected=None, rtol=1e-5):
    expected = onnx_runtime(model, values) if expected is None else expected
    for result, truth in zip(exported(path, model, values), expected, strict=True):
        assert (result.shape, result.dtype) == (truth.shape, truth.dtype)
        np.testing.assert_allclose(result, truth, rtol, 1e-6)


@pytest.mark.parametrize("alpha", [-0.4, 1.5])
def test_celu_of_either_sign(tmp_path, alpha):
    check(tmp_path, *one_node("Celu", [normal(4, 5)], alpha=alpha))


@pytest.mark.parametrize("lambd", [2.0, -0.4])
@pytest.mark.parametrize("dtype", ["int8", "int64", "uint64", "float32", "float16"])
def test_shrink_moves_integers_by_parts_and_all_numbers_by_a_negative_limit(tmp_path, dtype, lambd):
    x = np.arange(0 if dtype[0] == "u" else -6, 7).astype(dtype)
    check(tmp_path, *one_node("Shrink", [x], lambd=lambd, bias=0.001))


@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("dtype", ["int16", "uint16", "uint32", "uint64"])
def test_top_k_of_all_integers(tmp_path, dtype, largest):
    info = np.iinfo(dtype)
    x = np.random.default_rng(0).integers(info.min, info.max, (3, 40), dtype, endpoint=True)
    x[0, :3] = info.min, info.max, info.max // 2
    model = one_node(*("TopK", [x, np.array([5])], 2), opset=13, constants=(1,), largest=largest)
    order = np.argsort(x, 1, kind="stable")
    if largest:  # equal ones stay in order, and there are none
        order = order[:, ::-1]
    order = order[:, :5]
    check(tmp_path, *model, [np.take_along_axis(x, order, 1), order])


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_sums_of_exponentials_of_infinities(tmp_path, dtype, keepdims):
    x = normal(4, 3).astype(dtype)
    x[0, 0], x[1], x[2, 1] = np.inf, -np.inf, -np.inf
    inputs = [x, np.array([1])]
    model = one_node("ReduceLogSumExp", inputs, opset=18, constants=(1,), keepdims=keepdims)
    check(tmp_path, *model, rtol=1e-3 if dtype == "float16" else 1e-6)


@pytest.mark.parametrize("reduction", ["none", "add", "mul", "max"])
@pytest.mark.parametrize("axis", [0, 2, -1])
def test_scattered_elements_that_leave_out_parts_of_other_axes(tmp_path, axis, reduction):
    random = np.random.default_rng(axis % 4)
    data, sizes = normal(3, 5, 4, 6), [2, 3, 2, 4]
    if reduction == "none":  # no place twice
        whole = [data.shape[axis] if i == axis % 4 else size for i, size in enumerate(sizes)]
        places = np.argsort(random.random(whole), axis)
        index = np.take(places, range(sizes[axis]), axis) - data.shape[axis]
    else:
        index = random.integers(-2, 2, sizes)
    inputs = [data, index, normal(*sizes)]
    check(tmp_path, *one_node("ScatterElements", inputs, opset=18, axis=axis, reduction=reduction))


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.bool_])
def test_casts_of_bfloat16_to_what_has_no_parts(tmp_path, dtype):
    x = np.array([0, -0.0, 0.75, -1.5, 99], ml_dtypes.bfloat16)
    code = {"bool": 9, "int8": 3, "int64": 7}[np.dtype(dtype).name]
    check(tmp_path, *one_node("Cast", [x], opset=20, to=code), [x.astype("float32").astype(dtype)])


def test_powers_of_bfloat16(tmp_path):
    x, y = (np.abs(normal(3, 4)).astype(ml_dtypes.bfloat16) for _ in "xy")
    model, values = one_node("Pow", [x, y], opset=20)
    (result,) = exported(tmp_path, model, values)
    truth = (x.astype("float32") ** y.astype("float32")).astype(ml_dtypes.bfloat16)
    result = np.asarray(result).view(ml_dtypes.bfloat16)
    np.testing.assert_array_equal(result.astype("float32"), truth.astype("float32"))


def test_pads_along_axes_in_int32(tmp_path):
    inputs = [normal(3, 4), np.array([1, 2]), np.array(1.5, "float32"), np.array([-1], "int32")]
    model, values = one_node("Pad", inputs, opset=18, constants=(1, 2, 3))
    expected = np.pad(inputs[0], ((0, 0), (1, 2)), constant_values=1.5)
    check(tmp_path, model, values, [expected])  # ONNX Runtime reads none in int32


@pytest.mark.parametrize("words", ["VALID", "SAME_UPPER"])
@pytest.mark.parametrize("operator", ["AveragePool", "MaxPool"])
@pytest.mark.parametrize("opset", [12, 22])
def test_pools_rounded_up_and_padded_by_words(tmp_path, operator, words, opset):
    model = one_node(
        *(operator, [normal(1, 2, 7, 6)]),
        opset=opset,
        kernel_shape=[3, 3],
        strides=[3, 3] if words == "VALID" else [2, 2],
        auto_pad=words,
        ceil_mode=1,
    )
    check(tmp_path, *model)


def test_places_of_the_largest_where_one_axis_alone_is_rounded_up(tmp_path):
    options = {"kernel_shape": [3, 2], "strides": [3, 3], "ceil_mode": 1}
    check(tmp_path, *one_node("MaxPool", [normal(1, 2, 7, 6)], 2, opset=12, **options))
