# SPDX-License-Identifier: Apache-2.0
"""Transposed convolutions with constant weights."""

from __future__ import annotations

import math
from dataclasses import replace

from tvm import relax

from tvmgo.compiler.relax.expressions import constant, known_shape
from tvmgo.compiler.relax.templates.kernels.transposed import TransposedKernel
from tvmgo.compiler.relax.templates.operators.context import (
    FEW_CHANNELS,
    Context,
    can_compute,
    sum_type,
    windows_over,
)

LAYOUTS = {
    "relax.nn.conv1d_transpose": ("NCW", "IOW"),
    "relax.nn.conv2d_transpose": ("NCHW", "IOHW"),
}

# Turns that a kernel takes at most: each is code of its own.
MOST_TURNS = 16


def replace_transposed(context: Context, index: int, call: relax.Call) -> bool:
    x, weights = call.args
    attrs, values = call.attrs, context.values
    content = constant(weights)
    layout, kernel_layout = LAYOUTS[call.op.name]
    if (
        (str(attrs.data_layout), str(attrs.kernel_layout)) != (layout, kernel_layout)
        or str(attrs.out_layout) not in (layout, "")
        or content is None
        or math.prod(map(int, attrs.strides)) > MOST_TURNS
        or not can_compute(call, x, weights)
    ):
        return False
    channels, outputs = known_shape(x)[1], known_shape(call)[1]
    windows = windows_over(x, attrs, outputs, content.shape[2:], int(attrs.groups))
    height, width = (1, *known_shape(call)[2:])[-2:]
    if channels <= FEW_CHANNELS and windows.groups == 1 and not values.has_channels_last(x):
        windows = replace(windows, channels_first=True)
        image = values.plain(x)
    else:
        image = values.channels_last(x)
    dtype = str(call.ty.dtype)
    content = content.astype(sum_type(dtype)).reshape(*content.shape[:2], *windows.window)
    tail, epilogue, operands = context.take_tail(index, channels_last=True)
    kernel = TransposedKernel(windows, (height, width), epilogue, context.unit)
    packed = kernel.pack(content)
    name = f"{call.op.name.rpartition('.')[2]}{tail.name}"
    function = kernel.emit(name, known_shape(image), dtype, sum_type(dtype))
    arguments = [image, relax.const(packed, str(packed.dtype)), *operands]
    result = context.call(function, name, arguments, epilogue)
    context.set(tail.result, result, channels_last=True)
    return True
