# SPDX-License-Identifier: Apache-2.0
"""Models round and pass NaN on as they are written, and functions are as exact as stated."""

import math

import numpy as np
import pytest
from onnx import helper

from tests.compiler.models import FLOAT, normal, onnx_model, run
from tvmgo.compiler import export

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]


def as_written():
    """What is not the same as by the rules of real numbers, each with the result by NumPy."""
    return {
        "sum_back": (["Add x one a", "Sub a one y"], lambda x: (x + 1) - np.float32(1)),
        "other_back": (["Add x one a", "Sub a x y"], lambda x: (x + 1) - x),
        "itself": (["Sub x x y"], lambda x: x - x),
        "equal": (["Equal x x b", "Not b c", "Where c one x y"], lambda x: np.where(x == x, x, 1)),
        "zero": (["Mul x zero a", "Add a one y"], lambda x: x * 0 + 1),
        "in_a_function": (["Add x one a", "Sub a x b", "Tanh b y"], lambda x: np.tanh((x + 1) - x)),
    }


@pytest.mark.parametrize("name", as_written())
def test_floats_are_computed_as_written(name, tmp_path):
    nodes, truth = as_written()[name]
    nodes = [
        helper.make_node(operator, inputs, [output])
        for operator, *inputs, output in map(str.split, nodes)
    ]
    weights = {"one": np.float32(1), "zero": np.float32(0)}
    model = onnx_model(nodes, {"x": (FLOAT, [3, 40])}, {"y": (FLOAT, None)}, weights)
    x = np.array([np.nan, np.inf, -np.inf, 1e-8, 3.3, -2, 0, 1e30], "float32")
    x = np.resize(x, (3, 40))
    (result,) = run(export(model, tmp_path, target="native"), {"x": x})
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(result, truth(x), rtol=2e-7)


def gelu(x):
    return x * np.vectorize(math.erfc)(-x / math.sqrt(2)) / 2


def mish(x):
    return x * np.tanh(np.logaddexp(0, x))


# Operator: the truth in float64, by how much of it, and by how much of the argument's size it may
# be off. Gelu is ONNX's x * (1 + erf(x / sqrt(2))) / 2, whose sum has lost what is far below 1.
ACTIVATIONS = {
    "Softplus": (lambda x: np.logaddexp(0, x), 4e-7, 0),
    "Mish": (mish, 4e-7, 0),
    "Gelu": (gelu, 2e-7, 1e-7),
}


@pytest.mark.parametrize("target", ["llvm", "native"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_is_as_exact_as_stated(name, target, tmp_path):
    """By itself, and behind a convolution that changes nothing; numbers of all sizes."""
    nodes = [
        helper.make_node(name, ["x"], ["y"]),
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node(name, ["c"], ["z"]),
    ]
    shape = [1, 1, 64, 64]
    model = onnx_model(
        nodes,
        {"x": (FLOAT, shape)},
        {"y": (FLOAT, shape), "z": (FLOAT, shape)},
        {"w": np.ones((1, 1, 1, 1), "float32")},
    )
    model.opset_import[0].version = 20
    size = 10.0 ** np.linspace(-44, 38, 1000)
    x = np.concatenate([size, -size, np.linspace(-110, 110, 2092), [0, np.inf, -np.inf, np.nan]])
    x = x.astype("float32").reshape(shape)
    results = run(export(model, tmp_path, target=target), {"x": x})
    truth_of, relative, of_x = ACTIVATIONS[name]
    with np.errstate(all="ignore"):
        truth = truth_of(x.astype("float64"))
        allowed = relative * np.abs(truth) + (of_x and of_x * np.abs(x)) + 1e-43
    certain = np.isfinite(truth)
    for result in results:
        assert (np.abs(result[certain] - truth[certain]) <= allowed[certain]).all()
        # Of -inf, 0 * inf is NaN.
        left = result[~certain]
        assert (np.isnan(left) | (left == truth[~certain])).all()


@pytest.mark.parametrize("shape", [(1, 8, 1, 1), (2, 3, 1), (2, 4, 1, 2)])
def test_normalisation_of_few_pixels_is_exact(shape, tmp_path):
    """Of one pixel nothing is left but the shift, which ONNX Runtime misses by 3e-5."""
    axes, per_channel = tuple(range(2, len(shape))), (1, -1) + (1,) * (len(shape) - 2)
    scale, shift = normal(shape[1]), normal(shape[1])
    node = helper.make_node("InstanceNormalization", ["x", "scale", "shift"], ["y"])
    spec = (FLOAT, list(shape))
    model = onnx_model([node], {"x": spec}, {"y": spec}, {"scale": scale, "shift": shift})
    x = 3 * normal(*shape)
    (result,) = run(export(model, tmp_path), {"x": x})
    wide = x.astype("float64")
    centred = wide - wide.mean(axes, keepdims=True)
    truth = centred / np.sqrt(wide.var(axes, keepdims=True) + 1e-5)
    truth = truth * scale.reshape(per_channel) + shift.reshape(per_channel)
    np.testing.assert_allclose(result, truth, rtol=1e-6, atol=1e-6)
