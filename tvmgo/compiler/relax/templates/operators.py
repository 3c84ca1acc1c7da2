# SPDX-License-Identifier: Apache-2.0
"""From operators of Relax to calls of templates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tvm
from tvm import relax, tirx
from tvm.relax import op as R

from tvmgo.compiler.relax.expressions import constant, shape_of
from tvmgo.compiler.relax.templates.channelwise import (
    Average,
    ChannelwiseKernel,
    Depthwise,
    Maximum,
    PaddedAverage,
    pack_channelwise,
)
from tvmgo.compiler.relax.templates.convolution import ConvolutionKernel
from tvmgo.compiler.relax.templates.emitting import size_of
from tvmgo.compiler.relax.templates.packing import pack_weights
from tvmgo.compiler.relax.templates.tails import FLOATS, Block, make_epilogue
from tvmgo.compiler.relax.templates.values import Value, Values
from tvmgo.compiler.relax.templates.vectors import VectorUnit
from tvmgo.compiler.relax.templates.windows import Windows

# Indices are 32 bits wide.
MOST_ELEMENTS = 2**31 - 1

# Channels up to which an image is read as NCHW: pixels side by side then lie in few cache lines.
FEW_CHANNELS = 16

# Tiles at the edges of a row are code of their own. Where there would be more, the input is padded.
MOST_EDGES = 4


class Context:
    """One block at work."""

    def __init__(
        self, block: Block, values: Values, builder: relax.BlockBuilder, unit: VectorUnit
    ) -> None:
        self.block = block
        self.values = values
        self.builder = builder
        self.unit = unit

    def call(
        self,
        kernel: tirx.PrimFunc,
        name: str,
        arguments: Sequence[relax.Expr],
        shape: Sequence[int],
        dtype: str,
    ) -> relax.Expr:
        callee = self.builder.add_func(kernel, name)
        return self.builder.emit(relax.call_tir(callee, list(arguments), relax.TensorType(shape, dtype)))


# Takes the number of a binding; says whether it was replaced.
Operator = Callable[[Context, int, relax.Call], bool]


def sum_type(dtype: str) -> str:
    return "float32" if dtype == "float16" else dtype


def is_small(*expressions: Any) -> bool:
    return all(size_of(shape_of(each)) <= MOST_ELEMENTS for each in expressions)


def replace_conv2d(context: Context, index: int, call: relax.Call) -> bool:
    x, weights = call.args
    attrs = call.attrs
    content = constant(weights)
    dtype = str(call.ty.dtype)
    if (
        (str(attrs.data_layout), str(attrs.kernel_layout)) != ("NCHW", "OIHW")
        or str(attrs.out_layout) not in ("NCHW", "")
        or content is None
        or dtype not in FLOATS
        or not dtype == str(x.ty.dtype) == str(weights.ty.dtype)
        or not is_small(x, call)
        or 0 in shape_of(call)
        or 0 in shape_of(x)
    ):
        return False
    batch, channels, height, width = shape_of(x)
    windows = Windows(
        *(batch, height, width, channels, content.shape[0]),
        content.shape[2:],
        tuple(map(int, attrs.strides)),
        tuple(map(int, attrs.dilation)),
        tuple(map(int, attrs.padding)),
        int(attrs.groups),
    )
    depthwise = content.shape[1] == 1 and windows.groups == channels == windows.outputs > 1
    values = context.values
    windows = replace(
        windows,
        channels_first=not depthwise
        and channels <= FEW_CHANNELS
        and values.of(x).channels_last is None,
    )
    image = (values.plain if windows.channels_first else values.channels_last)(x)
    tail = context.block.take_tail(index)
    epilogue, operands = make_epilogue(tail, context.block.bindings[index].var, values, True)
    content = content.astype(sum_type(dtype))
    if depthwise:
        kernel: Any = ChannelwiseKernel(windows, epilogue, context.unit, Depthwise)
        packed = pack_channelwise(content)
    else:
        kernel = ConvolutionKernel(windows, epilogue, context.unit)
        packed = pack_weights(content, windows.groups, windows.channels_first)
    if sum(span.edge for span in kernel.spans) > MOST_EDGES:
        image, windows = padded(context, image, windows)
        kernel = type(kernel)(windows, epilogue, context.unit, *([Depthwise] * depthwise))
    name = f"conv2d{tail.name}"
    function = kernel.emit(name, shape_of(image), dtype, sum_type(dtype))
    result = context.call(
        *(function, name, [image, relax.const(packed), *operands]), epilogue.shape, epilogue.dtype
    )
    values[tail.result] = Value(channels_last=result)
    return True


def padded(
    context: Context, image: relax.Expr, windows: Windows
) -> tuple[relax.Expr, Windows]:
    """Return the image with zeros around it, and windows that need none."""
    top, left, bottom, right = windows.padding
    sides = [0, 0, top, bottom, left, right] if windows.channels_first else [0, 0, top, bottom, left, right, 0, 0]
    if windows.channels_first:
        sides = [0, 0, 0, 0, top, bottom, left, right]
    larger = replace(
        windows,
        height=windows.height + top + bottom,
        width=windows.width + left + right,
        padding=(0, 0, 0, 0),
    )
    return context.builder.emit(R.nn.pad(image, sides)), larger


def replace_matmul(context: Context, index: int, call: relax.Call) -> bool:
    a, b = call.args
    content = constant(b)
    dtype = str(call.ty.dtype)
    shape = shape_of(call)
    if (
        content is None
        or dtype not in FLOATS
        or not dtype == str(a.ty.dtype) == str(b.ty.dtype)
        or content.ndim < 2
        or content.size != content.shape[-2] * content.shape[-1]
        or content.ndim > len(shape_of(a))
        or not is_small(a, call)
        or 0 in (*shape, *shape_of(a))
    ):
        return False
    depth, columns = content.shape[-2:]
    windows = Windows(1, 1, size_of(shape) // columns, depth, columns)
    tail = context.block.take_tail(index)
    epilogue, operands = make_epilogue(
        tail, context.block.bindings[index].var, context.values, False
    )
    weights = content.reshape(depth, columns).T.astype(sum_type(dtype))
    packed = pack_weights(weights[:, :, None, None], 1, False)
    name = f"matmul{tail.name}"
    kernel = ConvolutionKernel(windows, epilogue, context.unit)
    function = kernel.emit(name, shape_of(a), dtype, sum_type(dtype))
    arguments = [context.values.plain(a), relax.const(packed), *operands]
    result = context.call(function, name, arguments, epilogue.shape, epilogue.dtype)
    context.values[tail.result] = Value(plain=result)
    return True


def replace_pool(kind: type[Depthwise]) -> Operator:
    def rewrite(context: Context, index: int, call: relax.Call) -> bool:
        (x,) = call.args
        attrs = call.attrs
        shape = shape_of(x)
        chosen = kind
        if str(attrs.layout) != "NCHW" or not context.values.is_channels_last(x):
            return False
        batch, channels, height, width = shape
        windows = Windows(
            *(batch, height, width, channels, channels),
            tuple(map(int, attrs.pool_size)),
            tuple(map(int, attrs.strides)),
            tuple(map(int, attrs.dilation)),
            tuple(map(int, attrs.padding)),
            channels,
        )
        if windows.out_shape[1:3] != tuple(shape_of(call)[2:]):
            return False  # rounded up
        if kind is Average and bool(attrs.count_include_pad):
            chosen = PaddedAverage
        return emit_pool(context, index, call, windows, chosen)

    return rewrite


def replace_mean(context: Context, index: int, call: relax.Call) -> bool:
    """The mean of all pixels is a pool over the whole image."""
    (x,) = call.args
    axes = call.attrs.axis
    if (
        len(shape_of(x)) != 4
        or axes is None
        or sorted(int(axis) % 4 for axis in axes) != [2, 3]
        or not bool(call.attrs.keepdims)
        or not context.values.is_channels_last(x)
    ):
        return False
    batch, channels, height, width = shape_of(x)
    windows = Windows(batch, height, width, channels, channels, (height, width), groups=channels)
    return emit_pool(context, index, call, windows, Average)


def emit_pool(
    context: Context, index: int, call: relax.Call, windows: Windows, kind: type[Depthwise]
) -> bool:
    dtype = str(call.ty.dtype)
    (x,) = call.args
    if dtype not in FLOATS or not is_small(x, call) or 0 in shape_of(x):
        return False
    image = context.values.channels_last(x)
    tail = context.block.take_tail(index)
    epilogue, operands = make_epilogue(
        tail, context.block.bindings[index].var, context.values, True
    )
    kernel = ChannelwiseKernel(windows, epilogue, context.unit, kind)
    if sum(span.edge for span in kernel.spans) > MOST_EDGES:
        return False
    name = f"{call.op.name.rpartition('.')[2]}{tail.name}"
    function = kernel.emit(name, shape_of(image), dtype, sum_type(dtype))
    result = context.call(function, name, [image, *operands], epilogue.shape, epilogue.dtype)
    context.values[tail.result] = Value(channels_last=result)
    return True


def replace_concat(context: Context, index: int, call: relax.Call) -> bool:
    """Concatenate what is NHWC as NHWC."""
    (parts,) = call.args
    if not isinstance(parts, relax.Tuple) or len(shape_of(call)) != 4:
        return False
    values = context.values
    if not any(values.is_channels_last(part) for part in parts.fields):
        return False
    axis = (0, 3, 1, 2)[int(call.attrs.axis) % 4]
    arguments = [values.channels_last(part) for part in parts.fields]
    result = context.builder.emit(R.concat(arguments, axis))
    values[context.block.bindings[index].var] = Value(channels_last=result)
    return True


OPERATORS: dict[str, Operator] = {
    "relax.nn.conv2d": replace_conv2d,
    "relax.matmul": replace_matmul,
    "relax.nn.max_pool2d": replace_pool(Maximum),
    "relax.nn.avg_pool2d": replace_pool(Average),
    "relax.mean": replace_mean,
    "relax.concat": replace_concat,
}
