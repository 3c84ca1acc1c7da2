# SPDX-License-Identifier: Apache-2.0
"""Transposed convolutions: every kind of shape, for every kind of vectors."""

import numpy as np
import pytest

from tests.compiler.templates.kernels import (
    TARGETS,
    error,
    normal,
    transposed,
    true_transposed,
)
from tvmgo.compiler.relax.templates.kernels.windows import Windows

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

# batch, height, width, channels, outputs; options; what is beyond the last windows
SHAPES = {
    "as_wide_as_the_stride": ((2, 5, 9, 20, 33), {"window": (2, 2), "strides": (2, 2)}, (0, 0)),
    "overlapping": (
        (1, 4, 7, 6, 16),
        {"window": (4, 3), "strides": (2, 2), "padding": (1, 1, 1, 0)},
        (0, 1),
    ),
    "without_a_stride": ((1, 6, 5, 3, 8), {"window": (3, 3), "padding": (1, 0, 2, 1)}, (0, 0)),
    "wider_stride": ((1, 3, 4, 5, 7), {"window": (2, 1), "strides": (3, 4)}, (2, 3)),
    "dilated": (
        (1, 5, 6, 4, 10),
        {"window": (3, 3), "strides": (2, 3), "dilation": (2, 2), "padding": (1, 2, 0, 3)},
        (1, 0),
    ),
    "padded_away": (
        (1, 5, 5, 4, 4),
        {"window": (2, 2), "strides": (2, 2), "padding": (3, 1, 2, 4)},
        (0, 0),
    ),
    "groups": ((1, 4, 6, 6, 22), {"window": (3, 2), "strides": (2, 2), "groups": 2}, (0, 0)),
    "depthwise": ((2, 4, 9, 19, 19), {"window": (4, 4), "strides": (2, 2), "groups": 19}, (0, 0)),
    "one_row": ((1, 1, 30, 7, 12), {"window": (1, 16), "strides": (1, 8)}, (0, 0)),
}


def size_of_result(windows, beyond):
    sizes = (windows.height, windows.width)
    return tuple(
        (sizes[i] - 1) * windows.strides[i]
        + (windows.window[i] - 1) * windows.dilation[i]
        + (1 + beyond[i] - windows.padding[i] - windows.padding[i + 2])
        for i in range(2)
    )


def case(name, dtype="float32", channels_first=False):
    sizes, options, beyond = SHAPES[name]
    windows = Windows(*sizes, **options, channels_first=channels_first)
    x = normal(windows.batch, windows.channels, windows.height, windows.width, dtype=dtype)
    each = windows.outputs // windows.groups
    weights = normal(windows.channels, each, *windows.window, dtype=dtype)
    return windows, size_of_result(windows, beyond), x, weights


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SHAPES)
def test_transposed_convolution_of_every_kind_of_shape_is_right(name, target):
    arguments = case(name)
    assert error(transposed(*arguments, target), true_transposed(*arguments)) < 2e-6


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-14), ("float16", 1e-3)])
def test_transposed_convolution_of_other_floats_is_right(dtype, tolerance, target):
    arguments = case("overlapping", dtype, channels_first=True)
    assert error(transposed(*arguments, target), true_transposed(*arguments)) < tolerance


@pytest.mark.parametrize("seed", range(8))
def test_transposed_convolution_of_random_shapes_is_right(seed):
    random = np.random.default_rng(seed)
    groups = int(random.choice([1, 1, 2, 5]))
    inner = int(random.choice([1, 3]))
    windows = Windows(
        int(random.integers(1, 3)),
        *map(int, random.integers(1, 14, 2)),
        groups * inner,
        groups * int(random.choice([inner, 9])),
        tuple(map(int, random.integers(1, 6, 2))),
        tuple(map(int, random.integers(1, 5, 2))),
        tuple(map(int, random.integers(1, 4, 2))),
        tuple(map(int, random.integers(0, 3, 4))),
        groups,
    )
    out = tuple(max(1, size) for size in size_of_result(windows, random.integers(0, 2, 2)))
    out = tuple(map(int, out))
    x = normal(windows.batch, windows.channels, windows.height, windows.width)
    weights = normal(windows.channels, windows.outputs // groups, *windows.window)
    truth = true_transposed(windows, out, x, weights)
    result = transposed(windows, out, x, weights, "native")
    assert np.abs(result - truth).max() <= 2e-6 * max(1, np.abs(truth).max()), windows
