# SPDX-License-Identifier: Apache-2.0
"""Places along an axis, in a shape that broadcasts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tvmgo.compiler.simplify.graph_editor import GraphEditor


def along(g: GraphEditor, name: str, ndim: int, axis: int) -> str:
    """Lay a vector along an axis of `ndim`."""
    return g.add(
        "Reshape", [name, g.integers(*(-1 if i == axis % ndim else 1 for i in range(ndim)))]
    )


def indices_along(g: GraphEditor, shape: Sequence[int], axis: int) -> str:
    """Return 0, 1, 2 ... along an axis of a shape."""
    axis %= len(shape)
    places = np.arange(shape[axis], dtype=np.int64)
    return g.add_constant(places.reshape([-1 if i == axis else 1 for i in range(len(shape))]))
