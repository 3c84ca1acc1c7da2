# SPDX-License-Identifier: Apache-2.0
"""Operators of training, as they are when a model only runs."""

from __future__ import annotations

import numpy as np

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node
from tvmgo.compiler.simplify.raising import drop_nothing


def dropout(node: Node, g: GraphEditor) -> bool:
    training = g.constant(node.input(2))
    if node.input(2) is not None and (training is None or training.any()):
        return False  # refused when it is imported
    drop_nothing(node, g, np.dtype(bool))
    return True
