# SPDX-License-Identifier: Apache-2.0
"""Operators that move elements: by lengths, by depth, by blocks, along an axis."""

from __future__ import annotations

import numpy as np

from tvmgo.compiler.onnx_nodes import leaves_out
from tvmgo.compiler.simplify.expansions.positions import along, indices_along, vector_shape
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node


def reverse_sequence(node: Node, g: GraphEditor) -> bool:
    """Read the first elements of each sequence backwards, and the others where they are.

    Time and batch are the first two axes: of both together, whole rows are read.
    """
    axes = g.need_shape(node)[:2]
    batch, time = node.attributes.get("batch_axis", 1), node.attributes.get("time_axis", 0)
    place = indices_along(g, axes, time)
    lengths = along(g, g.cast(node.input(1), np.int64), 2, batch)
    last = g.add("Sub", [lengths, g.add_constant(1, np.int64)])
    mirrored = g.add("Sub", [last, place])
    chosen = g.add("Where", [g.add("Less", [place, lengths]), mirrored, place])
    both = [chosen, g.add("Expand", [indices_along(g, axes, batch), g.integers(*axes)])]
    pairs = [g.add("Unsqueeze", [both[axis != time], g.integers(2)]) for axis in (0, 1)]
    rows = g.add("Concat", pairs, axis=2)
    g.add("GatherND", [node.input(0), rows], node.outputs)
    return True


def one_hot(node: Node, g: GraphEditor) -> bool:
    """Compare each index, which may count from the end, with all places."""
    given = g.constant(node.input(1))
    if given is None:
        return False  # for the virtual machine; a graph's compiler refuses it
    depth, ndim = int(given.reshape(())), g.need_rank(node) + 1
    axis = node.attributes.get("axis", -1) % ndim
    index = g.cast(node.input(0), np.int64)
    zero, size = (g.add_constant(value, np.int64) for value in (0, depth))
    from_end = g.add("Add", [index, size])
    index = g.add("Where", [g.add("Less", [index, zero]), from_end, index])
    index = g.add("Unsqueeze", [index, g.integers(axis)])
    places = np.arange(depth).reshape(vector_shape(ndim, axis))
    hot = g.add("Equal", [index, g.add_constant(places, np.int64)])
    off, on = (
        g.add("Gather", [node.input(2), g.add_constant(i, np.int64)], axis=0) for i in (0, 1)
    )
    g.add("Where", [hot, on, off], node.outputs)
    return True


def scatter_elements(node: Node, g: GraphEditor) -> bool:
    """Say all coordinates where indices leave out a part of another axis: compilers would miss it."""
    data, sizes = g.shape(node.input(0)), g.shape(node.input(1))
    if data is None or sizes is None:
        return False
    axis = node.attributes.get("axis", 0) % len(data)
    if not leaves_out(data, sizes, axis):
        return False
    index = g.cast(node.input(1), np.int64)
    places = [
        index if i == axis else g.add("Expand", [indices_along(g, sizes, i), g.integers(*sizes)])
        for i in range(len(sizes))
    ]
    last = g.integers(len(sizes))
    points = g.add("Concat", [g.add("Unsqueeze", [x, last]) for x in places], axis=len(sizes))
    reduction = node.attributes.get("reduction")
    inputs = [node.input(0), points, node.input(2)]
    g.add("ScatterND", inputs, node.outputs, reduction=reduction)
    return True


def cum_prod(node: Node, g: GraphEditor) -> bool:
    """Multiply, for each place of the axis, what lies before it; the rest counts as 1."""
    shape = g.need_shape(node)
    axis = int(g.need_constant(node, 1, "axis").reshape(())) % len(shape)
    size = shape[axis]
    before = np.tri(size, k=-1 if node.attributes.get("exclusive", 0) else 0, dtype=bool)
    if node.attributes.get("reverse", 0):
        before = before[::-1, ::-1]
    # The new axis, in front of the old one, counts the results.
    before = before.reshape([size, size, *[1] * (len(shape) - axis - 1)])
    x = g.add("Unsqueeze", [node.input(0), g.integers(axis)])
    one = g.add_constant(1, g.dtype(node))
    factors = g.add("Where", [g.add_constant(before), x, one])
    g.add("ReduceProd", [factors, g.integers(axis + 1)], node.outputs, keepdims=0)
    return True


def col2im(node: Node, g: GraphEditor) -> bool:
    """Add each element of the columns at its place in the padded image, and cut the padding off."""
    batch, rows, _ = g.need_shape(node)
    image = [int(size) for size in g.need_constant(node, 1, "image_shape")]
    block = [int(size) for size in g.need_constant(node, 2, "block_shape")]
    ndim = len(image)
    strides = node.attributes.get("strides") or [1] * ndim
    dilations = node.attributes.get("dilations") or [1] * ndim
    pads = node.attributes.get("pads") or [0] * 2 * ndim
    padded = [size + pads[i] + pads[i + ndim] for i, size in enumerate(image)]
    # Where along each axis the elements of a window lie (rows) for each window (columns).
    places = [
        np.arange(k)[:, None] * dilation
        + np.arange((size - (k - 1) * dilation - 1) // step + 1) * step
        for size, k, step, dilation in zip(padded, block, strides, dilations)
    ]
    flat = np.zeros((1, 1), np.int64)
    for size, place in zip(padded, places):
        both = flat[:, None, :, None] * size + place[None, :, None, :]
        flat = both.reshape(flat.shape[0] * place.shape[0], flat.shape[1] * place.shape[1])
    channels = rows // flat.shape[0]
    columns = g.add("Reshape", [node.input(0), g.integers(batch, channels, flat.size)])
    index = g.add_constant(np.broadcast_to(flat.reshape(-1), (batch, channels, flat.size)))
    canvas = np.zeros((batch, channels, int(np.prod(padded))), g.dtype(node))
    inputs = [g.add_constant(canvas), index, columns]
    total = g.add("ScatterElements", inputs, axis=2, reduction="add")
    total = g.add("Reshape", [total, g.integers(batch, channels, *padded)])
    starts = pads[:ndim]
    ends = [start + size for start, size in zip(starts, image)]
    axes = g.integers(*range(2, ndim + 2))
    g.add("Slice", [total, g.integers(*starts), g.integers(*ends), axes], node.outputs)
    return True


def tensor_scatter(node: Node, g: GraphEditor) -> bool:
    """Write an update into a cache from an index on, which each batch has of its own."""
    cache, update = g.need_shape(node, 0), g.need_shape(node, 1)
    axis = node.attributes.get("axis", -2) % len(cache)
    place = indices_along(g, update, axis)
    if node.input(2) is not None:
        first = along(g, g.cast(node.input(2), np.int64), len(cache), 0)
        place = g.add("Add", [place, first])
    if node.attributes.get("mode", b"linear") == b"circular":
        place = g.add("Mod", [place, g.add_constant(cache[axis], np.int64)])
    place = g.add("Expand", [place, g.integers(*update)])
    inputs = [node.input(0), place, node.input(1)]
    g.add("ScatterElements", inputs, node.outputs, axis=axis)
    return True
