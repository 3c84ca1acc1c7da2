# SPDX-License-Identifier: Apache-2.0
"""Mathematical functions as expressions, so that a vector of them is computed at once.

Each takes and gives float32, scalars or vectors, all numbers, infinities and NaN as C's function
does. Errors are in units of the last place (ulp) of the right result; an ulp is at least 2**-149,
so that those of denormal results count too. Polynomials were fitted to the functions by their
largest relative error; sums and products are written so that they may be contracted.

===========  =====  ==============================================================================
exp            1
log            1
log2, log10    2
log1p, sigmoid 2.5
tanh, erf      1.5
pow            0.6  computed in float64
===========  =====  ==============================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import tvm
from tvm import sym, tirx

from tvmgo.compiler.relax.schedule.expressions import variables_of

LOG2_E = math.log2(math.e)
# ln 2 in two parts: products of the first one with numbers below 2**15 are exact.
LN2_HIGH = 0.693359375
LN2_LOW = math.log(2) - LN2_HIGH
# Added to a small number, these leave its nearest integer in the lowest bits.
ROUNDER = 1.5 * 2.0**23
ROUNDER_64 = 1.5 * 2.0**52
SQRT_HALF = 0x3F3504F3  # the bits of 2**-0.5
SQRT_HALF_64 = 0x3FE6A09E667F3BCD


def like(value: float, x: Any, dtype: str | None = None) -> Any:
    """Return a number of the type, or of another one with as many lanes, of an expression."""
    lanes = lanes_of(x)
    scalar = tirx.const(value, dtype or str(x.ty).partition("x")[0])
    return scalar if lanes == 1 else tirx.Broadcast(scalar, lanes)


def lanes_of(x: Any) -> int:
    return int(str(x.ty).partition("x")[2] or 1)


def as_type(x: Any, dtype: str) -> str:
    lanes = lanes_of(x)
    return dtype if lanes == 1 else f"{dtype}x{lanes}"


def bits(x: Any, dtype: str = "uint32") -> Any:
    return tirx.reinterpret(as_type(x, dtype), x)


def cast(x: Any, dtype: str) -> Any:
    return tirx.Cast(as_type(x, dtype), x)


def let(value: Any, body: Callable[[Any], Any]) -> Any:
    """Name a value that is used more than once; one that is known needs no name."""
    if not variables_of(value):
        return body(sym.Analyzer().simplify(value))
    variable = tvm.ir.Var("t", value.ty)
    return tirx.Let(variable, value, body(variable))


def polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    """Return c0 + c1 x + c2 x**2 + ..."""
    total = like(coefficients[-1], x)
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + like(coefficient, x)
    return total


def within(x: Any, low: float, high: float) -> Any:
    """Return the nearest number between two; NaN stays."""

    def above(x: Any) -> Any:
        return tirx.Select(x < like(low, x), like(low, x), x)

    def below(x: Any) -> Any:
        return tirx.Select(x > like(high, x), like(high, x), x)

    return let(let(x, above), below)


def exp(x: Any) -> Any:
    # exp(x) = 2**k exp(r), |r| <= ln(2)/2. 2**k as two factors: its exponent may be too large or
    # too small for one, where the result is not yet infinite or zero.
    def reduced(x: Any) -> Any:
        return let(
            x * like(LOG2_E, x) + like(ROUNDER, x),
            lambda k: let(x * like(LOG2_E / 2, x) + like(ROUNDER, x), lambda h: scaled(x, k, h)),
        )

    def scaled(x: Any, k: Any, half: Any) -> Any:
        steps = k - like(ROUNDER, x)
        return let(
            steps,
            lambda n: let(
                x - n * like(LN2_HIGH, x) - n * like(LN2_LOW, x),
                lambda r: exp_near_0(r) * power_of_2(bits(half)) * power_of_2(bits(k) - bits(half)),
            ),
        )

    return let(within(x, -104.0, 89.0), reduced)


def exp_near_0(r: Any) -> Any:
    coefficients = (0.5, 0.166666657, 0.0416662917, 0.00833349861, 0.00139449781, 0.00019790027)
    return polynomial(r, coefficients) * (r * r) + r + like(1.0, r)


def power_of_2(exponent: Any) -> Any:
    """Return 2**n as float32 from an integer with n in its lowest bits."""
    shifted = (exponent << like(23, exponent)) + like(0x3F800000, exponent)
    return tirx.reinterpret(as_type(exponent, "float32"), shifted)


def log(x: Any) -> Any:
    return logarithm(x, 1.0, LN2_HIGH, LN2_LOW)


def log2(x: Any) -> Any:
    return logarithm(x, LOG2_E, 1.0, 0.0)


def log10(x: Any) -> Any:
    high = 0.301025390625  # of few bits
    return logarithm(x, math.log10(math.e), high, math.log10(2) - high)


def logarithm(x: Any, factor: float, high: float, low: float) -> Any:
    """Return factor * ln(x), where high + low is that of 2."""

    # x = 2**e (1 + f), 2**-0.5 <= 1 + f < 2**0.5; numbers below the normal ones are scaled first.
    def scaled(x: Any) -> Any:
        small = x < like(2.0**-126, x)
        return let(
            bits(tirx.Select(small, x * like(2.0**23, x), x)) - like(SQRT_HALF, x, "uint32"),
            lambda b: parts(x, b, tirx.Select(small, like(-23.0, x), like(0.0, x))),
        )

    def parts(x: Any, b: Any, more: Any) -> Any:
        exponent = cast(tirx.reinterpret(as_type(x, "int32"), b) >> like(23, x, "int32"), "float32")
        mantissa = (b & like(0x7FFFFF, b)) + like(SQRT_HALF, b)
        fraction = tirx.reinterpret(str(x.ty), mantissa) - like(1.0, x)
        return let(exponent + more, lambda e: let(fraction, lambda f: ended(x, e, f)))

    def ended(x: Any, e: Any, f: Any) -> Any:
        coefficients = (
            0.333333135,
            -0.250000089,
            0.200021192,
            -0.166679963,
            0.142195523,
            -0.124055892,
            0.11888162,
            -0.116756521,
            0.0674664006,
        )
        curve = polynomial(f, coefficients) * f * (f * f) - like(0.5, f) * (f * f)
        if factor == 1.0:
            value = e * like(high, x) + (f + (curve + e * like(low, x)))
        else:
            value = e * like(high, x) + ((f + curve) * like(factor, x) + e * like(low, x))
        value = tirx.Select(x < like(math.inf, x), value, x)  # NaN too
        value = tirx.Select(x < like(0.0, x), nan(x), value)
        return tirx.Select(x == like(0.0, x), like(-math.inf, x), value)

    return let(x, scaled)


def nan(x: Any) -> Any:
    return like(math.nan, x)


def log1p(x: Any) -> Any:
    # What rounding has taken from 1 + x, the quotient gives back.
    def corrected(x: Any, sum_: Any) -> Any:
        value = log(sum_) * (x / (sum_ - like(1.0, x)))
        exact = tirx.Select(x == like(math.inf, x), x, value)
        return tirx.Select(sum_ == like(1.0, x), x, exact)

    def at_minus_1(x: Any) -> Any:
        value = let(x + like(1.0, x), lambda sum_: corrected(x, sum_))
        return tirx.Select(x == like(-1.0, x), like(-math.inf, x), value)

    return let(x, at_minus_1)


def tanh(x: Any) -> Any:
    def both(x: Any, size: Any) -> Any:
        coefficients = (-0.333332807, 0.133314416, -0.0537397154, 0.020639088, -0.00570498733)
        near = let(size * size, lambda s: polynomial(s, coefficients) * s * size + size)
        far = like(1.0, x) - like(2.0, x) / (exp(size + size) + like(1.0, x))
        return with_sign(tirx.Select(size < like(0.625, x), near, far), x)

    return let(x, lambda x: let(magnitude(x), lambda size: both(x, size)))


def sigmoid(x: Any) -> Any:
    # By exp(-|x|), which is never infinite: results near 0 are right in their last places too.
    def quotient(x: Any, e: Any) -> Any:
        return tirx.Select(x < like(0.0, x), e, like(1.0, x)) / (e + like(1.0, x))

    return let(x, lambda x: let(exp(like(0.0, x) - magnitude(x)), lambda e: quotient(x, e)))


def erf(x: Any) -> Any:
    # From 1 on by the logarithm of 1 - erf, which is nearly a parabola.
    def both(x: Any, size: Any) -> Any:
        near = (
            0.12837917,
            -0.37612626,
            0.112835854,
            -0.0268538129,
            0.00518832915,
            -0.00080102036,
            7.85389129e-05,
        )
        far = (
            0.000182459364,
            -1.12955201,
            -0.633272409,
            -0.108361542,
            0.0251718033,
            -0.00419085333,
            0.000438529445,
            -2.14455213e-05,
        )
        small = let(size * size, lambda s: polynomial(s, near) * size + size)
        large = like(1.0, x) - exp(let(within(size, 0.0, 4.0), lambda a: polynomial(a, far)))
        return with_sign(tirx.Select(size < like(1.0, x), small, large), x)

    return let(x, lambda x: let(magnitude(x), lambda size: both(x, size)))


def magnitude(x: Any) -> Any:
    return tirx.reinterpret(str(x.ty), bits(x) & like(0x7FFFFFFF, x, "uint32"))


def with_sign(value: Any, x: Any) -> Any:
    """Return a number that is not negative with the sign of another."""
    return tirx.reinterpret(str(x.ty), bits(value) | (bits(x) & like(0x80000000, x, "uint32")))


def pow(x: Any, y: Any) -> Any:  # C's name
    return let(x, lambda x: let(y, lambda y: power(x, y)))


def power(x: Any, y: Any) -> Any:
    def of_size(size: Any, exponent: Any) -> Any:
        product = exponent * log2_wide(size)
        is_one = tirx.any(y == like(0.0, x), size == like(1.0, x))
        product = tirx.Select(is_one, like(0.0, exponent), product)
        value = cast(let(within(product, -160.0, 160.0), exp2_wide), "float32")
        # Above this all numbers are even.
        limit = 2.0**40
        return let(
            value, lambda v: let(within(exponent, -limit, limit), lambda y: signed(size, v, y))
        )

    def signed(size: Any, value: Any, y: Any) -> Any:
        odd = let(y * like(0.5, y), lambda half: nearest(half) != half)
        negative = tirx.all(x < like(0.0, x), size != like(math.inf, x))
        of_whole = tirx.Select(odd, with_sign(value, x), value)
        return tirx.Select(nearest(y) == y, of_whole, tirx.Select(negative, nan(x), value))

    return let(magnitude(x), lambda size: let(cast(y, "float64"), lambda wide: of_size(size, wide)))


def nearest(x: Any) -> Any:
    # Named, because TVM takes (x + c) - c for x.
    return let(x + like(ROUNDER_64, x), lambda rounded: rounded - like(ROUNDER_64, x))


def log2_wide(size: Any) -> Any:
    """Return log2 of a float32 number that is not negative, in float64."""

    def parts(b: Any) -> Any:
        exponent = tirx.reinterpret(as_type(b, "int64"), b) >> like(52, b, "int64")
        mantissa = (b & like(0xFFFFFFFFFFFFF, b)) + like(SQRT_HALF_64, b)
        return let(
            tirx.reinterpret(as_type(b, "float64"), mantissa),
            lambda m: let(
                (m - like(1.0, m)) / (m + like(1.0, m)),
                lambda s: cast(cast(exponent, "int32"), "float64") + curve(s) * s,
            ),
        )

    def curve(s: Any) -> Any:
        coefficients = (
            2.8853900817778504,
            0.9617966941133007,
            0.5770779423706275,
            0.4122092520378048,
            0.319905702191452,
            0.28290019750516726,
        )
        return let(s * s, lambda square: polynomial(square, coefficients))

    wide = cast(size, "float64")
    value = let(bits(wide, "uint64") - like(SQRT_HALF_64, size, "uint64"), parts)
    zero, infinity = like(0.0, size), like(math.inf, size)
    value = tirx.Select(size < infinity, value, wide)  # NaN too
    return tirx.Select(size == zero, like(-math.inf, size, "float64"), value)


def exp2_wide(x: Any) -> Any:
    """Return 2**x of a float64 number whose result float64 can hold."""
    coefficients = (
        0.9999999999616819,
        0.6931471807284469,
        0.24022651198157557,
        0.055504103534476476,
        0.009618027253682354,
        0.00133339225641875,
        0.00015469291136512194,
        1.520192137860997e-05,
    )

    def scaled(k: Any) -> Any:
        exponent = bits(k, "uint64") << like(52, x, "uint64")
        power_of_2 = tirx.reinterpret(str(x.ty), exponent + like(0x3FF0000000000000, x, "uint64"))
        return polynomial(x - (k - like(ROUNDER_64, x)), coefficients) * power_of_2

    return let(x + like(ROUNDER_64, x), scaled)
