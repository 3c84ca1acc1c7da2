# SPDX-License-Identifier: Apache-2.0
"""Numbers of two bytes, computed with in float32, and integers, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node


def widen(g: GraphEditor, node: Node, index: int = 0, wide: np.dtype[Any] | None = None) -> str:
    """Return an input in a wide type, by default that of `wide_dtype`."""
    name = str(node.input(index))
    wide = wide_dtype(g, node) if wide is None else wide
    return name if g.dtype(node) == wide else g.cast(name, wide)


def wide_dtype(g: GraphEditor, node: Node) -> np.dtype[Any]:
    """Return float32 if the node's numbers have two bytes, else what they are."""
    dtype = g.dtype(node)
    return np.dtype(np.float32) if dtype.itemsize < 4 else dtype


def float_dtype(g: GraphEditor, node: Node) -> np.dtype[Any]:
    """Return the same, for integers float64."""
    return np.dtype(np.float64) if g.dtype(node).kind in "iu" else wide_dtype(g, node)


def finish(g: GraphEditor, x: str, node: Node, wide: np.dtype[Any] | None = None) -> None:
    """Let `x` be the node's output, narrowed again if its inputs were widened."""
    dtype = g.dtype(node)
    if dtype == (wide_dtype(g, node) if wide is None else wide):
        g.add("Identity", [x], node.outputs[:1])
    else:
        g.cast(x, dtype, node.outputs[:1])
