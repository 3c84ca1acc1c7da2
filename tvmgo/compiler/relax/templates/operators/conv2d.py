# SPDX-License-Identifier: Apache-2.0
"""Convolutions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
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
from tvmgo.compiler.relax.templates.kernels.few_outputs import (
    FewOutputsKernel,
    has_few_outputs,
    pack_few_outputs,
)
from tvmgo.compiler.relax.templates.kernels.packing import (
    BLOCK,
    block_of,
    pack_weights,
    packed_order,
)
from tvmgo.compiler.relax.templates.kernels.windows import Deep, Windows
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
from tvmgo.compiler.relax.templates.operators.shuffling import (
    operands_as_they_lie,
    over_parts,
    reads_parts,
    weights_as_they_lie,
)
from tvmgo.compiler.relax.templates.values import Value

LAYOUTS = {
    "relax.nn.conv1d": ("NCW", "OIW"),
    "relax.nn.conv2d": ("NCHW", "OIHW"),
    "relax.nn.conv3d": ("NCDHW", "OIDHW"),
}


def replace_convolution(context: Context, index: int, call: relax.Call) -> bool:
    x, weights = call.args
    attrs = call.attrs
    layout, kernel_layout = LAYOUTS[call.op.name]
    if (
        (str(attrs.data_layout), str(attrs.kernel_layout)) != (layout, kernel_layout)
        or str(attrs.out_layout) not in (layout, "")
        or not can_compute(call, x, weights)
    ):
        return False
    channels = known_shape(x)[1]
    outputs, _, *size = known_shape(weights)
    windows = windows_over(x, attrs, outputs, size, int(attrs.groups))
    depthwise = 1 < windows.groups == channels == windows.outputs
    values = context.values
    few = channels <= FEW_CHANNELS and windows.deep == Deep()
    content = constant(weights)
    shuffle = None if content is None else values.of(x).shuffle
    if content is not None and shuffle is not None and depthwise:
        image, content = shuffle.content, weights_as_they_lie(content, shuffle)
    elif shuffle is not None and reads_parts(windows, shuffle):
        image, windows = over_parts(context, windows, shuffle)
    elif few and not depthwise and not values.has_channels_last(x):
        windows = replace(windows, channels_first=True)
        image = values.plain(x)
    else:
        image = values.channels_last(x)
    dtype = str(call.ty.dtype)
    shuffle = shuffle if depthwise else None
    joins = shuffle is None
    tail, epilogue, operands = context.take_tail(index, channels_last=True, joins=joins)
    if shuffle is not None:
        operands = operands_as_they_lie(context, shuffle, epilogue, operands)
    squares = 0
    if content is not None and windows.deep == Deep() and sum_type(dtype) == "float32":
        reorder = may_reorder(tvm.target.Target.current())
        squares = best_outputs(windows) if reorder else 0
    if windows.turned().is_mostly_edges and not squares:
        image, windows = pad(context, image, windows)
    windows = windows.turned()
    few_outputs = content is not None and has_few_outputs(windows)
    kernel: ChannelwiseKernel | ConvolutionKernel | FewOutputsKernel | WinogradKernel
    pack: Callable[[np.ndarray], np.ndarray]
    if depthwise:
        pack = pack_channelwise
        kernel = ChannelwiseKernel(windows, epilogue, context.unit, Depthwise)
    elif few_outputs:
        pack = pack_few_outputs
        kernel = FewOutputsKernel(windows, epilogue, context.unit)
    elif squares:
        pack = partial(pack_winograd, outputs=squares)
        kernel = WinogradKernel(windows, epilogue, context.unit, squares)
    else:
        pack = partial(pack_weights, groups=windows.groups, channels_first=windows.channels_first)
        kernel = ConvolutionKernel(windows, epilogue, context.unit)
    name = f"{call.op.name.rpartition('.')[2]}{tail.name}"
    function = kernel.emit(name, known_shape(image), dtype, sum_type(dtype))
    if content is None:
        packed = pack_computed(context, weights, windows, depthwise)
    else:
        content = content.astype(sum_type(dtype))
        each = windows.channels // windows.groups
        content = pack(content.reshape(len(content), each, -1, windows.window[1]))
        packed = relax.const(content, str(content.dtype))
    result = context.call(function, name, [image, packed, *operands], epilogue)
    if shuffle is None:
        context.set(tail.result, result, channels_last=True)
    else:
        values[tail.result] = Value(shuffle=replace(shuffle, content=result))
    return True


def pack_computed(
    context: Context, weights: relax.Expr, windows: Windows, depthwise: bool
) -> relax.Expr:
    """Pack weights that are known when the model runs, as the functions of `packing` do."""
    emit = context.builder.emit
    value = context.values.plain(weights)
    outputs, inputs = known_shape(weights)[:2]
    columns = windows.window[1]
    rows = windows.deep.window * windows.window[0]
    total = sum_type(str(weights.ty.dtype))
    if str(weights.ty.dtype) != total:
        value = emit(R.astype(value, total))
    if depthwise:
        value = emit(R.permute_dims(emit(R.reshape(value, (outputs, rows, columns))), [1, 2, 0]))
        return emit(R.nn.pad(value, [0, 0, 0, 0, 0, -outputs % BLOCK]))
    groups, each = windows.groups, outputs // windows.groups
    block = block_of(each)
    value = emit(R.reshape(value, (groups, each, inputs, rows, columns)))
    value = emit(R.nn.pad(value, [0, 0, 0, -each % block, 0, 0, 0, 0, 0, 0]))
    value = emit(R.reshape(value, (groups, -(-each // block), block, inputs, rows, columns)))
    return emit(R.permute_dims(value, packed_order(windows.channels_first)))


def pad(context: Context, image: relax.Expr, windows: Windows) -> tuple[relax.Expr, Windows]:
    """Return the image with zeros around it, and windows that need none."""
    top, left, bottom, right = windows.padding
    axes = len(known_shape(image)) - 2
    sides = [0, 0, top, bottom, left, right][-2 * axes :]
    sides = [0, 0, 0, 0, *sides] if windows.channels_first else [0, 0, *sides, 0, 0]
    larger = replace(
        windows,
        height=windows.height + top + bottom,
        width=windows.width + left + right,
        padding=(0, 0, 0, 0),
    )
    return context.builder.emit(R.nn.pad(image, sides)), larger
