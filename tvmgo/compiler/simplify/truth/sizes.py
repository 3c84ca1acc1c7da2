# SPDX-License-Identifier: Apache-2.0
"""Sizes for dimensions that stay open in the exported model as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import onnx

from tvmgo.compiler.input_shapes import InputShapes, match_dimensions
from tvmgo.compiler.simplify.shapes import dimensions_of, fix_shapes

# In the order in which they are tried: short sequences, then pictures.
OPEN_SIZES = (6, 1, 32, 224)


def sized_models(model: Any, shapes: InputShapes) -> Iterator[Any]:
    """Give the model with fixed shapes: with one size after another, if `shapes` leaves any open.

    Raises
    ------
    TVMValueError
        If `shapes` does not fit the model.
    ExportError
        If an input does not even say how many dimensions it has.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    declared = {
        value.name: dimensions_of(value) for value in model.graph.input if value.name not in weights
    }
    known = match_dimensions(declared, shapes)
    for size in OPEN_SIZES:
        full, is_open = dict(shapes), False
        for name, dimensions in declared.items():
            if name in shapes or dimensions is None:
                continue
            found = [dim if isinstance(dim, int) else known.get(dim) for dim in dimensions]
            is_open |= None in found
            full[name] = [size if dim is None else dim for dim in found]
        sized = onnx.ModelProto()
        sized.CopyFrom(model)
        fix_shapes(sized, full)
        yield sized
        if not is_open:
            return
