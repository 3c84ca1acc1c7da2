# SPDX-License-Identifier: Apache-2.0
"""Activation functions that keep their digits far from zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from tvmgo.compiler.simplify.expansions.widening import finish, wide_dtype, widen
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


def cosh(node: Node, g: GraphEditor) -> bool:
    """Say cosh(x) by a = exp(abs(x) / 2), whose square over 2 overflows no earlier than it does."""
    half = g.add_constant(0.5, wide_dtype(g, node))
    a = g.add("Exp", [g.add("Mul", [g.add("Abs", [widen(g, node)]), half])])
    growing = g.add("Mul", [g.add("Mul", [a, half]), a])
    shrinking = g.add("Div", [g.add("Div", [half, a]), a])
    finish(g, g.add("Add", [growing, shrinking]), node)
    return True
