# SPDX-License-Identifier: Apache-2.0
"""Resize as what it is: along each axis, a choice or a weighted sum of elements."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tvmgo.compiler.simplify.expansions.positions import vector_shape
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node

# What compilers do as well, and with kernels of their own.
THEIR_COORDINATES = {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}


class Axis(NamedTuple):
    """An axis that changes: its size, the new one, and the scale that was given or follows."""

    place: int
    size: int
    new: int
    scale: float
    crop: tuple[float, float]


class Resampling:
    """What a node says, with defaults."""

    def __init__(self, node: Node, g: GraphEditor) -> None:
        self.node, self.g = node, g
        read = node.attributes.get
        self.mode: str = read("mode", b"nearest").decode()
        self.coordinates: str = read("coordinate_transformation_mode", b"half_pixel").decode()
        self.nearest: str = read("nearest_mode", b"round_prefer_floor").decode()
        self.policy: str = read("keep_aspect_ratio_policy", b"stretch").decode()
        self.antialias = bool(read("antialias", 0))
        self.exclude_outside = bool(read("exclude_outside", 0))
        self.cubic: float = read("cubic_coeff_a", -0.75)
        self.shape = g.need_shape(node)
        given = read("axes") or range(len(self.shape))
        self.places = [int(axis) % len(self.shape) for axis in given]

    def axes(self) -> list[Axis]:
        node, g = self.node, self.g
        sizes = [self.shape[place] for place in self.places]
        crops = np.array([[0.0] * len(sizes), [1.0] * len(sizes)])
        if self.coordinates == "tf_crop_and_resize":
            crops = g.need_constant(node, 1, "roi").astype(float).reshape(2, -1)
        if node.input(2) is not None:
            scales = [float(scale) for scale in g.need_constant(node, 2, "scales")]
            new = [math.floor(size * scale) for size, scale in zip(sizes, scales)]
        else:
            new = [int(size) for size in g.need_constant(node, 3, "sizes")]
            scales = [wanted / size for wanted, size in zip(new, sizes)]
            if self.policy != "stretch":
                pick = min if self.policy == "not_larger" else max
                scales = [pick(scales)] * len(sizes)
                new = [math.floor(size * scales[0] + 0.5) for size in sizes]
        return [
            Axis(place, size, wanted, scale, (float(first), float(last)))
            for place, size, wanted, scale, first, last in zip(
                self.places, sizes, new, scales, *crops
            )
        ]

    def origins(self, axis: Axis) -> np.ndarray:
        """Return where the new elements lie among the old ones.

        The nearest is chosen by float32, as ONNX Runtime has it: a place on the border between two is on one
        side of it by rounding alone.
        """
        kind: Any = np.float32 if self.mode == "nearest" else np.float64
        places, size, scale = np.arange(axis.new, dtype=kind), axis.size, kind(axis.scale)
        length = scale * size  # before it was made whole
        if self.coordinates == "align_corners":
            return places * (size - 1) / (length - 1) if length != 1 else 0 * places
        if self.coordinates == "asymmetric":
            return places / scale
        if self.coordinates == "tf_crop_and_resize":
            first, last = (edge * (size - 1) for edge in axis.crop)
            if length == 1:
                return 0 * places + (first + last) / 2
            return first + places * (last - first) / (length - 1)
        if self.coordinates == "pytorch_half_pixel" and axis.new == 1:
            return 0 * places
        shift = 0.0
        if self.coordinates == "half_pixel_symmetric":
            shift = size / 2 * (1 - axis.new / length)
        return shift + (places + 0.5) / scale - 0.5

    def weights(self, rest: float, scale: float) -> np.ndarray:
        """Return the weights of the elements around a place that lies `rest` behind one of them.

        There is an even number of them; the place is between the two in the middle, or on the
        second of these.
        """
        if self.mode == "nearest":
            later = {
                "round_prefer_floor": rest > 0.5,
                "round_prefer_ceil": rest >= 0.5,
                "floor": rest == 1,
                "ceil": True,
            }[self.nearest]
            return np.array([not later, later], float)
        reach = 1 if self.mode == "linear" else 2
        slope = min(scale, 1.0) if self.antialias else 1.0
        half = math.ceil(reach / slope)
        distance = np.abs(np.arange(1 - half, half + 1) - rest) * slope
        if self.mode == "linear":
            weights = np.clip(1 - distance, 0, 1)
        else:
            a = self.cubic
            near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
            far = a * (((distance - 5) * distance + 8) * distance - 4)
            weights = np.where(distance <= 1, near, np.where(distance < 2, far, 0))
        return weights / weights.sum() if self.antialias else weights

    def matrix(self, axis: Axis) -> np.ndarray:
        """Return the weight of each old element (rows) in each new one (columns)."""
        matrix = np.zeros((axis.size, axis.new))
        for column, origin in enumerate(self.origins(axis)):
            before = math.ceil(origin) - 1
            weights = self.weights(origin - before, axis.scale)
            half = len(weights) // 2
            rows = np.arange(before + 1 - half, before + 1 + half)
            if self.exclude_outside:
                weights = weights * ((rows >= 0) & (rows < axis.size))
                weights /= weights.sum()
            np.add.at(matrix[:, column], rows.clip(0, axis.size - 1), weights)
        return matrix

    def left_to_compilers(self, axes: list[Axis]) -> bool:
        fixed = all(axis.size == axis.new for axis in axes if axis.place < 2)
        whole = all(abs(axis.size * axis.scale - axis.new) < 1e-3 for axis in axes)
        # What divides without rounding; of other scales compilers choose other elements at a border.
        exact = all(math.frexp(axis.scale)[0] == 0.5 for axis in axes)
        return (
            fixed
            and whole
            and (exact or self.mode != "nearest")
            and len(self.shape) in (3, 4, 5)
            and self.policy == "stretch"
            and self.coordinates in THEIR_COORDINATES
            and not (self.antialias or "axes" in self.node.attributes)
        )


def resize(node: Node, g: GraphEditor) -> bool:
    without_empty_inputs(node, g)
    if g.constant(node.input(2) or node.input(3)) is None or g.shape(node.input(0)) is None:
        g.replace(node, node.inputs, **node.attributes)  # for the virtual machine
        return True
    r = Resampling(node, g)
    axes = r.axes()
    if r.left_to_compilers(axes):
        g.replace(node, node.inputs, **node.attributes)
        return True
    dtype = g.dtype(node)
    wide = dtype if dtype.kind == "f" and dtype.itemsize >= 4 else np.dtype(np.float32)
    x = node.input(0) if r.mode == "nearest" else g.cast(node.input(0), wide)
    for axis in axes:
        if axis.scale == 1 and axis.crop == (0, 1):
            continue
        matrix = r.matrix(axis)
        if r.mode == "nearest":
            x = g.add("Gather", [x, g.add_constant(matrix.argmax(0))], axis=axis.place)
            continue
        order = [*(i for i in range(len(r.shape)) if i != axis.place), axis.place]
        x = g.add("Transpose", [x], perm=order)
        x = g.add("MatMul", [x, g.add_constant(matrix, wide)])
        x = g.add("Transpose", [x], perm=[int(i) for i in np.argsort(order)])
    if r.coordinates == "tf_crop_and_resize":
        x = _extrapolated(r, axes, str(x), dtype if r.mode == "nearest" else wide)
    g.add("Cast", [x], node.outputs, to=g.element_type(node.input(0)))
    return True


def without_empty_inputs(node: Node, g: GraphEditor) -> None:
    """Take away what an empty constant stands for: an input that is not there."""
    inputs = [None if 0 in (g.shape(name or None) or ()) else name for name in node.inputs]
    while inputs and not inputs[-1]:
        inputs.pop()
    node.set_inputs(inputs)


def _extrapolated(r: Resampling, axes: list[Axis], x: str, dtype: np.dtype[Any]) -> str:
    """Put a fixed value where a crop reaches beyond the edges."""
    outside = None
    for axis in axes:
        origins = r.origins(axis)
        beyond = (origins < 0) | (origins > axis.size - 1)
        line = beyond.reshape(vector_shape(len(r.shape), axis.place))
        outside = line if outside is None else outside | line
    value = r.g.add_constant(r.node.attributes.get("extrapolation_value", 0.0), dtype)
    return r.g.add("Where", [r.g.add_constant(outside), value, x])
