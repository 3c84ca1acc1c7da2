# SPDX-License-Identifier: Apache-2.0
"""Convolutions and pools over three axes, for every kind of vectors."""

import itertools

import numpy as np
import pytest

from tests.compiler.templates.kernels import TARGETS, error, normal, volume
from tvmgo.compiler.relax.templates.kernels.channelwise import Average, Depthwise, Maximum
from tvmgo.compiler.relax.templates.kernels.windows import Deep, Windows

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

# batch, height, width, channels, outputs; options
SHAPES = {
    "pointwise": ((2, 3, 4, 7, 9), {"deep": Deep(5)}),
    "window": ((1, 5, 20, 6, 33), {"window": (3, 3), "deep": Deep(4, 2)}),
    "padded": (
        (2, 4, 9, 5, 16),
        {"window": (3, 3), "padding": (1, 1, 1, 1), "deep": Deep(5, 3, before=1, behind=1)},
    ),
    "only_deep": ((2, 1, 7, 3, 4), {"deep": Deep(6, 3, 2, 2, 1, 2)}),
    "groups": (
        (1, 6, 8, 6, 22),
        {"window": (2, 3), "strides": (2, 1), "groups": 2, "deep": Deep(7, 2, 3, 1, 0, 1)},
    ),
    "channelwise": (
        (2, 5, 9, 19, 19),
        {"window": (3, 2), "groups": 19, "padding": (1, 0, 0, 1), "deep": Deep(4, 3, 1, 2, 3, 1)},
    ),
}
DENSE = [name for name in SHAPES if name != "channelwise"]


def case(name):
    sizes, options = SHAPES[name]
    windows = Windows(*sizes, **options)
    deep, groups = windows.deep, windows.groups
    x = normal(windows.batch, windows.channels, deep.size, windows.height, windows.width)
    weights = normal(windows.outputs, windows.channels // groups, deep.window, *windows.window)
    return windows, x, weights


def covered(windows, x, fill):
    """Yield each tap of the window and what lies under it, for all pixels of the result."""
    deep, (top, left, bottom, right) = windows.deep, windows.padding
    sides = ((0, 0), (0, 0), (deep.before, deep.behind), (top, bottom), (left, right))
    padded = np.pad(x.astype("float64"), sides, constant_values=fill)
    outputs = (deep.outputs, windows.out_height, windows.out_width)
    for tap in itertools.product(range(deep.window), *map(range, windows.window)):
        part = padded
        for axis, (at, apart, stride) in enumerate(
            zip(tap, (deep.dilation, *windows.dilation), (deep.stride, *windows.strides))
        ):
            places = at * apart + stride * np.arange(outputs[axis])
            part = part.take(places, axis + 2)
        yield tap, part


def true_convolution(windows, x, weights):
    groups = windows.groups
    split = weights.astype("float64").reshape(groups, windows.outputs // groups, *weights.shape[1:])
    total = 0
    for tap, part in covered(windows, x, 0):
        part = part.reshape(windows.batch, groups, -1, *part.shape[2:])
        total = total + np.einsum("ngidhw,goi->ngodhw", part, split[..., tap[0], tap[1], tap[2]])
    return total.reshape(windows.batch, windows.outputs, *total.shape[3:])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", DENSE)
def test_convolution_of_a_volume_is_right(name, target):
    windows, x, weights = case(name)
    assert error(volume(windows, x, weights, target), true_convolution(windows, x, weights)) < 2e-6


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_channel_by_channel_is_right(target):
    windows, x, weights = case("channelwise")
    truth = true_convolution(windows, x, weights)
    assert error(volume(windows, x, weights, target, Depthwise), truth) < 2e-6
    largest = np.max([part for _, part in covered(windows, x, -np.inf)], 0)
    assert (volume(windows, x, weights, target, Maximum) == largest.astype("float32")).all()
    parts = np.stack([part for _, part in covered(windows, x, np.nan)])
    assert error(volume(windows, x, weights, target, Average), np.nanmean(parts, 0)) < 2e-6
