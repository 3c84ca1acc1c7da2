# SPDX-License-Identifier: Apache-2.0
"""Arithmetic in combinations of element types that compilers lack."""

from __future__ import annotations

import numpy as np

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node


def power(node: Node, g: GraphEditor) -> bool:
    """Compute in one type of floats; the result has that of the base."""
    base, exponent = g.dtype(node, 0), g.dtype(node, 1)
    if base == exponent and base.kind not in "iu":
        return False
    wide = np.dtype(np.float64) if base.kind in "iu" else base
    result = g.add("Pow", [g.cast(node.input(i), wide) for i in (0, 1)])
    g.cast(result, base, node.outputs)
    return True


def reduce_bool(node: Node, g: GraphEditor) -> bool:
    """The larger of two truths is their or: the same as of bytes."""
    if g.dtype(node).kind != "b":
        return False
    wide = g.cast(node.input(0), np.uint8)
    result = g.add(node.operator, [wide, node.input(1)], **node.attributes)
    g.cast(result, bool, node.outputs)
    return True


def eye_like(node: Node, g: GraphEditor) -> bool:
    rows, columns = g.need_shape(node)
    code = node.attributes.get("dtype") or g.element_type(node.input(0))
    eye = np.eye(rows, columns, node.attributes.get("k", 0))
    g.add("Cast", [g.add_constant(eye.astype(np.float32))], node.outputs, to=code)
    return True


def top_k(node: Node, g: GraphEditor) -> bool:
    """Compilers sort signed integers; what does not fit into those is refused."""
    dtype = g.dtype(node)
    if dtype.kind != "u" or dtype.itemsize == 1:
        return False
    if dtype.itemsize == 8:
        raise node.refuse("no compiler sorts uint64", "cast to int64")
    values = node.outputs[0] and g.new_name("values")
    outputs = [values, *node.outputs[1:]]
    wide = g.cast(node.input(0), np.int64)
    g.add("TopK", [wide, node.input(1)], outputs, **node.attributes)
    if values:
        g.cast(values, dtype, node.outputs[:1])
    return True
