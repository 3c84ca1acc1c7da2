# SPDX-License-Identifier: Apache-2.0
"""Elements between the elements of pictures and volumes: GridSample, DeformConv."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node


class Sampler:
    """Reads `x`, pictures of any number of axes in a row each, at places between its elements.

    x : [batch, channels, pixels]
    Places are given one tensor an axis, each of shape [batch, points], in elements.
    """

    def __init__(
        self, g: GraphEditor, x: str, shape: Sequence[int], points: int, dtype: np.dtype
    ) -> None:
        self.g, self.dtype, self.points = g, dtype, points
        self.batch, self.channels, *self.sizes = shape
        self.x = g.add("Reshape", [x, g.integers(self.batch, self.channels, -1)])

    def number(self, value: float) -> str:
        return self.g.add_constant(value, self.dtype)

    def at(self, places: Sequence[str], *, zeros: bool) -> str:
        """Read whole places; outside of the picture there is 0, or the nearest element."""
        g = self.g
        flat, inside = None, None
        for place, size in zip(places, self.sizes):
            first, last = self.number(0), self.number(size - 1)
            kept = g.add("Clip", [place, first, last])
            index = g.cast(kept, np.int64)
            if flat is not None:
                index = g.add("Add", [g.add("Mul", [flat, g.add_constant(size, np.int64)]), index])
            flat = index
            if zeros:
                own = g.add("Equal", [kept, place])
                inside = own if inside is None else g.add("And", [inside, own])
        shape = g.integers(self.batch, self.channels, self.points)
        index = g.add("Expand", [g.add("Unsqueeze", [flat, g.integers(1)]), shape])
        value = g.add("GatherElements", [self.x, index], axis=2)
        if inside is None:
            return value
        inside = g.add("Unsqueeze", [inside, g.integers(1)])
        return g.add("Where", [inside, value, self.number(0)])

    def nearest(self, places: Sequence[str], *, zeros: bool) -> str:
        return self.at([self.g.add("Round", [place]) for place in places], zeros=zeros)

    def linear(self, places: Sequence[str], *, zeros: bool) -> str:
        """Weigh the corners around each place."""
        g = self.g
        lower = [g.add("Floor", [place]) for place in places]
        upper = [g.add("Add", [each, self.number(1)]) for each in lower]
        rest = [g.add("Sub", [place, each]) for place, each in zip(places, lower)]
        other = [g.add("Sub", [self.number(1), each]) for each in rest]
        total = None
        for corner in itertools.product((0, 1), repeat=len(places)):
            ends = [(low, high)[side] for low, high, side in zip(lower, upper, corner)]
            weights = [(low, high)[side] for low, high, side in zip(other, rest, corner)]
            weight = weights[0]
            for each in weights[1:]:
                weight = g.add("Mul", [weight, each])
            weight = g.add("Unsqueeze", [weight, g.integers(1)])
            part = g.add("Mul", [self.at(ends, zeros=zeros), weight])
            total = part if total is None else g.add("Add", [total, part])
        return str(total)


def grid_sample(node: Node, g: GraphEditor) -> bool:
    """The grid has the place of each point from -1 to 1, of the last axis first."""
    shape, grid = g.need_shape(node), g.need_shape(node, 1)
    dtype, read = g.dtype(node, 1), node.attributes.get
    points = math.prod(grid[1:-1])
    sampler = Sampler(g, str(node.input(0)), shape, points, dtype)
    padding = read("padding_mode", b"zeros")
    aligned = bool(read("align_corners", 0))
    flat = g.add("Reshape", [node.input(1), g.integers(shape[0], points, len(shape) - 2)])
    places = []
    for i, size in enumerate(sampler.sizes):
        last = g.add_constant(len(shape) - 3 - i, np.int64)
        place = g.add("Gather", [flat, last], axis=2)
        factor, shift = ((size - 1) / 2, (size - 1) / 2) if aligned else (size / 2, (size - 1) / 2)
        place = g.add("Mul", [place, sampler.number(factor)])
        place = g.add("Add", [place, sampler.number(shift)])
        if padding == b"reflection":
            first, end = (0.0, size - 1.0) if aligned else (-0.5, size - 0.5)
            place = reflected(sampler, place, first, end)
        if padding != b"zeros":
            place = g.add("Clip", [place, sampler.number(0), sampler.number(size - 1)])
        places.append(place)
    mode = read("mode", b"linear")
    read_at = sampler.nearest if mode == b"nearest" else sampler.linear
    result = read_at(places, zeros=padding == b"zeros")
    g.add("Reshape", [result, g.integers(*shape[:2], *grid[1:-1])], node.outputs)
    return True


def reflected(s: Sampler, place: str, first: float, end: float) -> str:
    """Return the place after reflections at both ends."""
    g = s.g
    if end <= first:
        return g.add("Mul", [place, s.number(0)])
    span = s.number(end - first)
    away = g.add("Abs", [g.add("Sub", [place, s.number(first)])])
    turns = g.add("Floor", [g.add("Div", [away, span])])
    rest = g.add("Sub", [away, g.add("Mul", [turns, span])])
    odd = g.add("Mod", [turns, s.number(2)], fmod=1)
    back = g.add("Sub", [span, rest])
    rest = g.add("Where", [g.add("Greater", [odd, s.number(0.5)]), back, rest])
    return g.add("Add", [rest, s.number(first)])


def deform_conv(node: Node, g: GraphEditor) -> bool:
    """Sample what each weight of each window reads, and multiply by the weights."""
    shape, weights = g.need_shape(node), g.need_shape(node, 1)
    offsets = g.need_shape(node, 2)
    batch, channels, *sizes = shape
    new = offsets[2:]
    ndim, taps, points = len(sizes), math.prod(weights[2:]), math.prod(new)
    read, dtype = node.attributes.get, g.dtype(node)
    strides, dilations = (list(read(name) or [1] * ndim) for name in ("strides", "dilations"))
    pads = list(read("pads") or [0] * 2 * ndim)
    group, offset_group = read("group", 1), read("offset_group", 1)
    # Each group of offsets has its own places: taken as pictures of their own.
    pictures = [batch * offset_group, channels // offset_group, *sizes]
    x = g.add("Reshape", [node.input(0), g.integers(*pictures)])
    sampler = Sampler(g, x, pictures, taps * points, dtype)
    moved = g.add("Reshape", [node.input(2), g.integers(pictures[0], taps, ndim, points)])
    places = []
    for i in range(ndim):
        tap_shape = [-1 if j == i else 1 for j in range(ndim)]
        tap = np.arange(weights[2 + i]).reshape(tap_shape) * dilations[i]
        start = np.arange(new[i]).reshape(tap_shape) * strides[i] - pads[i]
        tap = np.broadcast_to(tap, weights[2:]).reshape(taps, 1)
        start = np.broadcast_to(start, new).reshape(1, points)
        own = g.add("Gather", [moved, g.add_constant(i, np.int64)], axis=2)
        place = g.add("Add", [own, g.add_constant(tap + start, dtype)])
        places.append(g.add("Reshape", [place, g.integers(pictures[0], taps * points)]))
    columns = sampler.linear(places, zeros=True)
    if node.input(4) is not None:
        mask = g.add("Reshape", [node.input(4), g.integers(pictures[0], 1, taps * points)])
        columns = g.add("Mul", [columns, mask])
    rows = channels // group * taps
    columns = g.add("Reshape", [columns, g.integers(batch, group, rows, points)])
    matrix = g.add("Reshape", [node.input(1), g.integers(1, group, -1, rows)])
    y = g.add("Reshape", [g.add("MatMul", [matrix, columns]), g.integers(batch, weights[0], *new)])
    if node.input(3) is not None:
        bias = g.add("Reshape", [node.input(3), g.integers(-1, *[1] * ndim)])
        y = g.add("Add", [y, bias])
    g.add("Identity", [y], node.outputs)
    return True
