# SPDX-License-Identifier: Apache-2.0
"""Padding and sizes in numbers, where ONNX allows words or nothing."""

from __future__ import annotations

import math

import numpy as np
from onnx import TensorProto

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node


def explicit_padding(node: Node, g: GraphEditor) -> bool:
    """Say in numbers what auto_pad says in words."""
    pads = same_padding(node, g)
    if pads is None:
        return False
    attributes = {**node.attributes, "pads": pads}
    for said in ("auto_pad", "ceil_mode"):  # the padded size fits the strides
        attributes.pop(said, None)
    g.replace(node, node.inputs, **attributes)
    return True


def transposed_padding(node: Node, g: GraphEditor) -> bool:
    """Say in padding what the attribute output_shape of ConvTranspose says."""
    attributes = dict(node.attributes)
    wanted = attributes.pop("output_shape", None)
    if wanted is None:
        return False
    words = attributes.pop("auto_pad", b"NOTSET")
    sizes = g.need_shape(node)[2:]
    ndim = len(sizes)
    kernel = g.need_shape(node, 1)[2:]
    strides = attributes.get("strides") or [1] * ndim
    dilations = attributes.get("dilations") or [1] * ndim
    more = attributes.get("output_padding") or [0] * ndim
    totals = [
        step * (size - 1) + beyond + (width - 1) * dilation + 1 - result
        for size, width, step, dilation, beyond, result in zip(
            sizes, kernel, strides, dilations, more, wanted[-ndim:]
        )
    ]
    attributes["output_padding"] = [beyond - min(t, 0) for beyond, t in zip(more, totals)]
    small = [max(total, 0) // 2 for total in totals]
    large = [max(total, 0) - half for total, half in zip(totals, small)]
    attributes["pads"] = [*small, *large] if words == b"SAME_UPPER" else [*large, *small]
    g.replace(node, node.inputs, **attributes)
    return True


def same_padding(node: Node, g: GraphEditor) -> list[int] | None:
    """Return the padding that auto_pad asks for if that is to keep the size, else None."""
    words = node.attributes.get("auto_pad", b"NOTSET")
    if words not in (b"SAME_UPPER", b"SAME_LOWER"):
        return None
    sizes = g.need_shape(node)[2:]
    kernel = node.attributes.get("kernel_shape") or g.need_shape(node, 1)[2:]
    strides = node.attributes.get("strides") or [1] * len(sizes)
    dilations = node.attributes.get("dilations") or [1] * len(sizes)
    totals = [
        max((math.ceil(size / step) - 1) * step + (width - 1) * dilation + 1 - size, 0)
        for size, width, step, dilation in zip(sizes, kernel, strides, dilations)
    ]
    less, more = [total // 2 for total in totals], [total - total // 2 for total in totals]
    return [*less, *more] if words == b"SAME_UPPER" else [*more, *less]


def wide_axes(node: Node, g: GraphEditor) -> bool:
    """Say the axes of a Pad in int64, as pads are."""
    axes = node.input(3)
    if g.element_type(axes) != TensorProto.INT32:
        return False
    g.replace(node, [*node.inputs[:3], g.cast(axes, np.int64)], **node.attributes)
    return True


def checked_padding(node: Node, g: GraphEditor) -> bool:
    """Refuse to reflect what is not there."""
    if node.attributes.get("mode", b"constant") != b"reflect":
        return False
    sizes, pads = g.shape(node.input(0)), g.constant(node.input(1))
    if sizes is None or pads is None:
        return False  # refused when it is imported
    given = g.constant(node.input(3))
    axes = range(len(sizes)) if given is None else [int(axis) for axis in given]
    for place, pad in enumerate(pads):
        size = sizes[axes[place % len(axes)]]
        if pad >= size:
            raise node.refuse(
                f"it reflects {pad} elements of a dimension that has {size}, of which it has "
                f"{max(size - 1, 0)} beside the edge",
                "pad by less than the size",
            )
    return False
