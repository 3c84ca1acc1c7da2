# SPDX-License-Identifier: Apache-2.0
"""Casts to short floats round: TVM keeps the value in float32 where it goes on computing with it."""

from __future__ import annotations

from typing import Any, NamedTuple

from tvm import relax, tirx

from tvmgo.compiler.relax.passes.rewrite.elementwise import elementwise


class ShortFloat(NamedTuple):
    """A type of floats, by what float32 numbers round to."""

    mantissa: int  # bits
    exponent: int  # the smallest of a normal number
    largest: float | None  # what larger numbers become; None: infinity


SHORT_FLOATS = {
    "bfloat16": ShortFloat(7, -126, None),
    "float8_e4m3fn": ShortFloat(3, -6, 448.0),
    "float8_e4m3fnuz": ShortFloat(3, -7, 240.0),
    "float8_e5m2": ShortFloat(2, -14, 57344.0),
    "float8_e5m2fnuz": ShortFloat(2, -15, 57344.0),
}


def round_to_short_float(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    dtype = str(call.attrs.dtype)
    short = SHORT_FLOATS.get(dtype)
    (x,) = call.args
    if short is None or str(x.ty.dtype) == dtype:
        return call

    def compute(value: Any) -> Any:
        return rounded(value.astype("float32"), short).astype(dtype)

    return elementwise(bb, call, compute, x)


def rounded(x: Any, short: ShortFloat) -> Any:
    """Return the nearest float32 that the type has too; of two the one with an even last bit."""
    bits = tirx.reinterpret("uint32", x)
    dropped = 23 - short.mantissa

    def number(value: int) -> Any:
        return tirx.const(value, "uint32")

    odd = (bits >> number(dropped)) & number(1)
    kept = (bits + number((1 << dropped - 1) - 1) + odd) & number(
        0xFFFFFFFF << dropped & 0xFFFFFFFF
    )
    near = tirx.reinterpret("float32", kept)
    if short.exponent > -126:  # else float32 has the same numbers below the normal ones
        step = 2.0 ** (short.exponent - short.mantissa)
        small = tirx.nearbyint(x * tirx.const(1 / step, "float32")) * tirx.const(step, "float32")
        limit = tirx.const(2.0**short.exponent, "float32")
        near = tirx.Select(tirx.abs(x) < limit, small, near)
    if short.largest is not None:
        most = tirx.const(short.largest, "float32")
        near = tirx.Select(near > most, most, tirx.Select(near < 0 - most, 0 - most, near))
    # By its bits: TVM takes x == x for granted.
    is_nan = (bits & number(0x7FFFFFFF)) > number(0x7F800000)
    return tirx.Select(is_nan, x, near)
