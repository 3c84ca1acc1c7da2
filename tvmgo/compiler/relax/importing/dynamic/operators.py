# SPDX-License-Identifier: Apache-2.0
"""Operators whose result has a size that is open, or depends on data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tvmgo.compiler.relax.importing.dynamic import filling, resizing, selecting, shaping

if TYPE_CHECKING:
    from tvm import relax

    from tvmgo.compiler.relax.importing.dynamic.node import DynamicNode

Convert = Callable[["DynamicNode"], "relax.Expr | None"]


def where_open(convert: Convert, *parameters: int) -> Convert:
    """Leave a node to TVM where its shapes are fixed and its parameters constant."""

    def convert_open(node: DynamicNode) -> relax.Expr | None:
        constant = all(node.constant(i) is not None for i in parameters if node.has(i))
        return None if constant and node.is_static else convert(node)

    return convert_open


DYNAMIC: Mapping[str, Convert] = {
    "Compress": selecting.compress,
    "ConstantOfShape": filling.constant_of_shape,
    "Expand": where_open(shaping.expand, 1),
    "EyeLike": where_open(filling.eye_like),
    "Flatten": where_open(shaping.flatten),
    "NonZero": selecting.non_zero,
    "OneHot": where_open(filling.one_hot, 1),
    "Pad": where_open(shaping.pad, 1, 2, 3),
    "Range": filling.range_,
    "Reshape": where_open(shaping.reshape, 1),
    "Resize": where_open(resizing.resize, 2, 3),
    "Slice": where_open(shaping.slice_, 1, 2, 3, 4),
    "Split": where_open(shaping.split, 1),
    "Squeeze": where_open(shaping.squeeze, 1),
    "Tile": where_open(shaping.tile, 1),
    "TopK": where_open(selecting.top_k, 1),
    "Unique": selecting.unique,
}
