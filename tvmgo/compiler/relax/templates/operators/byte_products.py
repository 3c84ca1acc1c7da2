# SPDX-License-Identifier: Apache-2.0
"""Products of bytes and constant whole numbers, as `passes.quantized` writes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from tvm import relax
from tvm.ir.prim import expr as prim
from tvm.relax import op as R

from tvmgo.compiler.relax.expressions import constant, known_shape
from tvmgo.compiler.relax.templates.kernels.channelwise import (
    CentredDepthwise,
    ChannelwiseKernel,
    pack_channelwise,
)
from tvmgo.compiler.relax.templates.kernels.convolution import ConvolutionKernel
from tvmgo.compiler.relax.templates.kernels.emitting import size_of
from tvmgo.compiler.relax.templates.kernels.packing import FOUR, pack_bytes, pack_starts
from tvmgo.compiler.relax.templates.kernels.products import DotProducts
from tvmgo.compiler.relax.templates.kernels.windows import Windows
from tvmgo.compiler.relax.templates.operators.context import Context, can_index, windows_over
from tvmgo.compiler.relax.templates.tails import BYTES, Tail, make_epilogue

# What is added to int8, so that all values are unsigned.
SIGNED_OFFSET = 128


@dataclass(frozen=True)
class Product:
    """Bytes, their zero point, and the whole numbers that they are multiplied with."""

    x: relax.Expr
    zero: int
    weights: np.ndarray


def replace_byte_conv2d(context: Context, index: int, call: relax.Call) -> bool:
    product = read_product(context, call)
    if product is None:
        return False
    outputs, inputs, *window = product.weights.shape
    groups = int(call.attrs.groups)
    windows = windows_over(product.x, call.attrs, outputs, window, groups)
    image = context.values.channels_last(product.x)
    depthwise = 1 < groups == windows.channels == outputs
    if windows.is_mostly_edges if depthwise else any(windows.padding) or inputs % FOUR:
        image, windows = pad_bytes(context, image, windows, product.zero)
    if depthwise:
        emit_depthwise(context, index, image, product, windows)
    else:
        emit_product(context, index, image, product, windows)
    return True


def replace_byte_matmul(context: Context, index: int, call: relax.Call) -> bool:
    product = read_product(context, call)
    if product is None:
        return False
    *stack, depth, columns = product.weights.shape
    if size_of(stack) != 1:
        return False
    rows = context.values.plain(product.x)
    more = -depth % FOUR
    if more:
        sides = [0, 0] * (len(known_shape(rows)) - 1) + [0, more]
        rows = context.builder.emit(R.nn.pad(rows, sides, "constant", 0))
    weights = product.weights.reshape(depth, columns).T[:, :, None, None]
    windows = Windows(1, 1, size_of(known_shape(call)) // columns, depth + more, columns)
    emit_product(context, index, rows, replace(product, weights=weights), windows)
    return True


def read_product(context: Context, call: relax.Call) -> Product | None:
    centred, weights = call.args
    content = constant(weights)
    if str(call.ty.dtype) != "int32" or content is None or content.dtype not in ("int8", "int16"):
        return None
    block = context.block
    if centred not in block.made_at:
        return None
    definition = block.bindings[block.made_at[centred]].value
    kernel = block.elementwise(definition)
    if kernel is None or len(kernel.patterns) != 1:
        return None
    value, zero = kernel.value, 0
    if isinstance(value, prim.Add | prim.Sub) and isinstance(value.b, prim.IntImm):
        zero = int(value.b) if isinstance(value, prim.Sub) else -int(value.b)
        value = value.a
    (x,) = definition.args[1].fields
    if not isinstance(value, prim.Cast) or str(x.ty.dtype) not in BYTES:
        return None
    return Product(x, zero, content) if can_index(call, x) else None


def emit_depthwise(
    context: Context, index: int, image: relax.Expr, product: Product, windows: Windows
) -> None:
    tail, epilogue, operands = context.take_tail(index, channels_last=True)
    packed = pack_channelwise(product.weights)
    kernel = ChannelwiseKernel(windows, epilogue, context.unit, CentredDepthwise(product.zero))
    name = f"conv2d{tail.name}"
    dtype = str(product.x.ty.dtype)
    function = kernel.emit(name, known_shape(image), dtype, str(packed.dtype))
    result = context.call(function, name, [image, relax.const(packed), *operands], epilogue)
    context.set(tail.result, result, channels_last=True)


def emit_product(
    context: Context, index: int, x: relax.Expr, product: Product, windows: Windows
) -> None:
    """Replace a product, of an NHWC image if its result has four dimensions in the model too."""
    first = context.block.bindings[index].var
    channels_last = context.block.bindings[index].value.op.name == "relax.nn.conv2d"
    tail = context.block.take_tail(index)
    signed = str(product.x.ty.dtype) == "int8"
    weights = product.weights.astype("int32")
    starts = -(product.zero + SIGNED_OFFSET * signed) * weights.sum((1, 2, 3), dtype="int32")
    bias = bias_of(tail, first, -3 if channels_last else -1)
    if bias is not None:
        first, starts = tail.calls[0][0], starts + bias
        tail = Tail(tail.result, tail.calls[1:])
    epilogue, operands = make_epilogue(tail, first, context.values, channels_last)
    packed = pack_bytes(weights, windows.groups)
    passes = packed.shape[2] if packed.ndim == 7 else 1
    kernel = ConvolutionKernel(
        replace(windows, channels=windows.channels // FOUR),
        epilogue,
        context.unit,
        DotProducts(context.unit, signed, passes),
    )
    name = f"{'conv2d' if channels_last else 'matmul'}{tail.name}"
    function = kernel.emit(name, known_shape(x), str(product.x.ty.dtype), "int32")
    constants = [relax.const(packed), relax.const(pack_starts(starts, windows.groups))]
    result = context.call(function, name, [x, *constants, *operands], epilogue)
    context.set(tail.result, result, channels_last=channels_last)


def bias_of(tail: Tail, first: relax.Var, axis: int) -> Any:
    """Return what a tail adds first, if it is one number for each output channel, on an axis."""
    if not tail.calls:
        return None
    _, call, kernel = tail.calls[0]
    arguments = call.args[1].fields
    if not isinstance(kernel.value, prim.Add) or len(arguments) != 2:
        return None
    content = constant(arguments[1])
    if arguments[0] != first or content is None or str(content.dtype) != "int32":
        return None
    along = content.ndim >= -axis and content.shape[axis] == known_shape(call)[axis] == content.size
    return content.reshape(-1) if along else None


def pad_bytes(
    context: Context, image: relax.Expr, windows: Windows, zero: int
) -> tuple[relax.Expr, Windows]:
    """Return the image with zero points around it, and as many channels as are multiplied at once."""
    top, left, bottom, right = windows.padding
    more = 0 if windows.groups > 1 else -windows.channels % FOUR
    larger = replace(
        windows,
        height=windows.height + top + bottom,
        width=windows.width + left + right,
        channels=windows.channels + more,
        padding=(0, 0, 0, 0),
    )
    sides = [0, 0, top, bottom, left, right, 0, more]
    return context.builder.emit(R.nn.pad(image, sides, "constant", zero)), larger
