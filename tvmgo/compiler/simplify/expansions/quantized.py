# SPDX-License-Identifier: Apache-2.0
"""Quantised operators, computed with whole numbers in float32 or float64.

A float32 holds whole numbers up to 2**24 exactly: differences of bytes, their products, and the
sums of as many of them as occur. Only the product with the scales is rounded, as in ONNX Runtime.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node


def _along(g: GraphEditor, node: Node, index: int, ndim: int, axis: int) -> str | None:
    """Return an input that has one number, or one for each place along an axis of `ndim`."""
    name = node.input(index)
    shape = [] if name is None else g.need_shape(node, index)
    if len(shape) != 1 or shape == [1]:
        return name
    return g.add("Reshape", [name, g.integers(*(-1 if i == axis else 1 for i in range(ndim)))])


def _centred(g: GraphEditor, node: Node, index: int, zero: str | None, dtype: Any) -> str:
    """Return an input minus its zero point."""
    value = g.cast(node.input(index), dtype)
    return value if zero is None else g.add("Sub", [value, g.cast(zero, dtype)])


def q_linear_conv(node: Node, g: GraphEditor) -> bool:
    ndim = len(g.need_shape(node, 3))
    x = _centred(g, node, 0, node.input(2), np.float32)
    w = _centred(g, node, 3, _along(g, node, 5, ndim, 0), np.float32)
    bias = node.input(8) and g.cast(node.input(8), np.float32)
    total = g.add("Conv", [x, w, bias], **node.attributes)
    scale = g.add("Mul", [node.input(1), _along(g, node, 4, ndim, 1)])
    _requantise(g, node, total, scale, node.input(6), node.input(7))
    return True


def q_linear_matmul(node: Node, g: GraphEditor) -> bool:
    """Scales and zero points are one number, or one a row of the first and column of the second."""
    left, right = len(g.need_shape(node, 0)), len(g.need_shape(node, 3))
    a = _centred(g, node, 0, _along(g, node, 2, left, left - 2), np.float32)
    b = _centred(g, node, 3, _along(g, node, 5, right, right - 1), np.float32)
    ndim = max(left, right, 2)
    scales = [_along(g, node, 1, ndim, ndim - 2), _along(g, node, 4, ndim, ndim - 1)]
    total = g.add("MatMul", [a, b])
    _requantise(g, node, total, g.add("Mul", scales), node.input(6), node.input(7))
    return True


def _requantise(
    g: GraphEditor, node: Node, total: str, scale: str, by: str | None, zero: str | None
) -> None:
    scaled = g.add("Mul", [total, g.add("Div", [scale, by])])
    g.add("QuantizeLinear", [scaled, g.add_constant(1, np.float32), zero], node.outputs)


def dynamic_quantize_linear(node: Node, g: GraphEditor) -> bool:
    parts = dynamically_quantised(g, node.input(0))
    for index, part in enumerate(parts):
        if node.has_output(index):
            g.add("Identity", [part], [node.outputs[index]])
    return True


def dynamically_quantised(g: GraphEditor, x: str | None) -> tuple[str, str, str]:
    """Return a tensor as bytes, their scale and their zero point.

    All zeros have the scale 1, as in ONNX Runtime; by ONNX's definition they are divided by 0.
    """
    nothing, one, most = (g.add_constant(value, np.float32) for value in (0, 1, 255))
    low = g.add("Min", [g.add("ReduceMin", [x], keepdims=0), nothing])
    width = g.add("Sub", [g.add("Max", [g.add("ReduceMax", [x], keepdims=0), nothing]), low])
    empty = g.add("Equal", [width, nothing])
    scale = g.add("Where", [empty, one, g.add("Div", [width, most])])
    at_zero = g.add("Round", [g.add("Div", [g.add("Neg", [low]), scale])])
    zero = g.cast(g.add("Clip", [at_zero, nothing, most]), np.uint8)
    return g.add("QuantizeLinear", [x, scale, zero]), scale, zero


def conv_integer(node: Node, g: GraphEditor) -> bool:
    """The sums are wanted as they are: float64 holds them all."""
    ndim = len(g.need_shape(node, 1))
    x = _centred(g, node, 0, node.input(2), np.float64)
    w = _centred(g, node, 1, _along(g, node, 3, ndim, 0), np.float64)
    total = g.add("Conv", [x, w], **node.attributes)
    g.cast(total, np.int32, node.outputs)
    return True
