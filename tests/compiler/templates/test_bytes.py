# SPDX-License-Identifier: Apache-2.0
"""Products of bytes: every kind of shape, sign and instructions, exactly what NumPy's integers say."""

from dataclasses import replace

import numpy as np
import pytest

from tests.compiler.templates.kernels import (
    TARGETS,
    call,
    covered,
    to_nhwc,
    true_convolution,
    unit_of,
)
from tvmgo.compiler.relax.templates.kernels.channelwise import (
    CentredDepthwise,
    ChannelwiseKernel,
    pack_channelwise,
)
from tvmgo.compiler.relax.templates.kernels.convolution import ConvolutionKernel
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue
from tvmgo.compiler.relax.templates.kernels.packing import FOUR, pack_bytes, pack_starts
from tvmgo.compiler.relax.templates.kernels.products import DotProducts
from tvmgo.compiler.relax.templates.kernels.windows import Windows

tvm_ffi = pytest.importorskip("tvm_ffi")

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

RANDOM = np.random.default_rng(11)

VNNI = [
    pytest.param(f"llvm -mcpu={cpu} -mattr={more}", id=f"{cpu}{more}", marks=TARGETS[i].marks)
    for i, cpu, more in ((1, "x86-64-v3", "+avxvnni"), (2, "x86-64-v4", "+avx512vnni"))
]
LINUX_NAMES = {"+avxvnni": "avx_vnni", "+avx512vnni": "avx512_vnni"}
with open("/proc/cpuinfo", encoding="utf-8") as file:
    FLAGS = set(file.read().split())
ALL_TARGETS = [
    *TARGETS,
    *(each for each in VNNI if LINUX_NAMES[each.values[0].rpartition("=")[2]] in FLAGS),
]


def numbers(dtype, *shape):
    """Random ones, and the ends of the type."""
    limits = np.iinfo(dtype)
    values = RANDOM.integers(limits.min, limits.max + 1, shape)
    return np.where(RANDOM.random(shape) < 0.1, RANDOM.choice([limits.min, limits.max]), values)


def byte_convolution(windows, x, weights, target):
    """Return the sums of products as they are; bytes are multiplied without a zero point."""
    unit, signed = unit_of(target), x.dtype == np.int8
    packed = pack_bytes(weights.astype("int32"), windows.groups)
    passes = packed.shape[2] if packed.ndim == 7 else 1
    kernel = ConvolutionKernel(
        replace(windows, channels=windows.channels // FOUR),
        Epilogue(windows.out_shape, "int32"),
        unit,
        DotProducts(unit, signed, passes),
    )
    image = to_nhwc(x)
    function = kernel.emit("kernel", image.shape, str(x.dtype), "int32")
    starts = weights.sum((1, 2, 3)).astype("int32") * (-128 if signed else 0)
    arguments = [image, packed, pack_starts(starts, windows.groups)]
    result = (windows.out_shape, "int32")
    y = call(function, target, result, *arguments)
    return y.transpose(0, 3, 1, 2)


# batch, height, width, channels, outputs; options
SHAPES = {
    "one_pixel": ((1, 1, 1, 4, 1), {}),
    "pointwise": ((2, 5, 7, 24, 35), {}),
    "vector": ((1, 1, 1, 72, 100), {}),
    "window": ((1, 6, 40, 8, 33), {"window": (3, 3)}),
    "strided": ((1, 9, 31, 4, 24), {"window": (3, 5), "strides": (2, 3)}),
    "dilated": ((1, 9, 20, 4, 20), {"window": (3, 3), "dilation": (2, 3)}),
    "groups": ((1, 6, 20, 16, 34), {"window": (3, 3), "groups": 2}),
    "groups_of_few_outputs": ((1, 5, 9, 12, 6), {"window": (2, 2), "groups": 3}),
    "groups_of_one_output": ((1, 5, 9, 12, 3), {"groups": 3}),
}


@pytest.mark.parametrize("target", ALL_TARGETS)
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize("name", SHAPES)
def test_sums_of_bytes_are_exact(name, dtype, target):
    sizes, options = SHAPES[name]
    windows = Windows(*sizes, **options)
    x = numbers(dtype, windows.batch, windows.channels, windows.height, windows.width)
    shape = (windows.outputs, windows.channels // windows.groups, *windows.window)
    weights = numbers("int8", *shape)
    truth = true_convolution(windows, x, weights)
    assert (byte_convolution(windows, x.astype(dtype), weights, target) == truth).all()


@pytest.mark.parametrize("target", ALL_TARGETS)
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_weights_of_nine_bits_are_exact(dtype, target):
    """As uint8 weights are, less their zero point: they are multiplied in parts."""
    windows = Windows(1, 4, 9, 8, 20, (2, 2))
    x = numbers(dtype, 1, 8, 4, 9)
    weights = RANDOM.integers(-255, 256, (20, 8, 2, 2))
    weights[0], weights[1], weights[2] = 255, -255, 128
    truth = true_convolution(windows, x, weights)
    assert (byte_convolution(windows, x.astype(dtype), weights, target) == truth).all()


@pytest.mark.parametrize("target", ALL_TARGETS)
def test_the_largest_products_do_not_saturate(target):
    """Pairs of 255 * 127 are more than 16 bits hold."""
    windows = Windows(1, 1, 3, 64, 16)
    x = np.full((1, 64, 1, 3), 255, "uint8")
    for weight in (127, -128):
        weights = np.full((16, 64, 1, 1), weight)
        assert (byte_convolution(windows, x, weights, target) == 64 * 255 * weight).all()


DEPTHWISE = {
    "padded": ((2, 7, 19, 21), {"window": (3, 3), "padding": (1, 1, 1, 1)}),
    "strided": ((1, 9, 20, 32), {"window": (3, 3), "strides": (2, 2), "padding": (0, 1, 2, 1)}),
    "dilated": ((1, 9, 11, 5), {"window": (3, 2), "dilation": (2, 3), "padding": (2, 0, 2, 3)}),
    "one_column": ((1, 8, 1, 50), {"window": (5, 1), "padding": (2, 0, 2, 0)}),
}


@pytest.mark.parametrize("target", ALL_TARGETS)
@pytest.mark.parametrize(("dtype", "zero"), [("uint8", 0), ("uint8", 255), ("int8", -128)])
@pytest.mark.parametrize("name", DEPTHWISE)
def test_depthwise_convolutions_of_bytes_are_exact(name, dtype, zero, target):
    (batch, height, width, channels), options = DEPTHWISE[name]
    windows = Windows(batch, height, width, channels, channels, groups=channels, **options)
    x = numbers(dtype, batch, channels, height, width).astype(dtype)
    weights = numbers("int8", channels, 1, *windows.window).astype("int8")
    epilogue = Epilogue(windows.out_shape, "int32")
    kernel = ChannelwiseKernel(windows, epilogue, unit_of(target), CentredDepthwise(zero))
    image = to_nhwc(x)
    function = kernel.emit("kernel", image.shape, dtype, "int8")
    arguments = [image, pack_channelwise(weights)]
    result = (windows.out_shape, "int32")
    y = call(function, target, result, *arguments)
    parts = covered(windows, x.astype("int32") - zero, 0)
    truth = (parts * weights.reshape(1, channels, 1, 1, -1)).sum(-1)
    assert (y.transpose(0, 3, 1, 2) == truth).all()
