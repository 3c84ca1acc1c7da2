# SPDX-License-Identifier: Apache-2.0
"""QuantizeLinear and DequantizeLinear by arithmetic, where compilers have them for bytes alone.

They have kernels for bytes whose scales and zero points are constants, one or one a channel.
"""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
from onnx import helper

from tvmgo.compiler.simplify.expansions.positions import along
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node

BYTES = {np.dtype(np.int8), np.dtype(np.uint8)}


def is_simple(node: Node, g: GraphEditor, dtype: np.dtype[Any], allowed: set[Any]) -> bool:
    fixed = all(node.input(i) is None or g.constant(node.input(i)) is not None for i in (1, 2))
    return fixed and dtype in allowed and not node.attributes.get("block_size", 0)


def quantize(node: Node, g: GraphEditor) -> bool:
    read = node.attributes.get
    code = read("output_dtype", 0)
    dtype = g.dtype(node, 2) if node.input(2) is not None else np.dtype(np.uint8)
    if code:
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(code))
    if is_simple(node, g, dtype, BYTES):
        zero = node.input(2) or g.add_constant(np.zeros(g.need_shape(node, 1)), dtype)
        g.replace(node, [*node.inputs[:2], zero], axis=read("axis"))
        return True
    wide = np.dtype(np.float64) if g.dtype(node) == np.float64 else np.dtype(np.float32)
    scaled = g.add("Div", [g.cast(node.input(0), wide), parameter(node, g, 1, wide)])
    if dtype.kind not in "iu":
        saturate = read("saturate", 1)
        code = helper.np_dtype_to_tensor_dtype(dtype)
        g.add("Cast", [scaled], node.outputs, to=code, saturate=None if saturate else 0)
        return True
    rounded = g.add("Round", [scaled])
    if node.input(2) is not None:
        rounded = g.add("Add", [rounded, parameter(node, g, 2, wide)])
    limits = ml_dtypes.iinfo(dtype)
    ends = [g.add_constant(limit, wide) for limit in (limits.min, limits.max)]
    g.cast(g.add("Clip", [rounded, *ends]), dtype, node.outputs)
    return True


def dequantize(node: Node, g: GraphEditor) -> bool:
    read = node.attributes.get
    # What an operator of com.microsoft gives has no type yet, but its zero point's.
    dtype = g.dtype(node, 0 if node.input(2) is None else 2)
    code = read("output_dtype", 0)
    result = np.dtype(helper.tensor_dtype_to_np_dtype(code)) if code else g.dtype(node, 1)
    if is_simple(node, g, dtype, {*BYTES, np.dtype(np.int32)}) and result == np.float32:
        g.replace(node, node.inputs, axis=read("axis"))
        return True
    if result == np.float32 and not node.attributes.get("block_size", 0):
        inputs = widened(node, g)
        if inputs is not None:
            g.replace(node, inputs, axis=read("axis"))
            return True
    wide = np.dtype(np.float32)
    x = values_of(node, g, 0, wide)
    if node.input(2) is not None:
        x = g.add("Sub", [x, parameter(node, g, 2, wide)])
    g.cast(g.add("Mul", [x, parameter(node, g, 1, wide)]), result, node.outputs)
    return True


def widened(node: Node, g: GraphEditor) -> list[str] | None:
    """Return the inputs with constants of fewer than eight bits as bytes."""
    values, zeros = (g.constant(node.input(i)) for i in (0, 2))
    kinds = {"i": np.int8, "u": np.uint8}
    kind = None if values is None else kinds.get(values.dtype.name[0])
    fixed = g.constant(node.input(1)) is not None and (node.input(2) is None or zeros is not None)
    if kind is None or values is None or values.dtype.itemsize > 1 or not fixed:
        return None
    inputs = [g.add_constant(values.astype(kind)), str(node.input(1))]
    return inputs if zeros is None else [*inputs, g.add_constant(zeros.astype(kind))]


def values_of(node: Node, g: GraphEditor, index: int, wide: np.dtype[Any]) -> str:
    """Return an input as floats; constants of four bits are read here, since no compiler can."""
    known = g.constant(node.input(index))
    if known is not None and known.dtype.itemsize == 1 and known.dtype not in BYTES:
        return g.add_constant(known.astype(wide))
    return g.cast(node.input(index), wide)


def parameter(node: Node, g: GraphEditor, index: int, wide: np.dtype[Any]) -> str:
    """Return a scale or zero point in a shape that broadcasts to the data."""
    value = values_of(node, g, index, wide)
    own = g.need_shape(node, index)
    if math.prod(own) == 1:
        return g.add("Reshape", [value, g.add_constant(np.zeros(0, np.int64))])
    shape = g.need_shape(node)
    axis = node.attributes.get("axis", 1)
    block = node.attributes.get("block_size", 0)
    if block and len(own) == len(shape):
        axis %= len(shape)
        wide_shape = [*own[: axis + 1], block, *own[axis + 1 :]]
        value = g.add("Unsqueeze", [value, g.integers(axis + 1)])
        value = g.add("Expand", [value, g.integers(*wide_shape)])
        value = g.add("Reshape", [value, g.integers(*own[:axis], -1, *own[axis + 1 :])])
        ends, axes = g.integers(shape[axis]), g.integers(axis)
        return g.add("Slice", [value, g.integers(0), ends, axes])
    return along(g, value, len(shape), axis)
