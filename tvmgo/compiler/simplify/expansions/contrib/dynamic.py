# SPDX-License-Identifier: Apache-2.0
"""Operators that quantise their inputs while the model runs."""

from __future__ import annotations

import numpy as np

from tvmgo.compiler.simplify.expansions.contrib.quantized import centred
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite


def matmul_integer_to_float(node: Node, g: GraphEditor) -> bool:
    """Inputs are a, b, their scales, their zero points and a bias; b may have one a column."""
    total = g.add("MatMul", [centred(node, g, 0, 4), centred(node, g, 1, 5)])
    scale = g.add("Mul", [node.input(2), node.input(3)])
    _scaled(node, g, total, scale, node.input(6))
    return True


def dynamic_quantize_matmul(node: Node, g: GraphEditor) -> bool:
    """Inputs are a, which is quantised here, b, its scale, its zero point and a bias."""
    names = [g.new_name(name) for name in ("quantized", "scale", "zero_point")]
    quantized, scale, zero = names
    g.add("DynamicQuantizeLinear", [node.input(0)], names)
    a = g.add("Sub", [g.cast(quantized, np.float32), g.cast(zero, np.float32)])
    total = g.add("MatMul", [a, centred(node, g, 1, 3)])
    _scaled(node, g, total, g.add("Mul", [scale, node.input(2)]), node.input(4))
    return True


def _scaled(node: Node, g: GraphEditor, total: str, scale: str, bias: str | None) -> None:
    y = g.add("Mul", [total, scale])
    if bias is not None:
        y = g.add("Add", [y, bias])
    g.add("Identity", [y], node.outputs)


def matmul_integer_16(node: Node, g: GraphEditor) -> bool:
    """Products of 16 bits and their sums need more digits than float32 has."""
    a, b = (g.cast(node.input(i), np.float64) for i in (0, 1))
    g.cast(g.add("MatMul", [a, b]), np.int32, node.outputs)
    return True


DYNAMIC: dict[str, Rewrite] = {
    "DynamicQuantizeMatMul": dynamic_quantize_matmul,
    "MatMulInteger16": matmul_integer_16,
    "MatMulIntegerToFloat": matmul_integer_to_float,
}
