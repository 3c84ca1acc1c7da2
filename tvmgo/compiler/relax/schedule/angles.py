# SPDX-License-Identifier: Apache-2.0
"""Functions of angles and hyperbolas as expressions, by the rules of `functions`.

===========  =====  ==============================================================================
sin, cos       1.5  below `LIMITS`, above which C's function is called
tan            3.5  likewise
asin, acos     2
atan           2
asinh, acosh   4
atanh          4
===========  =====  ==============================================================================
"""

from __future__ import annotations

import math
from typing import Any

from tvm import tirx

from tvmgo.compiler.relax.schedule.functions import (
    ROUNDER_64,
    Name,
    bits,
    cast,
    like,
    log1p,
    magnitude,
    nan,
    number_of,
    polynomial,
    with_sign,
)

# Magnitudes from which on a function is not computed in vectors.
LIMITS = {"tirx.sin": 2.0**20, "tirx.cos": 2.0**20, "tirx.tan": 2.0**20}


def sin(name: Name, x: Any) -> Any:
    return circular(name, x, 0)


def cos(name: Name, x: Any) -> Any:
    return circular(name, x, 1)


# Half of pi in two parts: products of the first one with numbers of 20 bits are exact.
HALF_PI_HIGH = round(math.pi * 2**31) / 2.0**32
HALF_PI_LOW = math.pi / 2 - HALF_PI_HIGH + 6.123233995736766e-17  # what float64 lacks of it


def circular(name: Name, x: Any, quarters: int) -> Any:
    """Return sin(x + quarters * pi / 2)."""
    sine, cosine, quadrant = sine_and_cosine(name, x)
    quadrant = name(quadrant + like(quarters, quadrant))
    value = bits(tirx.Select(is_even(quadrant), sine, cosine))
    return number_of(value ^ ((quadrant & like(2, quadrant)) << like(30, quadrant)))


def tan(name: Name, x: Any) -> Any:
    sine, cosine, quadrant = sine_and_cosine(name, x)
    sine, cosine, even = name(sine), name(cosine), is_even(name(quadrant))
    return tirx.Select(even, sine, like(0.0, x) - cosine) / tirx.Select(even, cosine, sine)


def is_even(n: Any) -> Any:
    return (n & like(1, n)) == like(0, n)


def sine_and_cosine(name: Name, x: Any) -> tuple[Any, Any, Any]:
    """Return those of what is left of a number by the nearest quarter of a turn, and which that is."""
    x = name(x)
    wide = name(cast(x, "float64"))
    rounded = name(wide * like(2 / math.pi, wide) + like(ROUNDER_64, wide))
    k = name(rounded - like(ROUNDER_64, wide))
    r = name(cast(wide - k * like(HALF_PI_HIGH, k) - k * like(HALF_PI_LOW, k), "float32"))
    quadrant = cast(bits(rounded, "uint64"), "uint32")
    square, size = name(r * r), name(magnitude(r))
    curve = polynomial(square, (-0.166666552, 0.00833217613, -0.000195169778))
    sine = with_sign(curve * square * size + size, r)
    curve = polynomial(square, (0.0416666456, -0.00138873642, 2.44380899e-05))
    cosine = curve * (square * square) - like(0.5, x) * square + like(1.0, x)
    return sine, cosine, quadrant


# As float32 has it, and what that lacks.
HALF_PI, HALF_PI_REST = 1.57079637, -4.37113883e-08


def asin(name: Name, x: Any) -> Any:
    x = name(x)
    far, curve = arcsine(name, x)
    from_end = name(like(HALF_PI, x) - (curve + curve)) + like(HALF_PI_REST, x)
    return with_sign(tirx.Select(far, from_end, curve), x)


def acos(name: Name, x: Any) -> Any:
    x = name(x)
    far, curve = arcsine(name, x)
    near = name(like(HALF_PI, x) - with_sign(curve, x)) + like(HALF_PI_REST, x)
    double = name(curve + curve)
    from_pi = name(like(2 * HALF_PI, x) - double) + like(2 * HALF_PI_REST, x)
    return tirx.Select(far, tirx.Select(x < like(0.0, x), from_pi, double), near)


def arcsine(name: Name, x: Any) -> tuple[Any, Any]:
    """Return whether |x| is above 1/2; and asin |x|, or half of what that is less than pi / 2."""
    size = name(magnitude(x))
    far = size > like(0.5, x)
    square = name(tirx.Select(far, (like(1.0, x) - size) * like(0.5, x), size * size))
    sine = name(tirx.Select(far, tirx.sqrt(square), size))
    coefficients = (0.166667521, 0.074952975, 0.0454703756, 0.0241795145, 0.0421663076)
    return far, name(polynomial(square, coefficients) * square * sine + sine)


def atan(name: Name, x: Any) -> Any:
    x = name(x)
    size, one = name(magnitude(x)), like(1.0, x)
    far = size > one
    t = name(tirx.Select(far, one, size) / tirx.Select(far, size, one))
    coefficients = (
        -0.333332986,
        0.199985489,
        -0.142642424,
        0.109521858,
        -0.0840345025,
        0.0579575934,
        -0.0311778467,
        0.010914606,
        -0.00179362181,
    )
    square = name(t * t)
    curve = name(polynomial(square, coefficients) * square * t + t)
    from_end = name(like(HALF_PI, x) - curve) + like(HALF_PI_REST, x)
    return with_sign(tirx.Select(far, from_end, curve), x)


# Above, asinh x and acosh x are ln 2x, though squares may be infinite.
LARGE = 4096.0


def asinh(name: Name, x: Any) -> Any:
    x = name(x)
    size, one = name(magnitude(x)), like(1.0, x)
    square = name(size * size)
    more = size + square / (one + tirx.sqrt(square + one))
    return with_sign(log_of_sum(name, size, size - one, more), x)


def acosh(name: Name, x: Any) -> Any:
    x = name(x)
    less = name(x - like(1.0, x))
    more = less + tirx.sqrt(less * (less + like(2.0, x)))
    value = log_of_sum(name, x, less, more)
    return tirx.Select(x < like(1.0, x), nan(x), value)


def log_of_sum(name: Name, x: Any, less: Any, more: Any) -> Any:
    """Return ln(1 + more); or of a large x, one more than `less`, ln 2x."""
    large = x > like(LARGE, x)
    value = log1p(name, tirx.Select(large, less, more))
    return value + tirx.Select(large, like(math.log(2), x), like(0.0, x))


def atanh(name: Name, x: Any) -> Any:
    x = name(x)
    size = name(magnitude(x))
    return with_sign(
        log1p(name, (size + size) / (like(1.0, x) - size)) * like(0.5, x),
        x,
    )
