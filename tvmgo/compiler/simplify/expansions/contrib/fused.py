# SPDX-License-Identifier: Apache-2.0
"""Operators that ONNX Runtime joins to one."""

from __future__ import annotations

import math

import numpy as np

from tvmgo.compiler.simplify.expansions.widening import wide_dtype, widen
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite

# By name of an activation: its attributes in order.
ACTIVATIONS: dict[str, tuple[str, ...]] = {
    "HardSigmoid": ("alpha", "beta"),
    "LeakyRelu": ("alpha",),
    "Relu": (),
    "Sigmoid": (),
    "Tanh": (),
}


def activated(node: Node, g: GraphEditor, x: str, name: str, numbers: list[float]) -> None:
    """Let an activation of `x` be the node's output."""
    dtype = g.dtype(node)
    if name == "Clip":
        g.add("Clip", [x, *(g.add_constant(limit, dtype) for limit in numbers)], node.outputs)
    elif name in ACTIVATIONS:
        g.add(name, [x], node.outputs, **dict(zip(ACTIVATIONS[name], numbers)))
    elif not name:
        g.add("Identity", [x], node.outputs)
    else:
        raise node.refuse(f"its activation {name} is not known")


def fused_conv(node: Node, g: GraphEditor) -> bool:
    attributes = dict(node.attributes)
    name = attributes.pop("activation", b"").decode()
    numbers = attributes.pop("activation_params", [])
    x = g.add("Conv", [node.input(i) for i in range(3)], **attributes)
    if node.input(3) is not None:
        x = g.add("Add", [x, node.input(3)])
    activated(node, g, x, name, numbers)
    return True


def fused_gemm(node: Node, g: GraphEditor) -> bool:
    own = ("alpha", "beta", "transA", "transB")
    x = g.add("Gemm", node.inputs, (), **{name: node.attributes.get(name) for name in own})
    given = (node.attributes.get(f"activation_{name}") for name in ("alpha", "beta", "gamma"))
    numbers = [number for number in given if number is not None]
    activated(node, g, x, node.attributes.get("activation", b"").decode(), numbers)
    return True


def distances(node: Node, g: GraphEditor) -> bool:
    """From each row of one matrix to each of another, by the squares and products of rows."""
    metric = node.attributes.get("metric", b"sqeuclidean").decode()
    if metric not in ("euclidean", "sqeuclidean"):
        raise node.refuse(f"its metric {metric!r} is not known")
    a, b = node.input(0), node.input(1)
    axis = g.integers(1)
    of_a, of_b = (g.add("ReduceSum", [g.add("Mul", [x, x]), axis], keepdims=1) for x in (a, b))
    products = g.add("MatMul", [a, g.add("Transpose", [b], perm=[1, 0])])
    twice = g.add("Mul", [products, g.add_constant(-2, g.dtype(node))])
    squares = g.add("Add", [g.add("Add", [twice, of_a]), g.add("Transpose", [of_b], perm=[1, 0])])
    squares = g.add("Max", [squares, g.add_constant(0, g.dtype(node))])
    g.add("Sqrt" if metric == "euclidean" else "Identity", [squares], node.outputs)
    return True


def fused_matmul(node: Node, g: GraphEditor) -> bool:
    inputs = []
    for index, name in enumerate("AB"):
        if node.attributes.get(f"transBatch{name}", 0):
            raise node.refuse(f"it moves the batch of {name} (transBatch{name}=1)")
        x, ndim = node.input(index), len(g.need_shape(node, index))
        if node.attributes.get(f"trans{name}", 0) and ndim > 1:
            x = g.add("Transpose", [x], perm=[*range(ndim - 2), ndim - 1, ndim - 2])
        inputs.append(x)
    alpha = g.add_constant(node.attributes.get("alpha", 1.0), g.dtype(node))
    g.add("Mul", [g.add("MatMul", inputs), alpha], node.outputs)
    return True


