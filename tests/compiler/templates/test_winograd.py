# SPDX-License-Identifier: Apache-2.0
"""Winograd's convolutions: the algebra, every kind of shape, and when they are chosen."""

import numpy as np
import pytest

from tests.compiler.templates.kernels import (
    TARGETS,
    convolution,
    error,
    normal,
    true_convolution,
)
from tvmgo.compiler.relax.templates.kernels import winograd
from tvmgo.compiler.relax.templates.kernels.windows import Windows
from tvmgo.compiler.relax.templates.kernels.winograd import best_outputs
from tvmgo.compiler.relax.templates.kernels.winograd_numbers import numbers_for, pack_winograd

pytestmark = pytest.mark.apache_tvm
builds = pytest.mark.slow

PADDED = (1, 1, 1, 1)

# batch, height, width, channels, outputs; padding
SHAPES = {
    "whole_squares": ((1, 8, 12, 16, 16), PADDED),
    "parts_of_squares": ((1, 9, 11, 32, 48), PADDED),
    "one_pixel": ((1, 1, 1, 16, 16), PADDED),
    "one_row": ((1, 1, 21, 16, 17), PADDED),
    "one_column": ((1, 21, 1, 17, 16), PADDED),
    "channels_that_fill_no_vector": ((1, 6, 7, 19, 37), PADDED),
    "few_channels": ((1, 6, 6, 3, 5), PADDED),
    "batch": ((3, 5, 6, 20, 24), PADDED),
    "no_padding": ((2, 7, 10, 16, 16), (0, 0, 0, 0)),
    "padded_unevenly": ((1, 6, 9, 16, 16), (0, 2, 1, 3)),
    "padding_larger_than_the_image": ((1, 2, 3, 16, 16), (7, 9, 8, 10)),
    "one_pixel_of_padding": ((1, 5, 5, 16, 16), (0, 9, 0, 0)),
    "squares_left_over": ((1, 28, 28, 16, 48), PADDED),
    "many_channels": ((1, 10, 10, 130, 70), PADDED),
}


def case(name, dtype="float32"):
    (batch, height, width, channels, outputs), padding = SHAPES[name]
    windows = Windows(batch, height, width, channels, outputs, (3, 3), padding=padding)
    x = normal(batch, channels, height, width, dtype=dtype)
    return windows, x, normal(outputs, channels, 3, 3, dtype=dtype)


@pytest.mark.parametrize("outputs", [2, 4])
def test_algebra_computes_a_convolution(outputs):
    numbers = numbers_for(outputs)
    x, w = normal(numbers.size, dtype="float64"), normal(3, dtype="float64")
    y = numbers.at @ ((numbers.g @ w) * (numbers.bt @ x))
    np.testing.assert_allclose(y, np.correlate(x, w), rtol=1e-12)


@pytest.mark.parametrize("outputs", [2, 4])
def test_packed_weights_are_rounded_once(outputs):
    weights = normal(20, 5, 3, 3)
    packed = pack_winograd(weights, outputs)
    g = numbers_for(outputs).g
    truth = np.einsum("pi,ocij,qj->pqoc", g, weights.astype("float64"), g)
    assert packed.shape == ((outputs + 2) ** 2, 2, 5, 16)
    rows = packed.transpose(0, 1, 3, 2).reshape(outputs + 2, outputs + 2, 32, 5)
    np.testing.assert_array_equal(rows[:, :, :20], truth.astype("float32"))
    assert not rows[:, :, 20:].any()


@builds
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("squares", [2, 4])
@pytest.mark.parametrize("name", SHAPES)
def test_every_kind_of_shape_is_right(name, squares, target):
    windows, x, weights = case(name)
    result = convolution(windows, x, weights, target, squares=squares)
    assert error(result, true_convolution(windows, x, weights)) < 3e-6


@builds
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("cached", [1, 60_000], ids=["row_by_row", "rows_left_over"])
def test_blocks_of_squares_together_are_the_whole(cached, target, monkeypatch):
    monkeypatch.setattr(winograd, "CACHED", cached)
    monkeypatch.setattr(winograd, "FEWEST_SQUARES", 1)
    windows = Windows(2, 26, 17, 16, 16, (3, 3), padding=PADDED)
    x, weights = normal(2, 16, 26, 17), normal(16, 16, 3, 3)
    result = convolution(windows, x, weights, target, squares=4)
    assert error(result, true_convolution(windows, x, weights)) < 2e-6


@builds
@pytest.mark.parametrize("squares", [2, 4])
def test_float16_is_summed_up_in_float32(squares):
    windows, x, weights = case("parts_of_squares", "float16")
    result = convolution(windows, x, weights, TARGETS[0].values[0], squares=squares)
    assert result.dtype == "float16"
    assert error(result, true_convolution(windows, x, weights)) < 1e-3


@builds
def test_deep_sums_are_as_exact_as_promised():
    """1e-5 of the largest output is the limit for networks; a layer keeps half of it."""
    windows = Windows(1, 28, 28, 512, 32, (3, 3), padding=PADDED)
    random = np.random.default_rng(7)
    x = np.maximum(random.standard_normal((1, 512, 28, 28), "float32"), 0)
    weights = random.standard_normal((32, 512, 3, 3), "float32")
    truth = true_convolution(windows, x, weights)
    for squares in (2, 4):
        result = convolution(windows, x, weights, TARGETS[0].values[0], squares=squares)
        assert error(result, truth) < 5e-6


def sized(size, channels, outputs, **options):
    return Windows(1, size, size, channels, outputs, (3, 3), padding=PADDED, **options)


def test_squares_are_as_large_as_pays():
    assert best_outputs(sized(56, 64, 64)) == 4
    assert (
        best_outputs(sized(14, 256, 256)) == 2
    )  # the weights of larger ones cost more than they save
    assert best_outputs(sized(7, 512, 512)) == 0


@pytest.mark.parametrize(
    "windows",
    [
        sized(56, 64, 64, strides=(2, 2)),
        sized(56, 64, 64, dilation=(2, 2)),
        sized(56, 64, 64, groups=2),
        sized(56, 8, 64),
        sized(56, 64, 8),
        sized(56, 64, 64, channels_first=True),
        Windows(1, 56, 56, 64, 64, (5, 5)),
        Windows(1, 56, 56, 64, 64, (3, 1)),
    ],
)
def test_other_convolutions_have_none(windows):
    assert best_outputs(windows) == 0
