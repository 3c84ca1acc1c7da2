# SPDX-License-Identifier: Apache-2.0
"""The register tile over images and matrices: every kind of shape, for every kind of vectors."""

import numpy as np
import pytest

from tests.compiler.templates.kernels import (
    TARGETS,
    convolution,
    error,
    normal,
    silu_of_a_sum,
    to_nhwc,
    true_convolution,
)
from tvmgo.compiler.relax.templates.kernels import convolution as convolution_module
from tvmgo.compiler.relax.templates.kernels.windows import Windows

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

PADDED = {"padding": (1, 1, 1, 1)}

# batch, height, width, channels, outputs; options
SHAPES = {
    "one_pixel": ((1, 1, 1, 1, 1), {}),
    "pointwise": ((1, 5, 7, 24, 32), {}),
    "pointwise_of_a_batch": ((3, 4, 5, 6, 48), {}),
    "pointwise_with_a_stride": ((2, 7, 9, 8, 20), {"strides": (2, 3)}),
    "matrix": ((1, 1, 37, 19, 100), {}),
    "vector": ((1, 1, 1, 70, 1000), {}),
    "weights_larger_than_the_cache": ((1, 1, 9, 700, 300), {}),
    "window": ((1, 9, 40, 5, 35), {"window": (3, 3)}),
    "padded": ((2, 8, 45, 7, 33), {"window": (3, 3), **PADDED}),
    "padded_narrow": ((1, 3, 3, 4, 17), {"window": (3, 3), **PADDED}),
    "padding_larger_than_the_image": (
        (1, 2, 3, 3, 5),
        {"window": (5, 5), "padding": (4, 4, 4, 4)},
    ),
    "padded_unevenly": ((1, 6, 9, 3, 8), {"window": (2, 4), "padding": (1, 0, 0, 3)}),
    "strided": ((1, 23, 31, 3, 24), {"window": (7, 7), "strides": (2, 2), "padding": (3, 3, 3, 3)}),
    "dilated": (
        (1, 13, 33, 4, 20),
        {"window": (3, 3), "dilation": (2, 3), "padding": (2, 3, 2, 3)},
    ),
    "one_row": ((1, 1, 50, 6, 12), {"window": (1, 5), "padding": (0, 2, 0, 2)}),
    "one_column": ((1, 50, 1, 6, 12), {"window": (5, 1), "padding": (2, 0, 2, 0)}),
    "groups": ((1, 6, 20, 8, 48), {"window": (3, 3), "groups": 2, **PADDED}),
    "groups_of_few": ((2, 5, 9, 12, 6), {"window": (3, 3), "groups": 3, **PADDED}),
    "groups_of_one_output": ((1, 5, 9, 12, 4), {"window": (2, 2), "groups": 4}),
    "groups_with_a_tail": ((1, 4, 6, 10, 34), {"groups": 2}),
    "groups_dilated": (
        (1, 9, 11, 6, 40),
        {"window": (3, 3), "groups": 2, "dilation": (1, 2), "padding": (1, 2, 1, 2)},
    ),
}


def case(name, channels_first, dtype="float32"):
    sizes, options = SHAPES[name]
    windows = Windows(*sizes, **options, channels_first=channels_first)
    x = normal(windows.batch, windows.channels, windows.height, windows.width, dtype=dtype)
    shape = (windows.outputs, windows.channels // windows.groups, *windows.window)
    return windows, x, normal(*shape, dtype=dtype)


IN_BOTH_LAYOUTS = ("pointwise_of_a_batch", "padded", "strided", "dilated", "groups_of_few")
CASES = [*((name, False) for name in SHAPES), *((name, True) for name in IN_BOTH_LAYOUTS)]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("name", "channels_first"), CASES)
def test_convolution_of_every_kind_of_shape_is_right(name, channels_first, target):
    windows, x, weights = case(name, channels_first)
    truth = true_convolution(windows, x, weights)
    assert error(convolution(windows, x, weights, target), truth) < 2e-6


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("cached", [1_000_000, 6_000], ids=["rows_outside", "weights_outside"])
@pytest.mark.parametrize(("outputs", "groups"), [(100, 1), (144, 1), (90, 2)])
def test_rows_left_over_are_as_right_as_others(outputs, groups, cached, target, monkeypatch):
    """49 rows are eight tiles of six and a row, which is computed with more weights at once."""
    monkeypatch.setattr(convolution_module, "CACHED", cached)
    windows = Windows(1, 7, 7, 20, outputs, groups=groups)
    x, weights = normal(1, 20, 7, 7), normal(outputs, 20 // groups, 1, 1)
    truth = true_convolution(windows, x, weights)
    assert error(convolution(windows, x, weights, target), truth) < 2e-6


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-14), ("float16", 1e-3)])
def test_convolution_of_other_floats_is_right(dtype, tolerance, target):
    windows, x, weights = case("padded", False, dtype)
    truth = true_convolution(windows, x, weights)
    result = convolution(windows, x, weights, target)
    assert result.dtype == dtype
    assert error(result, truth) < tolerance


# With tiles of several rows and of one, whole and at edges, and with an incomplete last vector.
WITH_EPILOGUE = ("padded", "pointwise_of_a_batch", "vector", "matrix", "groups_of_few")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", WITH_EPILOGUE)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-6), ("float16", 2e-3)])
def test_function_in_an_epilogue_is_right(name, dtype, tolerance, target):
    windows, x, weights = case(name, False, dtype)
    epilogue, operands, finish = silu_of_a_sum(windows.out_shape, dtype)
    truth = finish(to_nhwc(true_convolution(windows, x, weights))).transpose(0, 3, 1, 2)
    result = convolution(windows, x, weights, target, epilogue, operands)
    assert error(result, truth) < tolerance


@pytest.mark.parametrize("target", TARGETS)
def test_float16_is_summed_up_in_float32(target):
    """Of 4096 ones and one 0.5, float16 sums stop at 2048."""
    windows = Windows(1, 1, 1, 4097, 16)
    x = np.ones((1, 4097, 1, 1), "float16")
    x[0, -1] = 4.0
    result = convolution(windows, x, np.ones((16, 4097, 1, 1), "float16"), target)
    assert (result == 4100).all()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", range(6))
def test_convolution_of_random_shapes_is_right(seed, target):
    random = np.random.default_rng(seed)
    groups = int(random.choice([1, 1, 2, 3]))
    window = tuple(map(int, random.integers(1, 5, 2)))
    windows = Windows(
        int(random.integers(1, 3)),
        *map(int, random.integers(window[0] + 3, 24, 1)),
        *map(int, random.integers(2 * window[1] + 3, 40, 1)),
        int(groups * random.integers(1, 12)),
        int(groups * random.integers(1, 40)),
        window,
        tuple(map(int, random.integers(1, 4, 2))),
        tuple(map(int, random.integers(1, 3, 2))),
        tuple(map(int, random.integers(0, 4, 4))),
        groups,
        bool(random.integers(2)),
    )
    x = normal(windows.batch, windows.channels, windows.height, windows.width)
    weights = normal(windows.outputs, windows.channels // groups, *window)
    truth = true_convolution(windows, x, weights)
    assert error(convolution(windows, x, weights, target), truth) < 2e-6, windows


def test_infinity_and_nan_reach_only_the_pixels_that_they_belong_to():
    windows, x, weights = case("padded", False)
    x[1, 3, 4, 20] = np.nan
    result = convolution(windows, x, weights, TARGETS[0].values[0])
    assert np.isnan(result).sum() == 9 * windows.outputs
    assert np.isnan(result[1, :, 3:6, 19:22]).all()
