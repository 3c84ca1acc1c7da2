# SPDX-License-Identifier: Apache-2.0
"""Places along an axis, in a shape that broadcasts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tvmgo.compiler.simplify.graph_editor import GraphEditor


def vector_shape(ndim: int, axis: int) -> list[int]:
    """Return the shape of a vector that lies along an axis of `ndim`."""
    return [-1 if i == axis % ndim else 1 for i in range(ndim)]


def along(g: GraphEditor, name: str, ndim: int, axis: int) -> str:
    """Lay a vector along an axis of `ndim`."""
    return g.add("Reshape", [name, g.integers(*vector_shape(ndim, axis))])


def indices_along(g: GraphEditor, shape: Sequence[int], axis: int) -> str:
    """Return 0, 1, 2 ... along an axis of a shape."""
    places = np.arange(shape[axis], dtype=np.int64)
    return g.add_constant(places.reshape(vector_shape(len(shape), axis)))
