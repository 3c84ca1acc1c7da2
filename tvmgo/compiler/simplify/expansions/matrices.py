# SPDX-License-Identifier: Apache-2.0
"""Operators of linear algebra."""

from __future__ import annotations

import numpy as np

from tvmgo.compiler.simplify.expansions.widening import finish, wide_dtype, widen
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node

# Rows of a matrix whose elimination is written out, a step for each.
MOST_ROWS = 64


def determinant(node: Node, g: GraphEditor) -> bool:
    """Eliminate a column after another, below the largest number that it has."""
    rank, size = g.need_rank(node), g.need_dimensions(node)[-1]
    if size is None or not 1 <= size <= MOST_ROWS:
        raise node.refuse(
            f"it is of matrices of {size or 'any number of'} rows, 1 to {MOST_ROWS} are written out"
        )
    dtype = wide_dtype(g, node)
    zero, one = (g.add_constant(value, dtype) for value in (0, 1))
    down, along = g.integers(rank - 2), g.integers(rank - 1)
    begin, first, end = g.integers(0), g.integers(1), g.integers(np.iinfo(np.int64).max)
    left, result = widen(g, node), one
    for rows in range(size, 0, -1):
        column = g.add("Slice", [left, begin, first, along])
        place = g.add("ArgMax", [g.add("Abs", [column])], axis=rank - 2, keepdims=1)
        chosen = g.add("Equal", [place, g.add_constant(np.arange(rows)[:, None], np.int64)])
        # Sums of one row and zeros: what lies in another row, an infinity perhaps, is not multiplied.
        row = g.add("ReduceSum", [g.add("Where", [chosen, left, zero]), down], keepdims=1)
        pivot = g.add("Slice", [row, begin, first, along])
        moved = g.add("Greater", [place, g.add_constant(0, np.int64)])
        result = g.add("Mul", [result, g.add("Where", [moved, g.add("Neg", [pivot]), pivot])])
        if rows == 1:
            break
        top, below = (
            g.add("Slice", [left, *ends, down]) for ends in ((begin, first), (first, end))
        )
        below = g.add("Where", [g.add("Slice", [chosen, first, end, down]), top, below])
        divisor = g.add("Where", [g.add("Equal", [pivot, zero]), one, pivot])
        factors = g.add("Div", [g.add("Slice", [below, begin, first, along]), divisor])
        rest, row = (g.add("Slice", [each, first, end, along]) for each in (below, row))
        left = g.add("Sub", [rest, g.add("Mul", [factors, row])])
    finish(g, g.add("Squeeze", [result, g.integers(rank - 2, rank - 1)]), node)
    return True
