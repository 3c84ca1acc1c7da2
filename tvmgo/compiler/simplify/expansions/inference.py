# SPDX-License-Identifier: Apache-2.0
"""Operators of training, as they are when a model only runs."""

from __future__ import annotations

import numpy as np

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node
from tvmgo.compiler.simplify.raising import drop_nothing


def dropout(node: Node, g: GraphEditor) -> bool:
    trains = node.input(2) is not None and not is_zero(g, node.input(2))
    if trains and not is_zero(g, node.input(1)):
        return False  # refused when it is imported
    drop_nothing(node, g, np.dtype(bool))
    return True


def is_zero(g: GraphEditor, name: str | None) -> bool:
    """Return whether a value is known to be zero, or false."""
    value = g.constant(name)
    return value is not None and not value.any()
