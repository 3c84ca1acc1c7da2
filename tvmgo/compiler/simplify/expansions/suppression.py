# SPDX-License-Identifier: Apache-2.0
"""NonMaxSuppression over scores of any sign."""

from __future__ import annotations

import numpy as np

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node

# The smallest overlap that is one.
LEAST = np.finfo("float32").tiny


def rank_scores(node: Node, g: GraphEditor) -> bool:
    """Put in the place of scores 1 for the best box, 1/2 for the next, and 0 below the threshold.

    TVM keeps no box whose score is negative, or all of them. What is chosen depends on nothing but
    the order of scores; of equal ones the first box comes first.
    """
    boxes, scores, most, overlap, threshold = (node.input(i) for i in range(5))
    last, one = g.add_constant([-1], np.int64), g.add_constant(1, np.float32)
    count = g.add("Gather", [g.add("Shape", [scores]), last], axis=0)
    order = sorted_places(g, scores, count, largest=1)
    before = sorted_places(g, order, count, largest=0)  # how many are better
    rank = g.add("Reciprocal", [g.add("Add", [g.cast(before, np.float32), one])])
    if threshold is not None:
        zero = g.add_constant(0, np.float32)
        rank = g.add("Where", [g.add("Greater", [scores, threshold]), rank, zero])
    least = g.add_constant([LEAST], np.float32)  # of 0 TVM makes something else
    overlap = g.add("Max", [overlap, least]) if overlap is not None else least
    g.replace(node, [boxes, rank, most, overlap, least], **node.attributes)
    return True


def sorted_places(g: GraphEditor, values: str | None, count: str, largest: int) -> str:
    """Return where the values lie of which the first, the second and so on are the best."""
    outputs = [g.new_name("sorted"), g.new_name("places")]
    g.add("TopK", [values, count], outputs, largest=largest)
    return outputs[1]
