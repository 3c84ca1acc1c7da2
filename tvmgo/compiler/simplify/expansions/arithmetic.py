# SPDX-License-Identifier: Apache-2.0
"""Arithmetic in combinations of element types that compilers lack."""

from __future__ import annotations

from typing import Any

import numpy as np

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite


def power(node: Node, g: GraphEditor) -> bool:
    """Compute in one type of floats; the result has that of the base."""
    base, exponent = g.dtype(node, 0), g.dtype(node, 1)
    if base == exponent and base.kind not in "iu":
        return False
    wide = np.dtype(np.float64) if base.kind in "iu" else base
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
