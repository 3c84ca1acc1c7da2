# SPDX-License-Identifier: Apache-2.0
"""Where the largest or the smallest element lies: the first of equal ones.

TVM's kernel carries pairs of a place and an element, which no vector holds, and finds nothing among
infinities. Two reductions do: one for the element, one for the first place that has it. As in ONNX
Runtime, a NaN is no extreme unless it comes first: then nothing compares with it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from tvm import relax, te, tirx, topi

NO_PLACE = np.iinfo("int32").max


def legalize_place(
    pick: Callable[[Any, Any], Any], bb: relax.BlockBuilder, call: relax.Call
) -> relax.Expr:
    """Make a kernel of a call of argmax or argmin, whose extreme `pick` picks."""
    axis, keeps = call.attrs.axis, bool(call.attrs.keepdims)
    if axis is None:
        kernel = partial(place_in_all, pick, keeps=keeps)
    else:
        axis = int(axis) % call.args[0].ty.ndim
        kernel = partial(place_along, pick, axis=axis, keeps=keeps)
    name = call.op.name.rpartition(".")[2]
    return bb.call_te(
        lambda x: topi.cast(kernel(x), str(call.ty.dtype)), call.args[0], primfunc_name_hint=name
    )


def place_in_all(pick: Callable[[Any, Any], Any], x: te.Tensor, keeps: bool) -> te.Tensor:
    flat = topi.reshape(x, (topi.utils.prod(x.shape),))
    place = place_along(pick, flat, 0, keeps=False)
    return topi.reshape(place, [1] * len(x.shape)) if keeps else place


def place_along(pick: Callable[[Any, Any], Any], x: te.Tensor, axis: int, keeps: bool) -> te.Tensor:
    dtype, length = str(x.dtype), x.shape[axis]
    is_float = "float" in dtype
    worst = tirx.const(worst_of(pick, dtype), dtype)
    better = te.comm_reducer(lambda a, b: pick(a, b), lambda _: worst)
    first_of = te.comm_reducer(lambda a, b: tirx.min(a, b), lambda _: tirx.const(NO_PLACE, "int32"))
    shape = [*x.shape[:axis], *x.shape[axis + 1 :]]

    def element(index: tuple[Any, ...], place: Any) -> Any:
        return x(*index[:axis], place, *index[axis:])

    def extreme(*index: Any) -> Any:
        place = te.reduce_axis((0, length), "place")
        value = element(index, place)
        number = tirx.Select(tirx.isnan(value), worst, value) if is_float else value
        return better(number, axis=place)

    extremes = te.compute(shape, extreme, "extreme")

    def first(*index: Any) -> Any:
        place = te.reduce_axis((0, length), "place")
        there = element(index, place) == extremes(*index)
        if is_float:
            nothing_compares = tirx.And(place == 0, tirx.isnan(element(index, 0)))
            there = tirx.Or(there, nothing_compares)
        found = tirx.Select(there, place.astype("int32"), tirx.const(NO_PLACE, "int32"))
        return first_of(found, axis=place)

    places = te.compute(shape, first, "first")
    return topi.expand_dims(places, axis) if keeps else places


def worst_of(pick: Callable[[Any, Any], Any], dtype: str) -> Any:
    """Return what is never picked before another element."""
    limits = (-np.inf, np.inf) if "float" in dtype else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return limits[0] if pick is tirx.max else limits[1]


LEGALIZED = {
    "relax.argmax": partial(legalize_place, tirx.max),
    "relax.argmin": partial(legalize_place, tirx.min),
}
