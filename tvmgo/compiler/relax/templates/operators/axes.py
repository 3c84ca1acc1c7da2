# SPDX-License-Identifier: Apache-2.0
"""Operators along some axes of an image, of one with its channels last: the axes are others."""

from __future__ import annotations

from collections.abc import Callable

from tvm import relax
from tvm.relax import op as R

from tvmgo.compiler.relax.expressions import known_shape
from tvmgo.compiler.relax.templates.operators.context import Context, Operator
from tvmgo.compiler.relax.templates.values import to_channels_last


def replace_resize(context: Context, index: int, call: relax.Call) -> bool:
    x, size = call.args
    attrs = call.attrs
    if str(attrs.layout) != "NCHW" or not context.values.is_channels_last(x):
        return False
    result = R.image.resize2d(
        *(context.values.channels_last(x), size, tuple(attrs.roi), "NHWC"),
        *(attrs.method, attrs.coordinate_transformation_mode, attrs.rounding_method),
        *(attrs.cubic_alpha, attrs.cubic_exclude, attrs.extrapolation_value, attrs.out_dtype),
    )
    return emit(context, index, result, channels_last=True)


def replace_pad(context: Context, index: int, call: relax.Call) -> bool:
    (x,) = call.args
    attrs = call.attrs
    if not context.values.is_channels_last(x):
        return False
    order = to_channels_last(len(known_shape(x)))
    sides = [int(attrs.pad_width[2 * axis + end]) for axis in order for end in (0, 1)]
    image = context.values.channels_last(x)
    result = R.nn.pad(image, sides, attrs.pad_mode, attrs.pad_value)
    return emit(context, index, result, channels_last=True)


def replace_softmax(context: Context, index: int, call: relax.Call) -> bool:
    (x,) = call.args
    if not context.values.is_channels_last(x):
        return False
    rank = len(known_shape(x))
    axis = to_channels_last(rank).index(int(call.attrs.axis) % rank)
    result = R.nn.softmax(context.values.channels_last(x), axis)
    return emit(context, index, result, channels_last=True)


def replace_place(operator: Callable[..., relax.Expr]) -> Operator:
    """The place of the largest or smallest channel of each pixel."""

    def replace(context: Context, index: int, call: relax.Call) -> bool:
        (x,) = call.args
        axis, keeps = call.attrs.axis, bool(call.attrs.keepdims)
        if axis is None or not context.values.is_channels_last(x):
            return False
        if int(axis) % len(known_shape(x)) != 1:
            return False
        result = operator(context.values.channels_last(x), -1, keeps)
        return emit(context, index, result, channels_last=keeps)

    return replace


def emit(context: Context, index: int, result: relax.Expr, *, channels_last: bool) -> bool:
    variable = context.block.bindings[index].var
    context.set(variable, context.builder.emit(result), channels_last=channels_last)
    return True
