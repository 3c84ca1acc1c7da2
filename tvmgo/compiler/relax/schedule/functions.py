# SPDX-License-Identifier: Apache-2.0
"""Mathematical functions as expressions, so that a vector of them is computed at once.

Each takes and gives float32, scalars or vectors, all numbers, infinities and NaN as C's function
does. What it uses more than once it gives to its first argument, which returns a name for it.
Errors are in units of the last place (ulp) of the right result; an ulp is at least 2**-149,
so that those of denormal results count too. Polynomials were fitted to the functions by their
largest relative error; sums and products are written so that they may be contracted.

===========  =====  ==============================================================================
exp            1
log            1
log2, log10    2
log1p, sigmoid 2.5
tanh, erf      1.5
pow            0.6  computed in float64; 1 where the exponent is known to be 3
===========  =====  ==============================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tvm import tirx

Name = Callable[[Any], Any]

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
    scalar = tirx.const(value, dtype or scalar_type(x))
    return scalar if lanes == 1 else tirx.Broadcast(scalar, lanes)


def scalar_type(x: Any) -> str:
    return str(x.ty).partition("x")[0]


def lanes_of(x: Any) -> int:
    return int(str(x.ty).partition("x")[2] or 1)


def as_type(x: Any, dtype: str) -> str:
    lanes = lanes_of(x)
    return dtype if lanes == 1 else f"{dtype}x{lanes}"


def bits(x: Any, dtype: str = "uint32") -> Any:
    return tirx.reinterpret(as_type(x, dtype), x)


def number_of(bits: Any, dtype: str = "float32") -> Any:
    return tirx.reinterpret(as_type(bits, dtype), bits)


def cast(x: Any, dtype: str) -> Any:
    return tirx.Cast(as_type(x, dtype), x)


def polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    """Return c0 + c1 x + c2 x**2 + ..."""
    total = like(coefficients[-1], x)
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + like(coefficient, x)
    return total


def within(name: Name, x: Any, low: float, high: float) -> Any:
    """Return the nearest number between two; NaN stays."""
    x = name(tirx.Select(x < like(low, x), like(low, x), x))
    return name(tirx.Select(x > like(high, x), like(high, x), x))


def exp(name: Name, x: Any) -> Any:
    # exp(x) = 2**k exp(r), |r| <= ln(2)/2. 2**k as two factors: its exponent may be too large or
    # too small for one, where the result is not yet infinite or zero.
    x = within(name, name(x), -104.0, 89.0)
    rounded = name(x * like(LOG2_E, x) + like(ROUNDER, x))
    half = name(bits(name(x * like(LOG2_E / 2, x) + like(ROUNDER, x))))
    k = name(rounded - like(ROUNDER, x))
    r = name(x - k * like(LN2_HIGH, x) - k * like(LN2_LOW, x))
    coefficients = (0.5, 0.166666657, 0.0416662917, 0.00833349861, 0.00139449781, 0.00019790027)
    near_0 = polynomial(r, coefficients) * (r * r) + r + like(1.0, r)
    return near_0 * power_of_2(half) * power_of_2(bits(rounded) - half)


def power_of_2(exponent: Any) -> Any:
    """Return 2**n as float32 from an integer with n in its lowest bits."""
    return number_of((exponent << like(23, exponent)) + like(0x3F800000, exponent))


def log(name: Name, x: Any) -> Any:
    return logarithm(name, x, 1.0, LN2_HIGH, LN2_LOW)


def log2(name: Name, x: Any) -> Any:
    return logarithm(name, x, LOG2_E, 1.0, 0.0)


def log10(name: Name, x: Any) -> Any:
    high = 0.301025390625  # of few bits
    return logarithm(name, x, math.log10(math.e), high, math.log10(2) - high)


def logarithm(name: Name, x: Any, factor: float, high: float, low: float) -> Any:
    """Return factor * ln(x), where high + low is that of 2."""
    # x = 2**e (1 + f), 2**-0.5 <= 1 + f < 2**0.5; numbers below the normal ones are scaled first.
    x = name(x)
    small = x < like(2.0**-126, x)
    scaled = name(tirx.Select(small, x * like(2.0**23, x), x))
    b = name(bits(scaled) - like(SQRT_HALF, x, "uint32"))
    exponent = cast(bits(b, "int32") >> like(23, x, "int32"), "float32")
    e = name(exponent + tirx.Select(small, like(-23.0, x), like(0.0, x)))
    f = name(number_of((b & like(0x7FFFFF, b)) + like(SQRT_HALF, b)) - like(1.0, x))
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


def nan(x: Any) -> Any:
    return like(math.nan, x)


def log1p(name: Name, x: Any) -> Any:
    # What rounding has taken from 1 + x, the quotient gives back.
    x = name(x)
    sum_ = name(x + like(1.0, x))
    kept = name(sum_ - like(1.0, x))
    value = log(name, sum_) * (x / kept)
    value = tirx.Select(x == like(math.inf, x), x, value)
    value = tirx.Select(kept == like(0.0, x), x, value)
    return tirx.Select(x == like(-1.0, x), like(-math.inf, x), value)


def tanh(name: Name, x: Any) -> Any:
    x = name(x)
    size = name(magnitude(x))
    coefficients = (-0.333332807, 0.133314416, -0.0537397154, 0.020639088, -0.00570498733)
    square = name(size * size)
    near = polynomial(square, coefficients) * square * size + size
    far = like(1.0, x) - like(2.0, x) / (exp(name, size + size) + like(1.0, x))
    return with_sign(tirx.Select(size < like(0.625, x), near, far), x)


def sigmoid(name: Name, x: Any) -> Any:
    # By exp(-|x|), which is never infinite: results near 0 are right in their last places too.
    x = name(x)
    e = name(exp(name, like(0.0, x) - magnitude(x)))
    return tirx.Select(x < like(0.0, x), e, like(1.0, x)) / (e + like(1.0, x))


def erf(name: Name, x: Any) -> Any:
    # From 1 on by the logarithm of 1 - erf, which is nearly a parabola.
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
    x = name(x)
    size = name(magnitude(x))
    small = polynomial(name(size * size), near) * size + size
    large = like(1.0, x) - exp(name, polynomial(within(name, size, 0.0, 4.0), far))
    return with_sign(tirx.Select(size < like(1.0, x), small, large), x)


def magnitude(x: Any) -> Any:
    return number_of(bits(x) & like(0x7FFFFFFF, x, "uint32"))


def with_sign(value: Any, x: Any) -> Any:
    """Return a number that is not negative with the sign of another."""
    return number_of(bits(value) | (bits(x) & like(0x80000000, x, "uint32")))


def exponent_of(y: Any) -> float | None:
    """Return the number that an exponent is known to be."""
    scalar = y.value if isinstance(y, tirx.Broadcast) else y
    return float(scalar.value) if isinstance(scalar, tirx.FloatImm) else None


def pow(name: Name, x: Any, y: Any) -> Any:
    x, y, known = name(x), name(y), exponent_of(y)
    if known == 2:
        return x * x
    if known == 3:
        return name(x * x) * x
    size, wide = name(magnitude(x)), name(cast(y, "float64"))
    is_one = tirx.any(y == like(0.0, x), size == like(1.0, x))
    product = tirx.Select(is_one, like(0.0, wide), wide * log2_wide(name, size))
    value = name(cast(exp2_wide(name, within(name, name(product), -160.0, 160.0)), "float32"))
    limit = 2.0**40  # above, all numbers are even
    whole = within(name, wide, -limit, limit)
    half = name(whole * like(0.5, whole))
    odd = nearest(name, half) != half
    negative = tirx.all(x < like(0.0, x), size != like(math.inf, x))
    of_whole = tirx.Select(odd, with_sign(value, x), value)
    of_other = tirx.Select(negative, nan(x), value)
    return tirx.Select(nearest(name, whole) == whole, of_whole, of_other)


def nearest(name: Name, x: Any) -> Any:
    # Named, because TVM takes (x + c) - c for x.
    return name(x + like(ROUNDER_64, x)) - like(ROUNDER_64, x)


def log2_wide(name: Name, size: Any) -> Any:
    """Return log2 of a float32 number that is not negative, in float64."""
    wide = name(cast(size, "float64"))
    b = name(bits(wide, "uint64") - like(SQRT_HALF_64, size, "uint64"))
    exponent = cast(cast(bits(b, "int64") >> like(52, b, "int64"), "int32"), "float64")
    m = name(number_of((b & like(0xFFFFFFFFFFFFF, b)) + like(SQRT_HALF_64, b), "float64"))
    s = name((m - like(1.0, m)) / (m + like(1.0, m)))
    coefficients = (
        2.8853900817778504,
        0.9617966941133007,
        0.5770779423706275,
        0.4122092520378048,
        0.319905702191452,
        0.28290019750516726,
    )
    value = exponent + polynomial(name(s * s), coefficients) * s
    value = tirx.Select(size < like(math.inf, size), value, wide)  # NaN too
    return tirx.Select(size == like(0.0, size), like(-math.inf, wide), value)


def exp2_wide(name: Name, x: Any) -> Any:
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
    rounded = name(x + like(ROUNDER_64, x))
    exponent = bits(rounded, "uint64") << like(52, x, "uint64")
    power = number_of(exponent + like(0x3FF0000000000000, x, "uint64"), "float64")
    return polynomial(name(x - name(rounded - like(ROUNDER_64, x))), coefficients) * power
