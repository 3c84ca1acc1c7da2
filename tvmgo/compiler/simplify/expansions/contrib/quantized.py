# SPDX-License-Identifier: Apache-2.0
"""Operators on bytes: dequantised, computed as their names say, and quantised."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite


def floats(node: Node, g: GraphEditor, index: int) -> str:
    """Return an input that is followed by its scale and its zero point."""
    return g.add("DequantizeLinear", [node.input(index + i) for i in range(3)])


def give(node: Node, g: GraphEditor, x: str, index: int) -> bool:
    """Quantise by the scale and zero point at an index."""
    inputs = [x, node.input(index), node.input(index + 1) or g.add_constant(0, np.uint8)]
    g.add("QuantizeLinear", inputs, node.outputs)
    return True


def binary(operator: str) -> Rewrite:
    def expand(node: Node, g: GraphEditor) -> bool:
        return give(node, g, g.add(operator, [floats(node, g, 0), floats(node, g, 3)]), 6)

    return expand


def unary(operator: str, *attributes: str) -> Rewrite:
    """Pass on attributes of these names."""

    def expand(node: Node, g: GraphEditor) -> bool:
        given = {name: node.attributes.get(name) for name in attributes}
        return give(node, g, g.add(operator, [floats(node, g, 0)], (), **given), 3)

    return expand


def average_pool(operator: str) -> Rewrite:
    def expand(node: Node, g: GraphEditor) -> bool:
        attributes = dict(node.attributes)
        last = attributes.pop("channels_last", 0)
        ndim = len(g.need_shape(node))
        x = floats(node, g, 0)
        if last:
            x = g.add("Transpose", [x], perm=[0, ndim - 1, *range(1, ndim - 1)])
        x = g.add(operator, [x], **attributes)
        if last:
            x = g.add("Transpose", [x], perm=[0, *range(2, ndim), 1])
        return give(node, g, x, 3)

    return expand


def reduce_mean(node: Node, g: GraphEditor) -> bool:
    axes = node.attributes.get("axes")
    inputs = [floats(node, g, 0), None if axes is None else g.integers(*axes)]
    keepdims = node.attributes.get("keepdims", 1)
    return give(
        node, g, g.add("ReduceMean", inputs[: 1 if axes is None else 2], keepdims=keepdims), 3
    )


def softmax(node: Node, g: GraphEditor) -> bool:
    if node.attributes.get("opset", 13) < 13:
        raise node.refuse("it is the softmax of an opset before 13", "quantise a newer model")
    axis = node.attributes.get("axis", -1)
    return give(node, g, g.add("Softmax", [floats(node, g, 0)], axis=axis), 3)


def concat(node: Node, g: GraphEditor) -> bool:
    parts = [floats(node, g, index) for index in range(2, len(node.inputs), 3)]
    return give(node, g, g.add("Concat", parts, axis=node.attributes["axis"]), 0)


def where(node: Node, g: GraphEditor) -> bool:
    chosen = g.add("Where", [node.input(0), floats(node, g, 1), floats(node, g, 4)])
    return give(node, g, chosen, 7)


def gemm(node: Node, g: GraphEditor) -> bool:
    """The sums of whole numbers, with a bias of them, scaled; floats where no scale is given."""
    a, b = centred(node, g, 0, 2), node.input(3)
    if node.attributes.get("transB", 0):  # zero points are those of columns of what comes of it
        b = g.add("Transpose", [b], perm=[1, 0])
    b = without_zero(node, g, b, 5)
    total = g.add("Gemm", [a, b], (), transA=node.attributes.get("transA"))
    if node.input(6) is not None:
        total = g.add("Add", [total, g.cast(node.input(6), np.float32)])
    scale = g.add("Mul", [node.input(1), node.input(4)])
    alpha = g.add_constant(node.attributes.get("alpha", 1.0), np.float32)
    y = g.add("Mul", [total, g.add("Mul", [scale, alpha])])
    if node.input(7) is not None:
        return give(node, g, y, 7)
    g.add("Identity", [y], node.outputs)
    return True


def centred(node: Node, g: GraphEditor, index: int, zero: int) -> str:
    """Return an input without its zero point, in float32, which holds what bytes add up to."""
    return without_zero(node, g, node.input(index), zero)


def without_zero(node: Node, g: GraphEditor, x: str | None, zero: int) -> str:
    x = g.cast(x, np.float32)
    if node.input(zero) is None:
        return x
    return g.add("Sub", [x, g.cast(node.input(zero), np.float32)])


QUANTIZED: dict[str, Callable[[Node, GraphEditor], bool]] = {
    "QGemm": gemm,
    "QLinearAdd": binary("Add"),
    "QLinearAveragePool": average_pool("AveragePool"),
    "QLinearConcat": concat,
    "QLinearGlobalAveragePool": average_pool("GlobalAveragePool"),
    "QLinearLeakyRelu": unary("LeakyRelu", "alpha"),
    "QLinearMul": binary("Mul"),
    "QLinearReduceMean": reduce_mean,
    "QLinearSigmoid": unary("Sigmoid"),
    "QLinearSoftmax": softmax,
    "QLinearWhere": where,
}
