# SPDX-License-Identifier: Apache-2.0
"""Convolutions and matrix products of bytes, as sums of whole numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from tvm import relax, te, topi
from tvm.relax import op as R

from tvmgo.compiler.relax.expressions import known_shape
from tvmgo.compiler.relax.passes.quantized.reading import Bytes, Reader, Whole

# Products of two differences of bytes, of which a sum of int32 holds so many.
LONGEST = (2**31 - 1) // 255**2


def centred(bb: relax.BlockBuilder, x: relax.Expr, zero: int) -> relax.Expr:
    """Return bytes minus their zero point in int32, as the operand of a product."""
    shape = known_shape(x)

    def kernel(tensor: te.Tensor) -> te.Tensor:
        return te.compute(shape, lambda *i: tensor(*i).astype("int32") - zero)

    return bb.emit(bb.call_te(kernel, x, primfunc_name_hint="centre"))


def offset_of(bb: relax.BlockBuilder, zero: relax.Expr, sums: np.ndarray) -> relax.Var:
    """Return what a zero point of the run adds to sums; before them, so that they can take it in."""
    byte = bb.emit(R.reshape(R.astype(zero, "int32"), (1,) * sums.ndim))
    return bb.emit(R.multiply(byte, relax.const(sums)))


def padded(
    bb: relax.BlockBuilder, x: relax.Expr, zero: relax.Expr, padding: list[int]
) -> relax.Expr:
    """Return an image with a zero point of the run around it."""
    if not any(padding):
        return x
    top, left, bottom, right = padding

    def kernel(tensor: te.Tensor, byte: te.Tensor) -> te.Tensor:
        place = [0] * len(byte.shape)
        return topi.nn.pad(tensor, (0, 0, top, left), (0, 0, bottom, right), byte(*place))

    return bb.emit(bb.call_te(kernel, x, zero, primfunc_name_hint="pad"))


def narrow(values: np.ndarray) -> relax.Expr:
    fits = values.min() >= -128 and values.max() <= 127
    return relax.const(values.astype("int8" if fits else "int16"))


def conv2d(reader: Reader, bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr | None:
    attrs = call.attrs
    layouts = tuple(map(str, (attrs.data_layout, attrs.kernel_layout)))
    if layouts != ("NCHW", "OIHW"):
        return None
    weights = reader.whole_of(call.args[1])
    if weights is None or (weights.scale.size > 1 and weights.axis != 0):
        return None
    channels, groups = known_shape(call.args[0])[1], int(attrs.groups)
    depthwise = 1 < groups == channels == weights.values.shape[0]
    if groups > 1 and not depthwise and (channels // groups) % 4:
        return None
    x = reader.bytes_of(call.args[0])
    if x is None or weights.values[0].size > LONGEST:
        return None
    padding, zero, offset = attrs.padding, x.zero, None
    if not isinstance(zero, int):
        x = replace(x, value=padded(bb, x.value, zero, [int(each) for each in padding]))
        sums = weights.values.sum((1, 2, 3), dtype="int32").reshape(1, -1, 1, 1)
        offset = offset_of(bb, zero, sums)
        padding, zero = (0, 0, 0, 0), 0
    total = R.nn.conv2d(
        centred(bb, x.value, zero),
        narrow(weights.values),
        *(attrs.strides, padding, attrs.dilation, attrs.groups),
        out_dtype="int32",
    )
    if offset is not None:
        total = R.subtract(bb.emit(total), offset)
    return scaled(bb, bb.emit(total), x, weights, (1, -1, 1, 1), str(call.ty.dtype))


def matmul(reader: Reader, bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr | None:
    weights = reader.whole_of(call.args[1])
    if weights is None:
        return None
    ndim = weights.values.ndim
    if ndim < 2 or math.prod(weights.values.shape[:-2]) != 1 or not known_shape(call.args[0]):
        return None
    if weights.scale.size > 1 and weights.axis != ndim - 1:
        return None
    x = reader.bytes_of(call.args[0])
    if x is None or weights.values.shape[-2] > LONGEST:
        return None
    zero = x.zero if isinstance(x.zero, int) else 0
    centre = centred(bb, x.value, zero)
    offset = None
    if not isinstance(x.zero, int):
        offset = offset_of(bb, x.zero, weights.values.sum(-2, dtype="int32").reshape(-1))
    total = R.matmul(centre, narrow(weights.values), out_dtype="int32")
    if offset is not None:
        total = R.subtract(bb.emit(total), offset)
    return scaled(bb, bb.emit(total), x, weights, (-1,), str(call.ty.dtype))


def scaled(
    bb: relax.BlockBuilder,
    total: relax.Expr,
    x: Bytes,
    weights: Whole,
    shape: tuple[int, ...],
    dtype: str,
) -> relax.Expr:
    """Return what a sum stands for: floats, or itself."""
    if dtype == "int32" and x.scale == 1 and weights.scale.size == 1 and weights.scale == 1:
        return total
    floats = R.astype(total, dtype)
    scale = weights.scale * x.scale
    if scale.size == 1 and scale.reshape(()) == 1:
        return floats
    factor: Any = scale.reshape(()) if scale.size == 1 else scale.reshape(shape)
    return R.multiply(bb.emit(floats), relax.const(factor.astype(dtype)))
