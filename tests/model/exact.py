# SPDX-License-Identifier: Apache-2.0
"""A network whose every answer is known exactly: two dense layers of small integers, in float32.

No sum in it reaches 2**24, so float32 is exact in whatever order it adds, and NumPy's integers tell what has to
come out. Every number up to 32**6 is another input.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

WIDTH, BASE = 16, 32
_random = np.random.default_rng(0)
FIRST = _random.integers(-4, 5, (WIDTH, 32))
SECOND = _random.integers(-4, 5, (32, 4))
_POWERS = BASE ** np.arange(6)


def save_network(path, factor=1):
    """Write it as ONNX: x float32 [N, 16] -> y float32 [N, 4], which is so many times `answers`."""
    nodes = [
        helper.make_node("MatMul", ["x", "first"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "second"], ["y"]),
    ]
    weights = {"first": FIRST, "second": SECOND * factor}
    graph = helper.make_graph(
        nodes,
        "exact",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
        [numpy_helper.from_array(each.astype("float32"), name) for name, each in weights.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def rows(first, count=1):
    """Return inputs of so many numbers from `first` on: the digits of each, and their neighbours' sums."""
    digits = np.arange(first, first + count)[:, None] // _POWERS % BASE
    x = np.zeros((count, WIDTH), np.int64)
    x[:, :6] = digits
    x[:, 6:12] = (digits + np.roll(digits, 1, axis=1)) % BASE
    return x


def answers(x):
    """Return what comes out."""
    return np.maximum(x @ FIRST, 0) @ SECOND