def gelu(node: Node, g: GraphEditor) -> bool:
    """With or without a bias: x / 2 * (1 + erf(x / sqrt(2)))."""
    x, dtype = _biased(node, g), wide_dtype(g, node)
    root, one, half = (g.add_constant(value, dtype) for value in (math.sqrt(0.5), 1, 0.5))
    erf = g.add("Erf", [g.add("Mul", [x, root])])
    g.cast(_product(g, x, half, g.add("Add", [erf, one])), g.dtype(node), node.outputs)
    return True


def fast_gelu(node: Node, g: GraphEditor) -> bool:
    x, dtype = _biased(node, g), wide_dtype(g, node)
    numbers = (math.sqrt(2 / math.pi), 0.044715, 1, 0.5)
    root, cubic, one, half = (g.add_constant(value, dtype) for value in numbers)
    cube = _product(g, x, x, x, cubic)
    tanh = g.add("Tanh", [g.add("Mul", [g.add("Add", [x, cube]), root])])
    g.cast(_product(g, x, half, g.add("Add", [tanh, one])), g.dtype(node), node.outputs)
    return True


def quick_gelu(node: Node, g: GraphEditor) -> bool:
    x, dtype = widen(g, node), wide_dtype(g, node)
    alpha = g.add_constant(node.attributes.get("alpha", 1.702), dtype)
    gate = g.add("Sigmoid", [g.add("Mul", [x, alpha])])
    g.cast(g.add("Mul", [x, gate]), g.dtype(node), node.outputs)
    return True


def _biased(node: Node, g: GraphEditor) -> str:
    x = widen(g, node)
    return x if node.input(1) is None else g.add("Add", [x, widen(g, node, 1)])


def _product(g: GraphEditor, *factors: str) -> str:
    total = factors[0]
    for factor in factors[1:]:
        total = g.add("Mul", [total, factor])
    return total


def skip_layer_normalization(node: Node, g: GraphEditor) -> bool:
    """Outputs are the norm, the mean and inverse deviation (of training), and what was added."""
    x = g.add("Add", [node.input(0), node.input(1)])
    if node.input(4) is not None:
        x = g.add("Add", [x, node.input(4)])
    outputs = [node.outputs[i] if node.has_output(i) else "" for i in range(3)]
    inputs = [x, node.input(2), node.input(3)]
    while not outputs[-1]:
        outputs.pop()
    epsilon = node.attributes.get("epsilon", 1e-12)
    g.add("LayerNormalization", inputs, outputs, axis=-1, epsilon=epsilon)
    if node.has_output(3):
        g.add("Identity", [x], node.outputs[3:4])
    return True


def embed_layer_normalization(node: Node, g: GraphEditor) -> bool:
    """Add the embeddings of words, places and segments, and normalise them."""
    batch, length = g.need_shape(node)
    words = g.add("Gather", [node.input(2), node.input(0)], axis=0)
    places = node.input(8) or g.add_constant(np.arange(length)[None])
    total = g.add("Add", [words, g.add("Gather", [node.input(3), places], axis=0)])
    if node.input(1) is not None:
        segments = g.add("Gather", [node.input(4), node.input(1)], axis=0)
        total = g.add("Add", [total, segments])
    epsilon = node.attributes.get("epsilon", 1e-12)
    inputs = [total, node.input(5), node.input(6)]
    g.add("LayerNormalization", inputs, node.outputs[:1], axis=-1, epsilon=epsilon)
    if node.has_output(1):
        if node.input(7) is None:
            zeros = g.add_constant(np.zeros(batch, np.int32))
            g.add("Identity", [zeros], node.outputs[1:2])
        else:
            g.add("ReduceSum", [node.input(7), g.integers(1)], node.outputs[1:2], keepdims=0)
    if node.has_output(2):
        g.add("Identity", [total], node.outputs[2:3])
    return True


FUSED: dict[str, Rewrite] = {
    "CDist": distances,
    "BiasGelu": gelu,
    "EmbedLayerNormalization": embed_layer_normalization,
    "FastGelu": fast_gelu,
    "FusedConv": fused_conv,
    "FusedGemm": fused_gemm,
    "FusedMatMul": fused_matmul,
    "Gelu": gelu,
    "QuickGelu": quick_gelu,
    "SkipLayerNormalization": skip_layer_normalization,
}
