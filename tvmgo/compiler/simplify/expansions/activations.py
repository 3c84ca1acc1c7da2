# SPDX-License-Identifier: Apache-2.0
"""Activation functions that keep their digits far from zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from tvmgo.compiler.simplify.expansions.widening import finish, float_dtype, wide_dtype, widen
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node


def _softplus(g: GraphEditor, x: str | None, dtype: np.dtype[Any]) -> str:
    """Return max(x, 0) + log1p(exp(-abs(x))), in which no digit is lost and nothing overflows."""
    one, zero = (g.add_constant(value, dtype) for value in (1, 0))
    small = g.add("Exp", [g.add("Neg", [g.add("Abs", [x])])])
    rounded = g.add("Add", [one, small])
    # log(1 + s) with the error of 1 + s divided out.
    whole = g.add("Equal", [rounded, one])
    gap = g.add("Where", [whole, one, g.add("Sub", [rounded, one])])
    precise = g.add("Div", [g.add("Mul", [g.add("Log", [rounded]), small]), gap])
    log1p = g.add("Where", [whole, small, precise])
    return g.add("Add", [g.add("Max", [x, zero]), log1p])


def softplus(node: Node, g: GraphEditor) -> bool:
    finish(g, _softplus(g, widen(g, node), wide_dtype(g, node)), node)
    return True


def mish(node: Node, g: GraphEditor) -> bool:
    x = widen(g, node)
    y = g.add("Mul", [x, g.add("Tanh", [_softplus(g, x, wide_dtype(g, node))])])
    finish(g, str(y), node)
    return True


def celu(node: Node, g: GraphEditor) -> bool:
    """ONNX's own definition makes a number an array of one."""
    x, dtype = widen(g, node), wide_dtype(g, node)
    alpha = g.add_constant(node.attributes.get("alpha", 1.0), dtype)
    scaled = g.add("Div", [x, alpha])
    if node.attributes.get("alpha", 1.0) > 0:
        result = g.add("Mul", [g.add("Elu", [scaled]), alpha])
    else:  # the exponential still belongs to what is below zero
        grown = g.add("Sub", [g.add("Exp", [scaled]), g.add_constant(1, dtype)])
        below = g.add("Less", [x, g.add_constant(0, dtype)])
        result = g.add("Where", [below, g.add("Mul", [grown, alpha]), x])
    finish(g, result, node)
    return True


def shrink(node: Node, g: GraphEditor) -> bool:
    """Integers are moved in floats, which are cut off then; a negative `lambd` keeps all numbers."""
    wide = float_dtype(g, node)
    x = widen(g, node, wide=wide)
    limit, bias = node.attributes.get("lambd", 0.5), node.attributes.get("bias", 0.0)
    lowest, highest, moved, zero = (g.add_constant(v, wide) for v in (-limit, limit, bias, 0))
    above = g.add("Where", [g.add("Greater", [x, highest]), g.add("Sub", [x, moved]), zero])
    below = g.add("Less", [x, lowest])
    finish(g, g.add("Where", [below, g.add("Add", [x, moved]), above]), node, wide)
    return True


def prelu(node: Node, g: GraphEditor) -> bool:
    """TVM's has one slope for each channel, while ONNX's broadcasts."""
    x, slope = (widen(g, node, index) for index in (0, 1))
    zero = g.add_constant(0, wide_dtype(g, node))
    finish(g, g.add("Where", [g.add("Less", [x, zero]), g.add("Mul", [x, slope]), x]), node)
    return True


def _halves(g: GraphEditor, x: str, half: str) -> tuple[str, str]:
    """Return exp(abs(x)) / 2 and exp(-abs(x)) / 2, neither of which overflows too early."""
    a = g.add("Exp", [g.add("Mul", [g.add("Abs", [x]), half])])
    return g.add("Mul", [g.add("Mul", [a, half]), a]), g.add("Div", [g.add("Div", [half, a]), a])


def cosh(node: Node, g: GraphEditor) -> bool:
    growing, shrinking = _halves(g, widen(g, node), g.add_constant(0.5, wide_dtype(g, node)))
    finish(g, g.add("Add", [growing, shrinking]), node)
    return True


def sinh(node: Node, g: GraphEditor) -> bool:
    """Near zero, where the difference would lose its digits, say it by t = tanh(x / 2)."""
    x, dtype = widen(g, node), wide_dtype(g, node)
    half, one, two = (g.add_constant(value, dtype) for value in (0.5, 1, 2))
    growing, shrinking = _halves(g, x, half)
    far = g.add("Mul", [g.add("Sub", [growing, shrinking]), g.add("Sign", [x])])
    t = g.add("Tanh", [g.add("Mul", [x, half])])
    near = g.add("Div", [g.add("Mul", [two, t]), g.add("Sub", [one, g.add("Mul", [t, t])])])
    is_near = g.add("Less", [g.add("Abs", [x]), one])
    finish(g, g.add("Where", [is_near, near, far]), node)
    return True
