# SPDX-License-Identifier: Apache-2.0
"""Convolutions and products with few outputs, for every kind of vectors."""

import pytest

from tests.compiler.templates.kernels import (
    TARGETS,
    error,
    few_outputs,
    normal,
    silu_of_a_sum,
    to_nhwc,
    true_convolution,
)
from tvmgo.compiler.relax.templates.kernels.windows import Windows

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

# batch, height, width, channels, outputs; options
SHAPES = {
    "vector": ((1, 1, 1, 70, 1), {}),
    "matrix": ((1, 1, 37, 32, 3), {}),
    "pointwise_of_a_batch": ((3, 4, 5, 17, 2), {}),
    "padded": ((2, 7, 21, 33, 1), {"window": (3, 3), "padding": (1, 1, 1, 1)}),
    "strided": ((1, 9, 12, 16, 4), {"window": (2, 3), "strides": (2, 3), "padding": (0, 1, 1, 0)}),
    "dilated": (
        (1, 9, 25, 20, 3),
        {"window": (3, 3), "dilation": (2, 3), "padding": (2, 3, 2, 3)},
    ),
    "fewer_than_a_vector": ((1, 3, 10, 5, 2), {"window": (1, 3)}),
}


def case(name, dtype="float32"):
    sizes, options = SHAPES[name]
    windows = Windows(*sizes, **options)
    x = normal(windows.batch, windows.channels, windows.height, windows.width, dtype=dtype)
    return windows, x, normal(windows.outputs, windows.channels, *windows.window, dtype=dtype)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SHAPES)
def test_convolution_with_few_outputs_is_right(name, target):
    arguments = case(name)
    assert error(few_outputs(*arguments, target), true_convolution(*arguments)) < 2e-6


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float64", 1e-14), ("float32", 2e-6), ("float16", 2e-3)]
)
def test_epilogue_of_few_outputs_is_right(dtype, tolerance, target):
    windows, x, weights = case("padded", dtype)
    epilogue, operands, finish = silu_of_a_sum(windows.out_shape, dtype)
    truth = finish(to_nhwc(true_convolution(windows, x, weights))).transpose(0, 3, 1, 2)
    result = few_outputs(windows, x, weights, target, epilogue, operands)
    assert error(result, truth) < tolerance
