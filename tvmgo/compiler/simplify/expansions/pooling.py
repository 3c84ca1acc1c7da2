# SPDX-License-Identifier: Apache-2.0
"""Pooling beyond windows without gaps and one result."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tvmgo.compiler.simplify.expansions.widening import finish, wide_dtype, widen
from tvmgo.compiler.simplify.expansions.windows import explicit_padding, same_padding
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node


class Windows:
    """Where the windows of a pooling lie, along each axis of the picture."""

    def __init__(self, node: Node, g: GraphEditor) -> None:
        self.sizes = g.need_shape(node)[2:]
        results = g.shape(node.outputs[0])
        if results is None:
            raise node.refuse("the shape of its result is not known")
        self.results = results[2:]
        ndim = len(self.sizes)
        read = node.attributes.get
        self.kernel: list[int] = list(node.attributes["kernel_shape"])
        self.strides: list[int] = list(read("strides") or [1] * ndim)
        self.dilations: list[int] = list(read("dilations") or [1] * ndim)
        self.pads: list[int] = same_padding(node, g) or list(read("pads") or [0] * 2 * ndim)
        ends = [
            (result - 1) * step + (k - 1) * dilation + 1
            for result, step, k, dilation in zip(
                self.results, self.strides, self.kernel, self.dilations
            )
        ]
        # Rounded up, the last window may reach beyond the padding.
        self.beyond = [
            max(end - self.pads[i] - self.sizes[i] - self.pads[ndim + i], 0)
            for i, end in enumerate(ends)
        ]

    def places(self, axis: int) -> np.ndarray:
        """Return the place of each element (columns) of each window (rows), < 0 before the edge."""
        starts = np.arange(self.results[axis]) * self.strides[axis] - self.pads[axis]
        return starts[:, None] + np.arange(self.kernel[axis]) * self.dilations[axis]


def dilated_average_pool(node: Node, g: GraphEditor) -> bool:
    """Add the elements of each window by a convolution with ones, and divide by their number.

    Windows have gaps since opset 19; those without are left to the compilers.
    """
    w = Windows(node, g)
    ndim = len(w.sizes)
    if all(step == 1 for step in w.dilations):
        return False
    counts = np.ones(())
    for i, size in enumerate(w.sizes):
        counted = node.attributes.get("count_include_pad", 0)
        before, after = (w.pads[i], w.pads[ndim + i]) if counted else (0, 0)
        places = w.places(i)
        counts = np.multiply.outer(counts, ((places >= -before) & (places < size + after)).sum(1))
    channels = g.need_shape(node)[1]
    dtype = wide_dtype(g, node)
    total = g.add(
        "Conv",
        [widen(g, node), g.add_constant(np.ones((channels, 1, *w.kernel)), dtype)],
        strides=w.strides,
        dilations=w.dilations,
        pads=[*w.pads[:ndim], *(w.pads[ndim + i] + w.beyond[i] for i in range(ndim))],
        group=channels,
    )
    finish(g, g.add("Div", [total, g.add_constant(counts, dtype)]), node)
    return True


def lp_pool(node: Node, g: GraphEditor) -> bool:
    """Zeros add nothing: what a window has beyond the padding, rounded up, is padded as well."""
    if not node.attributes.get("ceil_mode", 0):
        return explicit_padding(node, g)
    w = Windows(node, g)
    ndim = len(w.sizes)
    ends = [w.pads[ndim + i] + w.beyond[i] for i in range(ndim)]
    attributes = {**node.attributes, "pads": [*w.pads[:ndim], *ends], "ceil_mode": 0}
    attributes.pop("auto_pad", None)
    g.replace(node, node.inputs, **attributes)
    return True


def max_pool(node: Node, g: GraphEditor) -> bool:
    if not node.has_output(1):
        return explicit_padding(node, g)
    return max_pool_with_indices(node, g)


def max_pool_with_indices(node: Node, g: GraphEditor) -> bool:
    """Gather the windows as rows, so that ArgMax finds their places as well."""
    w = Windows(node, g)
    batch, channels = g.need_shape(node)[:2]
    pixels = math.prod(w.sizes)
    inside, flat = np.ones((1, 1), bool), np.zeros((1, 1), np.int64)
    by_columns = np.zeros((1, 1), np.int64)
    step = 1
    for i, size in enumerate(w.sizes):
        places = w.places(i)
        inside = spread(inside, (places >= 0) & (places < size), np.logical_and)
        places = places.clip(0, size - 1)
        flat = spread(flat * size, places, np.add)
        by_columns = spread(by_columns, places * step, np.add)
        step *= size
    # Elements outside of the picture are read from behind its last one.
    x = g.add("Reshape", [node.input(0), g.integers(batch * channels, pixels)])
    dtype = g.dtype(node)
    lowest = -np.inf if dtype.kind not in "iu" else np.iinfo(dtype).min
    edge = g.add_constant(np.full((batch * channels, 1), lowest), dtype)
    x = g.add("Concat", [x, edge], axis=1)
    rows = g.add("Gather", [x, g.add_constant(np.where(inside, flat, pixels))], axis=1)
    shape = g.integers(batch, channels, *w.results)
    if node.has_output(0):
        largest = g.add("ReduceMax", [rows, g.integers(2)], keepdims=0)
        g.add("Reshape", [largest, shape], node.outputs[:1])
    chosen = g.add("ArgMax", [rows], axis=2)
    table = by_columns if node.attributes.get("storage_order", 0) else flat
    offset = np.arange(batch * channels)[:, None, None] * pixels
    index = g.add("GatherElements", [g.add_constant(offset + table), chosen], axis=2)
    g.add("Reshape", [index, shape], node.outputs[1:2])
    return True


def spread(outer: np.ndarray, places: np.ndarray, join: Callable[..., Any]) -> np.ndarray:
    """Combine windows of some axes with those along one more."""
    both = join(outer[:, None, :, None], places[None, :, None, :])
    return np.asarray(both.reshape(outer.shape[0] * places.shape[0], -1))


def max_unpool(node: Node, g: GraphEditor) -> bool:
    """Write elements into zeros, at places that count through all pictures.

    These are of the size that pooling would have come from; a larger one is padded.
    """
    batch, channels, *sizes = g.need_shape(node)
    ndim = len(sizes)
    kernel = node.attributes["kernel_shape"]
    strides = node.attributes.get("strides") or [1] * ndim
    pads = node.attributes.get("pads") or [0] * 2 * ndim
    image = [
        (size - 1) * strides[i] + kernel[i] - pads[i] - pads[i + ndim]
        for i, size in enumerate(sizes)
    ]
    zeros = g.add_constant(np.zeros(batch * channels * math.prod(image)), g.dtype(node))
    flat = [g.add("Reshape", [node.input(i), g.integers(-1)]) for i in (1, 0)]
    x = g.add("ScatterElements", [zeros, *flat], axis=0)
    shape = [batch, channels, *image]
    x = g.add("Reshape", [x, g.integers(*shape)])
    if node.input(2) is not None:
        wanted = [int(size) for size in g.need_constant(node, 2, "output_shape")]
        more = [size - own for size, own in zip(wanted, shape)]
        if min(more) < 0:
            raise node.refuse(f"its output_shape {wanted} is smaller than {shape}")
        x = g.add("Pad", [x, g.integers(*[0] * len(more), *more)])
    g.add("Identity", [x], node.outputs)
    return True
