# SPDX-License-Identifier: Apache-2.0
"""Resize to sizes that are open or computed, an axis after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tvm import relax, te, tirx

from tvmgo.compiler.relax.importing.dynamic.computed import compute_sizes
from tvmgo.compiler.relax.importing.dynamic.integers import Size
from tvmgo.compiler.relax.importing.dynamic.node import shape_expr, sizes_of
from tvmgo.compiler.relax.importing.dynamic.shaping import checked

if TYPE_CHECKING:
    from tvmgo.compiler.relax.importing.dynamic.node import DynamicNode


def real(value: float) -> tirx.Expr:
    return tirx.const(value, "float32")


# From a place in the result to one in the data: where it lies, both sizes, and what one step is.
Coordinate = Callable[[Any, Any, Any, Any], Any]

COORDINATES: dict[str, Coordinate] = {
    "half_pixel": lambda x, size, new, step: (x + real(0.5)) * step - real(0.5),
    "pytorch_half_pixel": lambda x, size, new, step: tirx.Select(
        new > real(1), (x + real(0.5)) * step - real(0.5), real(0)
    ),
    "asymmetric": lambda x, size, new, step: x * step,
    "align_corners": lambda x, size, new, step: tirx.Select(
        new > real(1), x * (size - real(1)) / tirx.max(new - real(1), real(1)), real(0)
    ),
}

ROUNDINGS: dict[str, Callable[[Any], Any]] = {
    "round_prefer_floor": lambda x: tirx.ceil(x - real(0.5)),
    "round_prefer_ceil": lambda x: tirx.floor(x + real(0.5)),
    "floor": tirx.floor,
    "ceil": tirx.ceil,
}


def resize(node: DynamicNode) -> relax.Expr:
    read = node.attributes.get

    def word(name: str, default: str) -> str:
        return str(read(name, default.encode()).decode())

    mode = word("mode", "nearest")
    coordinate = COORDINATES.get(word("coordinate_transformation_mode", "half_pixel"))
    rounding = ROUNDINGS[word("nearest_mode", "round_prefer_floor")]
    if mode not in ("nearest", "linear") or coordinate is None or read("antialias", 0):
        raise node.refuse("with open dimensions, it is not converted in this mode")
    if word("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise node.refuse("it keeps an aspect ratio that depends on open dimensions")
    if mode == "linear" and node.dtype(0) not in ("float32", "float16", "float64"):
        raise node.refuse("it interpolates integers")
    for unused in ("cubic_coeff_a", "exclude_outside", "extrapolation_value"):
        read(unused)
    value = node.value(0)
    for axis, new, scale in new_sizes(node):
        step = one_step(scale)
        value = resize_axis(node, value, axis, new, step, coordinate, rounding, mode == "linear")
    return value


def new_sizes(node: DynamicNode) -> list[tuple[int, Size, float | None]]:
    """Return the axes that change, to which size, and by which factor if the node says one."""
    own = node.shape(0)
    axes = [axis % len(own) for axis in node.attributes.get("axes", range(len(own)))]
    if node.has(3):
        sizes = checked(node, node.integers(3))
        pairs: list[tuple[int, Size, float | None]] = [
            (axis, size, None) for axis, size in zip(axes, sizes)
        ]
        return [each for each in pairs if not node.sizes.equal(own[each[0]], each[1])]
    factors = node.need_constant(2, "scale").tolist()
    return [
        (axis, scaled(node, own[axis], factor), factor)
        for axis, factor in zip(axes, factors)
        if factor != 1
    ]


def scaled(node: DynamicNode, size: Size, factor: float) -> Size:
    if factor == int(factor):
        return node.sizes.simplify(size * int(factor))

    def compute(given: list[Any]) -> tuple[list[Any], list[Any]]:
        exact = given[0].astype("float32") * real(factor)
        return [tirx.floor(exact).astype("int64")], []

    return compute_sizes(node, compute, [size], ["scaled"])[0]


def one_step(scale: float | None) -> Callable[[Any, Any], Any]:
    """Return how far a step in the result goes in the data, given both sizes as numbers."""
    if scale is not None:
        return lambda size, wanted: real(1 / scale)
    return lambda size, wanted: size / tirx.max(wanted, real(1))


def resize_axis(
    node: DynamicNode,
    value: relax.Expr,
    axis: int,
    new: Size,
    step: Callable[[Any, Any], Any],
    coordinate: Coordinate,
    rounding: Callable[[Any], Any],
    linear: bool,
) -> relax.Expr:
    shape = [*sizes_of(value)[:axis], new, *sizes_of(value)[axis + 1 :]]
    dtype = str(value.ty.dtype)

    def kernel(x: te.Tensor, sizes: Any) -> te.Tensor:
        size, wanted = x.shape[axis].astype("float32"), sizes[axis].astype("float32")

        def at(index: tuple[Any, ...], place: Any) -> Any:
            last = x.shape[axis] - 1
            inside = tirx.max(tirx.min(place.astype("int64"), last), tirx.const(0, "int64"))
            return x(*index[:axis], inside, *index[axis + 1 :])

        def element(*index: Any) -> Any:
            place = index[axis].astype("float32")
            place = coordinate(place, size, wanted, step(size, wanted))
            if not linear:
                return at(index, rounding(place))
            place = tirx.max(tirx.min(place, size - real(1)), real(0))
            low = tirx.floor(place)
            weight = (place - low).astype(dtype)
            one = tirx.const(1, dtype)
            return at(index, low) * (one - weight) + at(index, low + real(1)) * weight

        return te.compute(tuple(sizes), element)

    return node.emit_te(kernel, value, shape_expr(shape))
