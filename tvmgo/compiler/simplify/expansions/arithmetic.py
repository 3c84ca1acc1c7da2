# SPDX-License-Identifier: Apache-2.0
"""Arithmetic in combinations of element types that compilers lack."""

from __future__ import annotations

from typing import Any

import numpy as np

from tvmgo.compiler.simplify.expansions.widening import finish, float_dtype, widen
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite


def power(node: Node, g: GraphEditor) -> bool:
    """Compute in one type of floats; the result has that of the base."""
    base, exponent = g.dtype(node, 0), g.dtype(node, 1)
    wide = np.dtype(np.float64) if base.kind in "iu" else base
    if base.name == "bfloat16":  # which compilers have no power of
        wide = np.dtype(np.float32)
    if base == exponent == wide:
        return False
    result = g.add("Pow", [g.cast(node.input(i), wide) for i in (0, 1)])
    g.cast(result, base, node.outputs)
    return True


def computed_in(wide: Any, kinds: str) -> Rewrite:
    """Compute in another type what is of these kinds; the result has the kind of the input."""

    def rewrite(node: Node, g: GraphEditor) -> bool:
        dtype = g.dtype(node)
        if dtype.kind not in kinds or dtype == wide:
            return False
        x = g.cast(node.input(0), wide)
        result = g.add(node.operator, [x, *node.inputs[1:]], **node.attributes)
        g.cast(result, dtype, node.outputs)
        return True

    return rewrite


def eye_like(node: Node, g: GraphEditor) -> bool:
    rows, columns = g.need_shape(node)
    code = node.attributes.get("dtype") or g.element_type(node.input(0))
    eye = np.eye(rows, columns, node.attributes.get("k", 0))
    g.add("Cast", [g.add_constant(eye.astype(np.float32))], node.outputs, to=code)
    return True


def top_k(node: Node, g: GraphEditor) -> bool:
    """Compilers sort integers of one byte, and signed ones of four and eight."""
    dtype = g.dtype(node)
    if dtype.name not in ("int16", "uint16", "uint32", "uint64"):
        return False
    values = node.outputs[0] and g.new_name("values")
    outputs = [values, *node.outputs[1:]]
    # With their first bit turned over, signed integers have the order of unsigned ones.
    turned = g.add_constant(np.iinfo(np.int64).min) if dtype.name == "uint64" else None

    def turn(x: str) -> str:
        return g.add("BitwiseXor", [x, turned]) if turned else x

    wide = turn(g.cast(node.input(0), np.int64))
    g.add("TopK", [wide, node.input(1)], outputs, **node.attributes)
    if values:
        g.cast(turn(values), dtype, node.outputs[:1])
    return True


def log_sum_exp(node: Node, g: GraphEditor) -> bool:
    """Take the largest number out of the sum, unless it is infinite: a difference would be NaN."""
    wide = float_dtype(g, node)
    x = widen(g, node, wide=wide)
    axes, keepdims = node.input(1), node.attributes.get("keepdims", 1)
    noop = node.attributes.get("noop_with_empty_axes") or None
    largest = g.add("ReduceMax", [x, axes], keepdims=1, noop_with_empty_axes=noop)
    size = g.add("Abs", [largest])
    is_finite = g.add("Less", [size, g.add_constant(np.inf, wide)])
    largest = g.add("Where", [is_finite, largest, g.add_constant(0, wide)])
    small = g.add("Exp", [g.add("Sub", [x, largest])])
    total = g.add("Log", [g.add("ReduceSum", [small, axes], keepdims=1, noop_with_empty_axes=noop)])
    result = g.add("Add", [total, largest])
    if not keepdims:  # a sum of what is one element away takes its dimensions
        result = g.add("ReduceSum", [result, axes], keepdims=0, noop_with_empty_axes=noop)
    finish(g, result, node, wide)
    return True
