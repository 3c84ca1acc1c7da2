# SPDX-License-Identifier: Apache-2.0
"""Running sums and products along an axis in front of others."""

import operator

import numpy as np
import pytest

from tests.compiler.templates.kernels import TARGETS, call, normal, unit_of
from tvmgo.compiler.relax.templates.kernels.scanning import ScanKernel

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

# Shape, axis
SHAPES = [((9, 16), 0), ((3, 7, 37), 1), ((2, 5, 3, 11), 1), ((4, 1, 70), 1), ((1, 3, 5), 1)]


def scan(shape, axis, x, target, dtype, exclusive=False, combine=operator.add):
    identity = 0 if combine is operator.add else 1
    kernel = ScanKernel(shape, axis, combine, identity, exclusive, unit_of(target))
    function = kernel.emit("kernel", str(x.dtype), dtype)
    return call(function, target, (shape, dtype), x)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_running_sum_is_right(shape, axis, target):
    x = normal(*shape)
    truth = np.cumsum(x.astype("float64"), axis)
    for exclusive, expected in ((False, truth), (True, truth - x)):
        result = scan(shape, axis, x, target, "float32", exclusive)
        np.testing.assert_allclose(result, expected, atol=1e-5)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("types", [("int32", "int64"), ("int64", "int64"), ("int32", "float64")])
def test_running_product_of_other_types_is_right(types, target):
    x = np.random.default_rng(1).integers(-3, 4, (2, 6, 19)).astype(types[0])
    result = scan(x.shape, 1, x, target, types[1], combine=operator.mul)
    np.testing.assert_array_equal(result, np.cumprod(x.astype(types[1]), 1))
