# SPDX-License-Identifier: Apache-2.0
"""What a model computes when its inputs and weights change by as much as rounding changes values.

Where two numbers are nearly equal, one that is sorted, compared or rounded after them may come out
either way, and a program that computes the same in another order is as right as the first. How
far its results may lie apart cannot be told from the results; it can be measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tvmgo.compiler.simplify.inference import infer
from tvmgo.compiler.simplify.truth.evaluation import Values, evaluators_of
from tvmgo.compiler.simplify.weights import weight_bytes

# Standard deviation of a change, in distances between two neighbouring numbers of the type.
STEPS = 4
# Models of more bytes keep their weights: no second one fits into a protobuf message.
LARGE = 1 << 30


def changed_runs(model: Any, inputs: Values, count: int) -> Iterator[dict[str, np.ndarray]]:
    """Give the results of `count` changed runs.

    Parameters
    ----------
    model : onnx.ModelProto
        Changed; with its weights.
    inputs : mapping of str to numpy.ndarray
    count : int
    """
    weights = list(changeable_weights(model)) if weight_bytes(model) <= LARGE else []
    kept = [numpy_helper.to_array(tensor) for tensor in weights]
    draws = change_before_shortening(model)
    for seed in range(count):
        random = np.random.default_rng(seed)
        for draw in draws:
            draw.f = float(random.integers(1 << 16))
        for tensor, value in zip(weights, kept):
            tensor.CopyFrom(numpy_helper.from_array(changed(value, random), tensor.name))
        _, run = next(evaluators_of(model.SerializeToString()))
        yield run({name: changed(value, random) for name, value in inputs.items()})


# Inputs that scale quantised numbers, by operator.
SCALES = {
    "DequantizeLinear": [1],
    "QuantizeLinear": [1],
    "QLinearConv": [1, 4, 6],
    "QLinearMatMul": [1, 4, 6],
}


def changeable_weights(model: Any) -> Iterator[Any]:
    """Give matrices, kernels, and scales of quantised numbers.

    What else has fewer dimensions may say a size or a limit, and shapes depend on those.
    """
    scales = {
        node.input[index]
        for node in model.graph.node
        for index in SCALES.get(node.op_type, [])
        if index < len(node.input)
    }
    for tensor in model.graph.initializer:
        if tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16) and (
            len(tensor.dims) >= 2 or tensor.name in scales
        ):
            yield tensor


# Operators of ai.onnx.ml that compute in float32, whatever they are given.
SHORT = {
    *("LinearClassifier", "LinearRegressor", "SVMClassifier", "SVMRegressor"),
    *("Normalizer", "Scaler"),
}
CAST = {onnx.TensorProto.FLOAT: np.float32, onnx.TensorProto.FLOAT16: np.float16}


def change_before_shortening(model: Any) -> list[Any]:
    """Have a model change numbers of float64 where it goes on in a shorter type, as that rounds them.

    What comes out may be float64 again, but is no more exact than what it was computed in. Returns
    the attributes on which the changes depend.
    """
    graph = model.graph
    if not any(map(shorter_type, graph.node)):
        return []
    inferred = infer(model).graph
    wide = {
        each.name
        for each in (*inferred.input, *inferred.value_info)
        if each.type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
    }
    nodes = []
    for number, node in enumerate(graph.node):
        dtype = shorter_type(node)
        if dtype is not None and node.input[0] in wide:
            x, factor, product = node.input[0], f"tvmgo_factor{number}", f"tvmgo_changed{number}"
            scale = STEPS * float(np.finfo(dtype).eps)
            draw = {"mean": 1.0, "scale": scale, "seed": 0.0}
            nodes += [
                helper.make_node("RandomNormalLike", [x], [factor], factor, **draw),
                helper.make_node("Mul", [x, factor], [product]),
            ]
            node.input[0] = product
        nodes.append(node)
    kept = onnx.GraphProto(node=nodes)
    del graph.node[:]
    graph.node.MergeFrom(kept.node)
    drawing = [node for node in graph.node if node.name.startswith("tvmgo_factor")]
    return [each for node in drawing for each in node.attribute if each.name == "seed"]


def shorter_type(node: Any) -> Any:
    """Return in which type a node goes on with what it is given, None for the same."""
    if node.domain == "ai.onnx.ml" and node.op_type in SHORT:
        return np.float32
    if node.domain == "" and node.op_type == "Cast":
        return next(CAST.get(each.i) for each in node.attribute if each.name == "to")
    return None


def changed(value: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Multiply floats with what differs from 1 by a few of the last digits."""
    if value.dtype.type not in (np.float16, np.float32, np.float64):
        return value
    factors = 1 + STEPS * float(np.finfo(value.dtype).eps) * random.standard_normal(value.shape)
    return np.asarray(value * factors).astype(value.dtype)
