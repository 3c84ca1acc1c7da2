# SPDX-License-Identifier: Apache-2.0
"""What operators of opset 7 to 17 say in the normal opset, where the words have changed."""

from __future__ import annotations

from typing import Any

import numpy as np

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite

INT64_MAX = np.iinfo(np.int64).max


def axes_to_input(node: Node, g: GraphEditor) -> bool:
    """Squeeze, Unsqueeze and the reductions had their axes as an attribute."""
    if node.input(1) is not None:
        return False
    attributes = dict(node.attributes)
    axes = attributes.pop("axes", None)
    inputs = [node.input(0)]
    if axes is not None:
        inputs.append(g.integers(*axes))
    g.replace(node, inputs, **attributes)
    return True


def raise_slice(node: Node, g: GraphEditor) -> bool:
    if node.since >= 10:
        return False
    starts, ends = node.attributes["starts"], node.attributes["ends"]
    axes = node.attributes.get("axes", range(len(starts)))
    g.replace(node, [node.input(0), g.integers(*starts), g.integers(*ends), g.integers(*axes)])
    return True


def raise_top_k(node: Node, g: GraphEditor) -> bool:
    if node.since >= 10:
        return False
    k = g.integers(node.attributes["k"])
    g.replace(node, [node.input(0), k], axis=node.attributes.get("axis"))
    return True


def raise_clip(node: Node, g: GraphEditor) -> bool:
    if node.since >= 11:
        return False
    dtype = g.dtype(node)
    limits = [
        g.add_constant(node.attributes[name], dtype) if name in node.attributes else None
        for name in ("min", "max")
    ]
    g.replace(node, [node.input(0), *limits])
    return True


def raise_dropout(node: Node, g: GraphEditor) -> bool:
    """Up to opset 11 it drops nothing when a model runs, and its mask is of that time's type."""
    if node.since >= 12:
        return False
    drop_nothing(node, g, g.dtype(node) if node.since < 10 else np.dtype(bool))
    return True


def drop_nothing(node: Node, g: GraphEditor, mask: np.dtype[Any]) -> None:
    g.add("Identity", [node.input(0)], node.outputs[:1])
    if node.has_output(1):
        one = g.add_constant(1, mask)
        g.add("Expand", [one, g.add("Shape", [node.input(0)])], node.outputs[1:])


def raise_pad(node: Node, g: GraphEditor) -> bool:
    if node.since >= 11:
        return False
    pads = g.integers(*node.attributes["pads"])
    value = g.add_constant(node.attributes.get("value", 0.0), g.dtype(node))
    g.replace(node, [node.input(0), pads, value], mode=node.attributes.get("mode"))
    return True


def slope_along_channels(node: Node, g: GraphEditor) -> bool:
    """Up to opset 6 a slope of PRelu of one dimension was one for each channel."""
    if len(g.need_shape(node, 1)) != 1 or g.need_rank(node) <= 2:
        return False
    inner = list(range(1, g.need_rank(node) - 1))
    g.replace(node, [node.input(0), g.add("Unsqueeze", [node.input(1)], axes=inner)])
    return True


def raise_split(node: Node, g: GraphEditor) -> bool:
    """The sizes were an attribute; without any, all parts were equal, as many as outputs."""
    axis = node.attributes.get("axis", 0)
    if node.input(1) is not None:
        return False
    sizes = node.attributes.get("split")
    if sizes is not None:
        g.replace(node, [node.input(0), g.integers(*sizes)], axis=axis)
    else:
        g.replace(node, [node.input(0)], axis=axis, num_outputs=len(node.outputs))
    return True


def raise_softmax(node: Node, g: GraphEditor) -> bool:
    """Up to opset 12 these flatten the input to two dimensions at `axis`, 1 by default."""
    if node.since >= 13:
        return False
    axis = node.attributes.get("axis", 1)
    if axis in (-1, g.need_rank(node) - 1):
        g.replace(node, [node.input(0)], axis=-1)
        return True
    flat = g.add("Flatten", [node.input(0)], axis=axis)
    result = g.add(node.operator, [flat], axis=1)
    shape = g.shape(node.input(0))
    before = g.add("Shape", [node.input(0)]) if shape is None else g.integers(*shape)
    g.add("Reshape", [result, before], node.outputs)
    return True


def raise_upsample(node: Node, g: GraphEditor) -> bool:
    """Upsample became Resize, whose first version computed coordinates in the same way."""
    if "scales" in node.attributes:
        scales: str | None = g.add_constant(node.attributes["scales"], np.float32, "scales")
    else:
        scales = node.input(1)
    _resize(node, g, scales)
    return True


def raise_resize(node: Node, g: GraphEditor) -> bool:
    if node.since >= 11:
        return False
    scales = node.input(1)
    if node.attributes.get("mode", b"nearest") == b"nearest":
        # Where it takes elements away it rounds up; a Resize rounds all dimensions in one way.
        known = g.constant(scales)
        if known is None:
            one = g.add_constant(1, np.float32)
            less, more = (g.add(operator, [scales, one]) for operator in ("Min", "Max"))
        else:
            less, more = (g.add_constant(limit(known, 1)) for limit in (np.minimum, np.maximum))
        if known is None or (known < 1).any():
            smaller = g.add("Resize", [node.input(0), None, less], **NEAREST, nearest_mode="ceil")
            node.set_inputs([smaller, *node.inputs[1:]])
        scales = more
    _resize(node, g, scales)
    return True


NEAREST = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}


def _resize(node: Node, g: GraphEditor, scales: str | None) -> None:
    mode = node.attributes.get("mode", b"nearest")
    g.replace(
        node,
        [node.input(0), None, scales],
        "Resize",
        mode={b"bilinear": b"linear"}.get(mode, mode),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor" if mode == b"nearest" else None,
    )


def raise_batch_normalization(node: Node, g: GraphEditor) -> bool:
    """With an output of its own for each statistic, it was in training."""
    if node.since >= 14:
        return False
    if any(node.has_output(i) for i in range(1, len(node.outputs))):
        raise node.refuse("it is in training: it updates its statistics", "export for inference")
    if node.attributes.get("spatial", 1) != 1:
        raise node.refuse("it normalises each place by itself (spatial=0)")
    node.outputs = node.outputs[:1]
    g.replace(node, node.inputs, epsilon=node.attributes.get("epsilon"))
    return True


def raise_roi_align(node: Node, g: GraphEditor) -> bool:
    """The first version did not shift by half a pixel, which is the default since."""
    if node.since >= 16:
        return False
    shift = "output_half_pixel"
    g.replace(node, node.inputs, coordinate_transformation_mode=shift, **node.attributes)
    return True


def raise_scatter(node: Node, g: GraphEditor) -> bool:
    g.replace(node, node.inputs, "ScatterElements", **node.attributes)
    return True


RAISED: dict[str, Rewrite] = {
    **dict.fromkeys(
        (
            *("Squeeze", "Unsqueeze"),
            *("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax"),
            *("ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"),
        ),
        axes_to_input,
    ),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Hardmax"), raise_softmax),
    "BatchNormalization": raise_batch_normalization,
    "Clip": raise_clip,
    "Dropout": raise_dropout,
    "Pad": raise_pad,
    "Resize": raise_resize,
    "RoiAlign": raise_roi_align,
    "Scatter": raise_scatter,
    "Slice": raise_slice,
    "Split": raise_split,
    "TopK": raise_top_k,
    "Upsample": raise_upsample,
}
