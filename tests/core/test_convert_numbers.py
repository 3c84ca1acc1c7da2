# SPDX-License-Identifier: Apache-2.0
"""Numbers across the border: every kind of argument and result, at its limits."""

import decimal
import fractions
import math
import struct
import sys

import ml_dtypes
import numpy as np
import pytest

from tests.core.conversion import (
    BIG_INT,
    BOOL,
    FLOAT,
    INT,
    NONE,
    Color,
    Flag,
    Float,
    Index,
    MyFloat,
    MyInt,
)
from tests.helpers import name_of

INTS = [0, 1, -1, 255, -256, 2**31, -(2**31) - 1, 2**32, 2**62, 2**63 - 1, -(2**63)]
BIG_INTS = [
    2**63,
    -(2**63) - 1,
    2**64 - 1,
    2**64,
    -(2**64),
    2**127 - 1,
    2**127,
    -(2**127),
    -(2**127) - 1,
    2**128,
    2**191,
    2**200,
    -(2**200),
    10**1000,
    -(10**1000),
]


@pytest.mark.parametrize("number", INTS, ids=str)
def test_int_comes_back(through, number):
    answer = through(number)
    assert type(answer) is int
    assert answer == number


@pytest.mark.parametrize("number", INTS, ids=str)
def test_int_of_64_bits_travels_as_an_int(kernels, number):
    assert kernels["type_index"](number) == INT
    assert kernels["cell_bits"](number) == number


@pytest.mark.parametrize(
    "number", BIG_INTS, ids=lambda n: f"{n.bit_length()} bits, {'-' if n < 0 else '+'}"
)
def test_big_int_comes_back(through, number):
    answer = through(number)
    assert type(answer) is int
    assert answer == number


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**200], ids=str)
def test_int_outside_64_bits_travels_as_a_big_int(kernels, number):
    assert kernels["type_index"](number) == BIG_INT


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64 - 1], ids=str)
def test_int_outside_64_bits_for_a_function_of_ints_raises_and_does_not_wrap(kernels, number):
    with pytest.raises(ValueError, match="takes ints"):
        kernels["sum_ints"](number)


@pytest.mark.parametrize("value", [True, False])
def test_bool_comes_back(through, value):
    assert through(value) is value


def test_bool_travels_as_a_bool(kernels):
    assert (
        kernels["type_index"](True),
        kernels["cell_bits"](True),
        kernels["cell_bits"](False),
    ) == (BOOL, 1, 0)


FLOATS = [
    0.0,
    1.5,
    0.1,
    -2.5,
    math.inf,
    -math.inf,
    sys.float_info.max,
    sys.float_info.min,
    5e-324,
    -5e-324,
    2.0**53 + 2,
]


@pytest.mark.parametrize("number", FLOATS, ids=str)
def test_float_comes_back(through, number):
    answer = through(number)
    assert type(answer) is float
    assert answer == number


@pytest.mark.parametrize(
    "bits",
    [
        0x8000000000000000,
        0x7FF8000000000000,
        0xFFF8000000000000,
        0x7FF8000000000123,
        0x0000000000000001,
    ],
    ids=["-0", "nan", "-nan", "nan payload", "denormal"],
)
def test_float_keeps_its_bits(kernels, through, bits):
    number = struct.unpack("=d", struct.pack("=Q", bits))[0]
    assert struct.pack("=d", through(number)) == struct.pack("=Q", bits)


@pytest.mark.parametrize("number", FLOATS, ids=str)
def test_float_travels_as_a_float(kernels, number):
    assert kernels["type_index"](number) == FLOAT
    assert kernels["cell_bits"](number) == struct.unpack("=q", struct.pack("=d", number))[0]


def test_none_comes_back(through):
    assert through(None) is None


def test_none_travels_as_none(kernels):
    assert kernels["type_index"](None) == NONE


@pytest.mark.parametrize(
    "number, expected",
    [
        (np.int8(-5), -5),
        (np.int64(2**63 - 1), 2**63 - 1),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.intp(3), 3),
        (Color.RED, 7),
        (Flag.A, 8),
        (MyInt(9), 9),
        (MyInt(2**70), 2**70),
        (Index(5), 5),
        (Index(2**100), 2**100),
    ],
    ids=lambda x: f"{type(x).__name__}({x})" if not isinstance(x, Index) else "index",
)
def test_integer_like_comes_back_as_int(through, number, expected):
    answer = through(number)
    assert type(answer) is int
    assert answer == expected


@pytest.mark.parametrize(
    "number",
    [np.int8(5), np.uint64(5), Color.RED, MyInt(9), Index(5)],
    ids=lambda x: type(x).__name__,
)
def test_integer_like_travels_as_an_int(kernels, number):
    assert kernels["type_index"](number) == INT


@pytest.mark.parametrize(
    "number, expected",
    [
        (np.float16(1.5), 1.5),
        (np.float32(0.1), 0.10000000149011612),
        (np.float64(0.1), 0.1),
        (np.longdouble(1.5), 1.5),
        (ml_dtypes.bfloat16(1.5), 1.5),
        (ml_dtypes.float8_e4m3fn(1.5), 1.5),
        (MyFloat(2.5), 2.5),
        (decimal.Decimal("0.1"), 0.1),
        (fractions.Fraction(1, 4), 0.25),
        (Float(0.5), 0.5),
    ],
    ids=lambda x: type(x).__name__,
)
def test_float_like_comes_back_as_float(through, number, expected):
    answer = through(number)
    assert type(answer) is float
    assert answer == expected


@pytest.mark.parametrize("value", [True, False])
def test_numpy_bool_comes_back_as_bool(through, value):
    assert through(np.bool_(value)) is value


@pytest.mark.parametrize("x", [1j, np.complex64(1 + 2j), np.complex128(1)], ids=repr)
def test_complex_raises_type_error(kernels, x):
    with pytest.raises(TypeError):
        kernels["echo"](x)


@pytest.mark.parametrize("answer", [2.5, "2", None, b"2", 1j, object()], ids=name_of)
def test_index_that_returns_no_int_raises_type_error(kernels, answer):
    with pytest.raises(TypeError):
        kernels["echo"](Index(answer))


@pytest.mark.parametrize("answer", ["2", None, b"2", 1j, object()], ids=name_of)
def test_float_method_that_returns_no_float_raises_type_error(kernels, answer):
    with pytest.raises(TypeError):
        kernels["echo"](Float(answer))
