# SPDX-License-Identifier: Apache-2.0
"""Numbers of two bytes, computed with in float32."""

from __future__ import annotations

from typing import Any

import numpy as np

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node


def widen(g: GraphEditor, node: Node, index: int = 0) -> str:
    """Return an input, in float32 if its numbers have two bytes."""
    name = str(node.input(index))
    if g.dtype(node).itemsize >= 4:
        return name
    return g.cast(name, np.float32)


def wide_dtype(g: GraphEditor, node: Node) -> np.dtype[Any]:
    """Return what `widen` gives."""
    dtype = g.dtype(node)
    return np.dtype(np.float32) if dtype.itemsize < 4 else dtype


def finish(g: GraphEditor, x: str, node: Node) -> None:
    """Let `x` be the node's output, narrowed again if its inputs were widened."""
    dtype = g.dtype(node)
    if dtype.itemsize >= 4:
        g.add("Identity", [x], node.outputs[:1])
    else:
        g.cast(x, dtype, node.outputs[:1])
