# SPDX-License-Identifier: Apache-2.0
"""Convolutions with constant weights."""

from __future__ import annotations

from dataclasses import replace

import tvm
from tvm import relax
from tvm.relax import op as R

from tvmgo.compiler.relax.expressions import constant, known_shape
from tvmgo.compiler.relax.templates.kernels.channelwise import (
    ChannelwiseKernel,
    Depthwise,
    pack_channelwise,
)
from tvmgo.compiler.relax.templates.kernels.convolution import ConvolutionKernel
from tvmgo.compiler.relax.templates.kernels.packing import pack_weights
from tvmgo.compiler.relax.templates.kernels.windows import Windows
from tvmgo.compiler.relax.templates.kernels.winograd import (
    WinogradKernel,
    best_outputs,
    may_reorder,
)
from tvmgo.compiler.relax.templates.kernels.winograd_numbers import pack_winograd
from tvmgo.compiler.relax.templates.operators.context import (
    FEW_CHANNELS,
    Context,
    can_compute,
    sum_type,
    windows_over,
)

LAYOUTS = {
    "relax.nn.conv1d": ("NCW", "OIW"),
    "relax.nn.conv2d": ("NCHW", "OIHW"),
}


def replace_convolution(context: Context, index: int, call: relax.Call) -> bool:
    x, weights = call.args
    attrs = call.attrs
    content = constant(weights)
    layout, kernel_layout = LAYOUTS[call.op.name]
    if (
        (str(attrs.data_layout), str(attrs.kernel_layout)) != (layout, kernel_layout)
        or str(attrs.out_layout) not in (layout, "")
        or content is None
        or not can_compute(call, x, weights)
    ):
        return False
    channels = known_shape(x)[1]
    windows = windows_over(x, attrs, content.shape[0], content.shape[2:], int(attrs.groups))
    depthwise = 1 < windows.groups == channels == windows.outputs
    values = context.values
    if not depthwise and channels <= FEW_CHANNELS and not values.has_channels_last(x):
        windows = replace(windows, channels_first=True)
        image = values.plain(x)
    else:
        image = values.channels_last(x)
    dtype = str(call.ty.dtype)
    content = content.astype(sum_type(dtype))
    tail, epilogue, operands = context.take_tail(index, channels_last=True)
    exact = sum_type(dtype) != "float32" or not may_reorder(tvm.target.Target.current())
    squares = 0 if exact else best_outputs(windows)
    if windows.turned().is_mostly_edges and not squares:
        image, windows = pad(context, image, windows)
    windows = windows.turned()
    content = content.reshape(*content.shape[:2], *windows.window)
    kernel: ChannelwiseKernel | ConvolutionKernel | WinogradKernel
    if depthwise:
        packed = pack_channelwise(content)
        kernel = ChannelwiseKernel(windows, epilogue, context.unit, Depthwise)
    elif squares:
        packed = pack_winograd(content, squares)
        kernel = WinogradKernel(windows, epilogue, context.unit, squares)
    else:
        packed = pack_weights(content, windows.groups, windows.channels_first)
        kernel = ConvolutionKernel(windows, epilogue, context.unit)
    name = f"{call.op.name.rpartition('.')[2]}{tail.name}"
    function = kernel.emit(name, known_shape(image), dtype, sum_type(dtype))
    result = context.call(
        function, name, [image, relax.const(packed, str(packed.dtype)), *operands], epilogue
    )
    context.set(tail.result, result, channels_last=True)
    return True


def pad(context: Context, image: relax.Expr, windows: Windows) -> tuple[relax.Expr, Windows]:
    """Return the image with zeros around it, and windows that need none."""
    top, left, bottom, right = windows.padding
    sides = [top, bottom, left, right][-2 * (len(known_shape(image)) - 2) :]
    sides = [0, 0, 0, 0, *sides] if windows.channels_first else [0, 0, *sides, 0, 0]
    larger = replace(
        windows,
        height=windows.height + top + bottom,
        width=windows.width + left + right,
        padding=(0, 0, 0, 0),
    )
    return context.builder.emit(R.nn.pad(image, sides)), larger
