# SPDX-License-Identifier: Apache-2.0
"""Products with weights of few bits, kernel by kernel, beside NumPy in float64."""

import ml_dtypes
import numpy as np
import pytest

from tests.compiler.templates.kernels import TARGETS, call, normal, unit_of
from tvmgo.compiler.relax.narrow import halves, integers
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue
from tvmgo.compiler.relax.templates.kernels.narrow import NarrowKernel

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

RANDOM = np.random.default_rng(11)


def product(x, what, constants, target):
    specs = [(each.shape, str(each.dtype)) for each in constants]
    shape, dtype = (*x.shape[:-1], what.columns), str(x.dtype)
    kernel = NarrowKernel(what, specs, x.shape[-1], Epilogue(shape, dtype), unit_of(target))
    return call(kernel.emit("kernel", x.shape, dtype), target, (shape, dtype), x, *constants)


def assert_near(result, expected, x, weights):
    most = np.abs(x.astype("float64")) @ np.abs(weights)
    bound = most * 1e-6 if result.dtype == np.float32 else most * 1e-6 + np.abs(expected) * 5e-4
    assert (np.abs(result.astype("float64") - expected) <= bound + 1e-9).all()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("rows", "depth", "columns", "bits", "block", "zeros"),
    [
        ((), 64, 40, 4, 32, "own"),
        ((1,), 64, 96, 4, 16, 8),
        ((1,), 48, 33, 8, 48, 128),
        ((2, 7), 96, 70, 4, 32, "own"),
        ((33,), 32, 16, 2, 16, 1),
        ((5,), 64, 7, 8, 32, "own"),
        ((1,), 128, 5, 2, 64, "own"),
    ],
)
def test_integers(rows, depth, columns, bits, block, zeros, target):
    x = normal(*rows, depth)
    values = RANDOM.integers(0, 1 << bits, (depth, columns)).astype(np.uint8)
    scales = RANDOM.uniform(0.01, 1, (depth // block, columns)).astype(np.float32)
    own = RANDOM.integers(0, 1 << bits, scales.shape)
    zeros = own if zeros == "own" else np.full_like(own, zeros)
    what, constants = integers(values, scales, zeros, bits)
    centred = values.astype("float64") - np.repeat(zeros, block, 0)
    weights = centred * np.repeat(scales, block, 0)
    expected = x.astype("float64") @ weights
    most = np.repeat(scales, block, 0) * float(1 << bits)  # zero points are taken off afterwards
    assert_near(product(x, what, constants, target), expected, x, most)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", ["float16", ml_dtypes.bfloat16])
@pytest.mark.parametrize(("rows", "x_dtype"), [(1, "float32"), (19, "float32"), (3, "float16")])
def test_halves(dtype, rows, x_dtype, target):
    x, weights = normal(rows, 37, dtype=x_dtype), normal(37, 50).astype(dtype)
    weights.flat[:4] = 0, 6e-8, -6e-8, 1e-5  # some that float16 has no exponent for
    what, constants = halves(weights)
    result = product(x, what, constants, target)
    exact = weights.astype("float64")
    assert_near(result, x.astype("float64") @ exact, x, exact)
