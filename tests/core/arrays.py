# SPDX-License-Identifier: Apache-2.0
"""Arrays of every element type and shape, for the tests of arrays."""

import math

import ml_dtypes
import numpy as np
import pytest

import tvmgo

NUMPY_NAMES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
ML_NAMES = [
    "bfloat16",
    "float8_e3m4",
    "float8_e4m3",
    "float8_e4m3b11fnuz",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
]
SHAPES = [(), (0,), (1,), (3,), (2, 3), (2, 0, 3), (1, 1, 1), (2, 3, 4, 5), (1,) * 64]

every_dtype = pytest.mark.parametrize("name", NUMPY_NAMES + ML_NAMES)
every_shape = pytest.mark.parametrize(
    "shape", SHAPES, ids=lambda shape: f"{len(shape)}d-{math.prod(shape)}"
)


def numpy_dtype(name):
    return np.dtype(getattr(ml_dtypes, name) if name in ML_NAMES else name)


def sample(name, shape=(2, 3)):
    """An ndarray whose neighbours differ, of any element type."""
    count = int(np.prod(shape, dtype=int))
    return (np.arange(count) % 3 + 1 - (name == "bool")).astype(numpy_dtype(name)).reshape(shape)


def strided(shape=(3, 4), dtype="int32"):
    """A tvmgo array that skips elements, and the ndarray whose memory it shares."""
    whole = np.zeros((shape[0] * 2, shape[1] * 2), dtype)
    whole.flat[:] = np.arange(whole.size)
    part = whole[::2, ::2]  # whose `base` is `whole`
    return tvmgo.from_dlpack(part), part


def assert_same(left, right):
    """Bit for bit, with shape and type."""
    assert left.dtype == right.dtype
    assert left.shape == right.shape
    assert left.tobytes() == right.tobytes()


def read_only(array):
    array.flags.writeable = False
    return array


def type_and_dtype(x):
    dtype = getattr(x, "dtype", getattr(x, "format", ""))
    return f"{type(x).__name__}-{'' if callable(dtype) else dtype}"
