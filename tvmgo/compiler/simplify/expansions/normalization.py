# SPDX-License-Identifier: Apache-2.0
"""Normalisations, with variances in which no digit is lost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tvmgo.compiler.simplify.expansions.widening import finish, wide_dtype, widen
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node


def moments(g: GraphEditor, x: str, axes: str) -> tuple[str, str, str]:
    """Return the mean, what is left without it, and the variance, which is that of what is left.

    The variance as a difference of two means loses its digits where the mean is large.
    """
    mean = g.add("ReduceMean", [x, axes])
    centred = g.add("Sub", [x, mean])
    return mean, centred, g.add("ReduceMean", [g.add("Mul", [centred, centred]), axes])


def _normalised(
    g: GraphEditor, x: str, axes: str, epsilon: float, dtype: np.dtype[Any], outside_root: bool
) -> str:
    """Subtract the mean, divide by the deviation."""
    _, centred, variance = moments(g, x, axes)
    small = g.add_constant(epsilon, dtype)
    if outside_root:
        return g.add("Div", [centred, g.add("Add", [g.add("Sqrt", [variance]), small])])
    return g.add("Div", [centred, g.add("Sqrt", [g.add("Add", [variance, small])])])


def group_normalization(node: Node, g: GraphEditor) -> bool:
    """Scale and bias are one number a group in opset 18, one a channel since 21."""
    shape = g.need_shape(node)
    groups = node.attributes["num_groups"]
    x = widen(g, node)
    each = g.add("Reshape", [x, g.integers(shape[0], groups, -1)])
    each = _normalised(
        g, each, g.integers(2), node.attributes.get("epsilon", 1e-5), wide_dtype(g, node), False
    )
    per_channel = g.need_shape(node, 1) == [shape[1]]
    tail = [1] * (len(shape) - 2)
    if per_channel:
        each = g.add("Reshape", [each, g.integers(*shape)])
        weights = g.integers(1, shape[1], *tail)
    else:
        weights = g.integers(1, groups, 1)
    scale, bias = (g.add("Reshape", [widen(g, node, i), weights]) for i in (1, 2))
    each = g.add("Add", [g.add("Mul", [each, scale]), bias])
    each = g.add("Reshape", [each, g.integers(*shape)])
    finish(g, each, node)
    return True


def batch_normalization(node: Node, g: GraphEditor) -> bool:
    """In training it takes the statistics of its batch, and gives what becomes of the running ones."""
    if not node.attributes.get("training_mode", 0):
        return False
    dtype, rank = wide_dtype(g, node), g.need_rank(node)
    x = widen(g, node)
    mean, centred, variance = moments(g, x, g.integers(0, *range(2, rank)))
    along_channels = g.integers(-1, *[1] * (rank - 2))
    scale, bias = (g.add("Reshape", [g.cast(node.input(i), dtype), along_channels]) for i in (1, 2))
    epsilon = g.add_constant(node.attributes.get("epsilon", 1e-5), dtype)
    deviation = g.add("Sqrt", [g.add("Add", [variance, epsilon])])
    y = g.add("Mul", [g.add("Div", [centred, deviation]), scale])
    finish(g, g.add("Add", [y, bias]), node)
    momentum = node.attributes.get("momentum", 0.9)
    old, new = (g.add_constant(part, dtype) for part in (momentum, 1 - momentum))
    for index, statistic in ((1, mean), (2, variance)):
        if node.has_output(index):
            before = g.add("Mul", [g.cast(node.input(index + 2), dtype), old])
            now = g.add("Mul", [g.add("Reshape", [statistic, g.integers(-1)]), new])
            g.cast(g.add("Add", [before, now]), g.dtype(node, index + 2), [node.outputs[index]])
    return True


def local_response_normalization(node: Node, g: GraphEditor) -> bool:
    """A window of an even size reaches one channel further up than down; compilers know odd ones."""
    size = node.attributes["size"]
    if size % 2:
        return False
    dtype, shape = wide_dtype(g, node), g.need_shape(node)
    x = widen(g, node)
    rows = g.integers(shape[0], 1, shape[1], math.prod(shape[2:]))
    mean = g.add(
        "AveragePool",
        [g.add("Reshape", [g.add("Mul", [x, x]), rows])],
        kernel_shape=[size, 1],
        pads=[(size - 1) // 2, 0, size // 2, 0],
        count_include_pad=1,
    )
    read = node.attributes.get
    alpha, beta, bias = (
        g.add_constant(read(name, default), dtype)
        for name, default in (("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0))
    )
    scaled = g.add("Mul", [g.add("Reshape", [mean, g.integers(*shape)]), alpha])
    finish(g, g.add("Div", [x, g.add("Pow", [g.add("Add", [scaled, bias]), beta])]), node)
    return True


def mean_variance_normalization(node: Node, g: GraphEditor) -> bool:
    axes = g.integers(*node.attributes.get("axes", (0, 2, 3)))
    x = widen(g, node)
    finish(g, _normalised(g, x, axes, 1e-9, wide_dtype(g, node), True), node)
    return True


def lp_normalization(node: Node, g: GraphEditor) -> bool:
    axes = g.integers(node.attributes.get("axis", -1))
    operator = {1: "ReduceL1", 2: "ReduceL2"}[node.attributes.get("p", 2)]
    norm = g.add(operator, [node.input(0), axes])
    zero, one = (g.add_constant(value, g.dtype(node)) for value in (0, 1))
    # A row of zeros stays one.
    norm = g.add("Where", [g.add("Equal", [norm, zero]), one, norm])
    g.add("Div", [node.input(0), norm], node.outputs)
    return True


def layer_normalization(node: Node, g: GraphEditor) -> bool:
    """Compilers make the first output, of float32 and float16; the others are in float32."""
    known = g.dtype(node) in (np.float32, np.float16)
    if known and not (node.has_output(1) or node.has_output(2)):
        return False
    ndim = len(g.need_shape(node))
    axis = node.attributes.get("axis", -1) % ndim
    axes = g.integers(*range(axis, ndim))
    x = widen(g, node)
    mean, centred, variance = moments(g, x, axes)
    epsilon = g.add_constant(node.attributes.get("epsilon", 1e-5), wide_dtype(g, node))
    inverse = g.add("Reciprocal", [g.add("Sqrt", [g.add("Add", [variance, epsilon])])])
    if node.has_output(0):
        y = g.add("Mul", [g.add("Mul", [centred, inverse]), widen(g, node, 1)])
        if node.input(2) is not None:
            y = g.add("Add", [y, widen(g, node, 2)])
        finish(g, y, node)
    for index, value in ((1, mean), (2, inverse)):
        if node.has_output(index):
            g.cast(value, np.float32, [node.outputs[index]])
    return True
