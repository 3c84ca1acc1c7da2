# SPDX-License-Identifier: Apache-2.0
"""Where the largest and the smallest element lies: ties, infinities, NaN, any axis and type."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.compiler.models import onnx_model, onnx_runtime, relax_module, run
from tvmgo.compiler import export

pytestmark = pytest.mark.slow

RANDOM = np.random.default_rng(11)


def ties(shape, dtype):
    """Return few different numbers, floats with infinities and NaN among them."""
    x = RANDOM.integers(0, 4, shape).astype(dtype)
    if x.dtype.kind == "f":
        x[RANDOM.random(shape) < 0.2] = np.nan
        x[RANDOM.random(shape) < 0.1] = -np.inf
        x[RANDOM.random(shape) < 0.1] = np.inf
    return x


def one_by_one(x, axis, better):
    """Return the place that whoever looks at one element after the other ends with."""

    def place(row):
        best = 0
        for i in range(1, row.size):
            if better(row[i], row[best]):
                best = i
        return best

    return np.apply_along_axis(place, axis, x)


def model_of(x, operators):
    """Make a model of what all is done to one tensor: (operator, axis, keepdims)."""
    nodes, outputs = [], {}
    for number, (operator, axis, keeps) in enumerate(operators):
        more = {} if operator == "Hardmax" else {"keepdims": keeps}
        nodes.append(helper.make_node(operator, ["x"], [f"y{number}"], axis=axis, **more))
        shape = list(x.shape)
        if operator != "Hardmax":
            shape[axis : axis % x.ndim + 1] = [1] * keeps
        kind = helper.np_dtype_to_tensor_dtype(x.dtype)
        outputs[f"y{number}"] = (kind if operator == "Hardmax" else TensorProto.INT64, shape)
    return onnx_model(nodes, {"x": (helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)}, outputs)


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [
        ("float32", (2, 5, 1, 19)),
        ("float64", (3, 37)),
        ("float16", (20, 3)),
        ("int32", (7,)),
        ("int64", (3, 37)),
        ("uint8", (2, 70, 2)),
    ],
)
def test_first_of_equal_elements(dtype, shape, tmp_path):
    x = ties(shape, dtype)
    kinds = {"ArgMax": np.greater, "ArgMin": np.less, "Hardmax": np.greater}
    if x.dtype.kind != "f":
        del kinds["Hardmax"]
    operators = [
        (operator, axis, keeps)
        for operator in kinds
        for axis in range(x.ndim)
        for keeps in ((0, 1) if operator != "Hardmax" else (1,))
    ]
    results = run(export(model_of(x, operators), tmp_path, target="native", verify=False), {"x": x})
    for (operator, axis, keeps), result in zip(operators, results):
        place = one_by_one(x, axis, kinds[operator])
        expected = np.expand_dims(place, axis) if keeps else place
        if operator == "Hardmax":
            expected = np.zeros_like(x)
            np.put_along_axis(expected, np.expand_dims(place, axis), 1, axis)
        np.testing.assert_array_equal(result, expected, f"{operator} along {axis}")


def test_first_of_equal_elements_as_in_onnx_runtime(tmp_path):
    x = ties((5, 40), "float32")
    model = model_of(x, [(o, axis, 0) for o in ("ArgMax", "ArgMin") for axis in (0, 1)])
    results = run(export(model, tmp_path, target="native", verify=False), {"x": x})
    for result, expected in zip(results, onnx_runtime(model, {"x": x})):
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("worst", [-np.inf, np.inf, np.nan])
def test_nothing_but_the_worst(worst, tmp_path):
    x = np.full((2, 20), worst, "float32")
    model = model_of(x, [("ArgMax", 1, 0), ("ArgMin", 1, 0)])
    for result in run(export(model, tmp_path, target="native", verify=False), {"x": x}):
        assert result.tolist() == [0, 0]


@pytest.mark.parametrize("keeps", ["True", "False"])
def test_place_in_all_of_a_tensor(keeps, tmp_path):
    """Which only Relax has."""
    module = relax_module(f"""
class Module:
    @R.function
    def main(x: R.Tensor((3, 7), "float32")):
        with R.dataflow():
            y = R.argmax(x, keepdims={keeps})
            R.output(y)
        return y
""")
    x = RANDOM.standard_normal((3, 7)).astype("float32")
    (result,) = run(export(module, tmp_path, target="native", verify=False), {"x": x})
    np.testing.assert_array_equal(result, np.argmax(x, keepdims=keeps == "True"))
