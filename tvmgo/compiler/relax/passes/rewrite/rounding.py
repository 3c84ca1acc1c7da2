# SPDX-License-Identifier: Apache-2.0
"""Casts to and from short floats.

TVM keeps what it casts to bfloat16 in float32 where it goes on computing with it, and takes the
bits of float8 for those of a float32 with fewer digits: not so for small numbers, for NaN and for
what is too large.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
from tvm import relax, te, tirx

from tvmgo.compiler.relax.passes.rewrite.elementwise import elementwise


class ShortFloat(NamedTuple):
    """A type of floats, by what float32 numbers round to."""

    mantissa: int  # bits
    exponent: int  # the smallest of a normal number


class Float8(NamedTuple):
    """A type of floats in one byte, by its codes; the sign has the first bit."""

    mantissa: int
    exponent: int
    largest: int
    nan: int
    too_large: int  # where nothing is saturated
    signed: bool = True  # zero and NaN have a sign


BFLOAT16 = ShortFloat(7, -126)
FLOAT8 = {
    "float8_e4m3fn": Float8(3, -6, 0x7E, 0x7F, 0x7F),
    "float8_e4m3fnuz": Float8(3, -7, 0x7F, 0x80, 0x80, signed=False),
    "float8_e5m2": Float8(2, -14, 0x7B, 0x7E, 0x7C),
    "float8_e5m2fnuz": Float8(2, -15, 0x7F, 0x80, 0x80, signed=False),
}
# A power of two in one byte, which is its exponent.
EXPONENT = "float8_e8m0fnu"


def round_to_short_float(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    (x,) = call.args
    source, dtype = str(x.ty.dtype), str(call.attrs.dtype)
    if source == dtype:
        return call
    if source in FLOAT8 or source == EXPONENT:
        wide = bb.normalize(from_float8(bb, x))
        return wide if dtype == "float32" else relax.op.astype(wide, dtype)
    if dtype in FLOAT8 or dtype == EXPONENT:
        return to_float8(bb, x, dtype)
    if dtype != "bfloat16":
        return call

    def compute(value: Any) -> Any:
        wide = value.astype("float32")
        return tirx.Select(is_nan(wide), wide, rounded(wide, BFLOAT16)).astype(dtype)

    return elementwise(bb, call, compute, x)


def from_float8(bb: relax.BlockBuilder, x: relax.Expr) -> relax.Expr:
    """Return the values of bytes in float32: there are 256 of them."""
    dtype = str(x.ty.dtype)
    codes = np.arange(256, dtype=np.uint8).view(getattr(ml_dtypes, dtype))

    def kernel(table: te.Tensor, tensor: te.Tensor) -> te.Tensor:
        def element(*index: Any) -> Any:
            return table[tirx.reinterpret("uint8", tensor(*index)).astype("int32")]

        return te.compute(tensor.shape, element)

    values = relax.const(codes.astype(np.float32))
    return bb.call_te(kernel, values, x, primfunc_name_hint="from_float8")


def to_float8(
    bb: relax.BlockBuilder, x: relax.Expr, dtype: str, *, saturate: bool = True, mode: str = "up"
) -> relax.Expr:
    """Return the nearest numbers; `saturate`: what is too large becomes the largest one.

    `mode` is how those are rounded that have nothing but an exponent.
    """

    def compute(value: Any) -> Any:
        wide = value.astype("float32")
        if dtype == EXPONENT:
            code = exponent_of(wide, saturate, mode)
        else:
            code = encoded(wide, FLOAT8[dtype], saturate)
        return tirx.reinterpret(dtype, code.astype("uint8"))

    def kernel(tensor: te.Tensor) -> te.Tensor:
        return te.compute(tensor.shape, lambda *index: compute(tensor(*index)))

    return bb.call_te(kernel, x, primfunc_name_hint="to_float8")


def number(value: int) -> Any:
    return tirx.const(value & 0xFFFFFFFF, "uint32")


def bits_of(x: Any) -> Any:
    return tirx.reinterpret("uint32", x)


def is_nan(x: Any) -> Any:
    """By its bits: TVM takes x == x for granted."""
    return (bits_of(x) & number(0x7FFFFFFF)) > number(0x7F800000)


def rounded(x: Any, short: ShortFloat | Float8) -> Any:
    """Return the nearest number of a type without an end; of two the one with an even last bit."""
    bits = bits_of(x)
    dropped = 23 - short.mantissa
    odd = (bits >> number(dropped)) & number(1)
    kept = (bits + number((1 << dropped - 1) - 1) + odd) & number(0xFFFFFFFF << dropped)
    near = tirx.reinterpret("float32", kept)
    if short.exponent == -126:  # float32 has the same numbers below the normal ones
        return near
    step = 2.0 ** (short.exponent - short.mantissa)
    small = tirx.nearbyint(x * tirx.const(1 / step, "float32")) * tirx.const(step, "float32")
    limit = tirx.const(2.0**short.exponent, "float32")
    return tirx.Select(tirx.abs(x) < limit, small, near)


def encoded(x: Any, kind: Float8, saturate: bool) -> Any:
    """Return the code of the nearest number, in uint32."""
    near = tirx.abs(rounded(x, kind))
    step = 2.0 ** (kind.exponent - kind.mantissa)
    small = (near * tirx.const(1 / step, "float32")).astype("uint32")
    # Exponent and mantissa lie beside each other in both, with another zero of the exponent.
    shifted = bits_of(near) >> number(23 - kind.mantissa)
    normal = shifted - number((126 + kind.exponent) << kind.mantissa)
    is_small = near < tirx.const(2.0**kind.exponent, "float32")
    code = tirx.Select(is_small, small, normal)
    most = number(kind.largest if saturate else kind.too_large)
    # What is beyond the last normal code is too large, as infinity is.
    code = tirx.Select(bits_of(near) > bits_of(largest_of(kind)), most, code)
    code = tirx.Select(is_nan(x), number(kind.nan), code)
    sign = (bits_of(x) >> number(24)) & number(0x80)
    if kind.signed:
        return code | sign
    return tirx.Select(code == number(0), code, code | sign)


def largest_of(kind: Float8) -> Any:
    steps = (kind.largest & ((1 << kind.mantissa) - 1)) + (1 << kind.mantissa)
    power = (kind.largest >> kind.mantissa) - 1 + kind.exponent - kind.mantissa
    return tirx.const(steps * 2.0**power, "float32")


def exponent_of(x: Any, saturate: bool, mode: str) -> Any:
    """Return the exponent of a float32, whose sign does not count; 255 for what is no number."""
    bits = bits_of(x) & number(0x7FFFFFFF)
    exponent, fraction = bits >> number(23), bits & number(0x7FFFFF)
    zero, one = number(0), number(1)
    half = number(0x400000)
    up = {
        "up": fraction > zero,
        "nearest": tirx.any(fraction > half, tirx.all(fraction == half, exponent > zero)),
        "down": fraction > number(0x7FFFFF),  # never
    }[mode]
    above = exponent + tirx.Select(up, one, zero)
    if saturate:
        above = tirx.Select(above == number(255), number(254), above)
    return tirx.Select(exponent == number(255), number(255), above)
