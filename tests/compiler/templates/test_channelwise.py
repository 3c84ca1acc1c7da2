# SPDX-License-Identifier: Apache-2.0
"""Depthwise convolutions and pools, for every kind of vectors."""

import numpy as np
import pytest

from tests.compiler.templates.kernels import (
    TARGETS,
    channelwise,
    covered,
    error,
    normal,
    true_convolution,
)
from tvmgo.compiler.relax.templates.kernels.channelwise import (
    Average,
    Depthwise,
    Maximum,
    PaddedAverage,
)
from tvmgo.compiler.relax.templates.kernels.windows import Windows

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

# batch, height, width, channels, channels; options
SHAPES = {
    "window": ((1, 9, 33, 16, 16), {"window": (3, 3), "padding": (1, 1, 1, 1)}),
    "tail": ((2, 8, 10, 21, 21), {"window": (3, 3), "padding": (1, 1, 1, 1)}),
    "few_channels": ((1, 8, 20, 3, 3), {"window": (2, 2), "strides": (2, 2)}),
    "strided": (
        (1, 15, 30, 40, 40),
        {"window": (5, 3), "strides": (2, 2), "padding": (2, 1, 2, 1)},
    ),
    "dilated": (
        (1, 15, 30, 17, 17),
        {"window": (3, 3), "dilation": (2, 2), "padding": (2, 2, 2, 2)},
    ),
    "wide": ((1, 4, 60, 8, 8), {"window": (1, 40), "padding": (0, 3, 0, 5)}),
    "whole_image": ((2, 7, 7, 50, 50), {"window": (7, 7)}),
}


def case(name, dtype="float32"):
    sizes, options = SHAPES[name]
    windows = Windows(*sizes, **options, groups=sizes[3])
    return windows, normal(windows.batch, windows.channels, *sizes[1:3], dtype=dtype)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SHAPES)
def test_depthwise_convolution_is_right(name, target):
    windows, x = case(name)
    weights = normal(windows.channels, 1, *windows.window)
    truth = true_convolution(windows, x, weights)
    assert error(channelwise(windows, x, target, Depthwise, weights), truth) < 2e-6


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SHAPES)
def test_largest_value_is_right_to_the_bit(name, target):
    windows, x = case(name)
    truth = covered(windows, x, -np.inf).max(-1)
    np.testing.assert_array_equal(channelwise(windows, x, target, Maximum), truth)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SHAPES)
def test_means_with_and_without_the_padding_are_right(name, target):
    windows, x = case(name)
    truth = np.nanmean(covered(windows, x, np.nan), -1)
    assert error(channelwise(windows, x, target, Average), truth) < 2e-6
    truth = covered(windows, x, 0).mean(-1)
    assert error(channelwise(windows, x, target, PaddedAverage), truth) < 2e-6


@pytest.mark.parametrize("target", TARGETS)
def test_largest_value_is_nan_if_one_is(target):
    windows, x = case("tail")
    x[0, 20, 3, 4] = np.nan
    x[1, 2, 0, 0] = -np.inf
    truth = covered(windows, x, -np.inf).max(-1)  # of NumPy, which keeps NaN
    assert np.isnan(truth).sum() == 9
    np.testing.assert_array_equal(channelwise(windows, x, target, Maximum), truth)


@pytest.mark.parametrize("kind", [Depthwise, Maximum, Average])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-14), ("float16", 1e-3)])
def test_other_floats_are_right(dtype, tolerance, kind):
    windows, x = case("tail", dtype)
    weights = normal(windows.channels, 1, *windows.window, dtype=dtype)
    truth = {
        Depthwise: lambda: true_convolution(windows, x, weights),
        Maximum: lambda: covered(windows, x, -np.inf).max(-1),
        Average: lambda: np.nanmean(covered(windows, x, np.nan), -1),
    }[kind]()
    result = channelwise(windows, x, TARGETS[0].values[0], kind, weights)
    assert result.dtype == dtype
    assert error(result, truth) < tolerance
