# SPDX-License-Identifier: Apache-2.0
"""Pools of images that are NHWC. Others are not worth the copy that they would need."""

from __future__ import annotations

from tvm import relax

from tvmgo.compiler.relax.expressions import known_shape
from tvmgo.compiler.relax.templates.kernels.channelwise import (
    Average,
    ChannelwiseKernel,
    Depthwise,
    Maximum,
    PaddedAverage,
)
from tvmgo.compiler.relax.templates.kernels.emitting import size_of
from tvmgo.compiler.relax.templates.kernels.windows import Windows
from tvmgo.compiler.relax.templates.operators.context import (
    Context,
    Operator,
    can_compute,
    sum_type,
    windows_over,
)
from tvmgo.compiler.relax.templates.tails import BYTES


def replace_pool(kind: type[Depthwise]) -> Operator:
    def replace(context: Context, index: int, call: relax.Call) -> bool:
        (x,) = call.args
        attrs = call.attrs
        if str(attrs.layout) not in ("NCW", "NCHW", "NCDHW"):
            return False
        channels = known_shape(x)[1]
        windows = windows_over(x, attrs, channels, attrs.pool_size, channels)
        sizes = (windows.deep.outputs, windows.out_height, windows.out_width)
        if sizes != (1, 1, *known_shape(call)[2:])[-3:]:
            return False  # rounded up: what windows cover outside of the padding has its own rules
        padded = kind is Average and bool(attrs.count_include_pad)
        return emit_pool(context, index, call, windows, PaddedAverage if padded else kind)

    return replace


def replace_mean(context: Context, index: int, call: relax.Call) -> bool:
    """The mean of all pixels is a pool with one window."""
    (x,) = call.args
    rank = len(known_shape(x))
    if rank < 3 or call.attrs.axis is None or not bool(call.attrs.keepdims):
        return False
    if sorted(int(axis) % rank for axis in call.attrs.axis) != list(range(2, rank)):
        return False
    batch, channels, *sizes, width = known_shape(x)
    height = size_of(sizes)
    windows = Windows(batch, height, width, channels, channels, (height, width), groups=channels)
    return emit_pool(context, index, call, windows, Average)


def emit_pool(
    context: Context, index: int, call: relax.Call, windows: Windows, kind: type[Depthwise]
) -> bool:
    (x,) = call.args
    narrow = kind is Maximum and str(x.ty.dtype) == str(call.ty.dtype) in BYTES
    if not context.values.is_channels_last(x) or not (narrow or can_compute(call, x)):
        return False
    if windows.is_mostly_edges:
        return False
    dtype = str(call.ty.dtype)
    image = context.values.channels_last(x)
    tail, epilogue, operands = context.take_tail(index, channels_last=True, joins=True)
    name = f"{call.op.name.rpartition('.')[2]}{tail.name}"
    lanes = context.unit.lanes * 4 if narrow and not tail.calls else 0
    kernel = ChannelwiseKernel(windows, epilogue, context.unit, kind, lanes)
    function = kernel.emit(name, known_shape(image), dtype, sum_type(dtype))
    result = context.call(function, name, [image, *operands], epilogue)
    context.set(tail.result, result, channels_last=True)
    return True
