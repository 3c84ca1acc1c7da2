# SPDX-License-Identifier: Apache-2.0
"""Templates compiled one by one, for every kind of vectors that this machine has, and what they
should compute, by NumPy in float64."""

from pathlib import Path

import numpy as np
import pytest
import tvm
import tvm_ffi
from tvm import te, tirx

from tests.compiler.guard_pages import guarded_copy
from tvmgo.compiler.relax.codegen.build import NOT_FOR_FLAT, lower
from tvmgo.compiler.relax.codegen.target import resolve_target
from tvmgo.compiler.relax.schedule.intrinsics import ExpandIntrinsics
from tvmgo.compiler.relax.templates.kernels.channelwise import (
    ChannelwiseKernel,
    Depthwise,
    pack_channelwise,
)
from tvmgo.compiler.relax.templates.kernels.convolution import ConvolutionKernel
from tvmgo.compiler.relax.templates.kernels.elementwise import read_elementwise
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue, Inner, Operand, Outer, Step
from tvmgo.compiler.relax.templates.kernels.few_outputs import (
    FewOutputsKernel,
    pack_few_outputs,
)
from tvmgo.compiler.relax.templates.kernels.mapping import MapKernel
from tvmgo.compiler.relax.templates.kernels.matmul import MatmulKernel
from tvmgo.compiler.relax.templates.kernels.packing import pack_weights
from tvmgo.compiler.relax.templates.kernels.transposed import TransposedKernel
from tvmgo.compiler.relax.templates.kernels.vectors import vector_unit
from tvmgo.compiler.relax.templates.kernels.winograd import WinogradKernel
from tvmgo.compiler.relax.templates.kernels.winograd_numbers import pack_winograd

LEVELS = {"x86-64": "sse2", "x86-64-v3": "avx2", "x86-64-v4": "avx512f"}
CPUINFO = Path("/proc/cpuinfo")
FLAGS = CPUINFO.read_text(encoding="utf-8").split() if CPUINFO.exists() else []
TARGETS = [
    pytest.param(
        f"llvm -mcpu={cpu}",
        id=cpu,
        marks=pytest.mark.skipif(feature not in FLAGS, reason=f"this processor lacks {feature}"),
    )
    for cpu, feature in LEVELS.items()
]

RANDOM = np.random.default_rng(7)


def normal(*shape, dtype="float32"):
    return RANDOM.standard_normal(shape).astype(dtype)


def lowered_length(function, target):
    """Return how long the text of a kernel is before LLVM gets it, without what checks arguments.

    TVM may put parts of a kernel into one another, as often as each is used.
    """

    def length(kernel):
        (lowered,) = lower({"f": kernel}, resolve_target(target), "", NOT_FOR_FLAT).values()
        return len(lowered.script())

    return length(function) - length(function.with_body(tirx.Evaluate(0)))


def call(function, target, result, *arguments):
    """Compile a kernel, call it, and return the result; `result` is its shape and element type."""
    return call_all(function, target, [result], *arguments)[0]


def call_all(function, target, results, *arguments):
    """Compile a kernel, call it, and return the results.

    It is called with every tensor first at the end of its pages and then at their beginning: one
    that touches memory outside of its tensors ends the process.
    """
    symbol = "kernel"
    module = tvm.IRModule({symbol: function.with_attr("global_symbol", symbol)})
    with tvm.transform.PassContext(disabled_pass=list(NOT_FOR_FLAT)):
        library = tvm.tirx.build(ExpandIntrinsics()(module), target=resolve_target(target))
    for at_end in (True, False):
        given = [guarded_copy(each, at_end) for each in arguments]
        made = [guarded_copy(unset(*result), at_end) for result in results]
        library[symbol](*map(tvm_ffi.from_dlpack, (*given, *made)))
    return made


def unset(shape, dtype):
    return np.full(shape, np.nan if np.issubdtype(dtype, np.floating) else 99, dtype)


def unit_of(target):
    return vector_unit(resolve_target(target))


def convolution(windows, x, weights, target, epilogue=None, operands=(), squares=0):
    """Run a convolution of an NCHW image; return the result as NCHW.

    `squares` is the size of the squares of Winograd's algorithm, 0 for the plain sum.
    """
    dtype = str(x.dtype)
    epilogue = epilogue or Epilogue(windows.out_shape, dtype)
    image = x if windows.channels_first else to_nhwc(x)
    total = "float32" if dtype == "float16" else dtype
    weights = weights.astype(total)
    if squares:
        kernel = WinogradKernel(windows, epilogue, unit_of(target), squares)
        packed = pack_winograd(weights, squares)
    else:
        kernel = ConvolutionKernel(windows, epilogue, unit_of(target))
        packed = pack_weights(weights, windows.groups, windows.channels_first)
    function = kernel.emit("kernel", image.shape, dtype, total)
    result = (epilogue.whole, epilogue.dtype)
    result = call(function, target, result, image, packed, *operands)
    return result.transpose(0, 3, 1, 2)


def channelwise(windows, x, target, kind, weights=None, epilogue=None, operands=()):
    dtype = str(x.dtype)
    total = "float32" if dtype == "float16" else dtype
    epilogue = epilogue or Epilogue(windows.out_shape, dtype)
    kernel = ChannelwiseKernel(windows, epilogue, unit_of(target), kind)
    image = to_nhwc(x)
    function = kernel.emit("kernel", image.shape, dtype, total)
    packed = [pack_channelwise(weights.astype(total))] if kind is Depthwise else []
    result = (epilogue.whole, dtype)
    result = call(function, target, result, image, *packed, *operands)
    return result.transpose(0, 3, 1, 2)


def few_outputs(windows, x, weights, target, epilogue=None, operands=()):
    dtype = str(x.dtype)
    total = "float32" if dtype == "float16" else dtype
    epilogue = epilogue or Epilogue(windows.out_shape, dtype)
    kernel = FewOutputsKernel(windows, epilogue, unit_of(target))
    image, packed = to_nhwc(x), pack_few_outputs(weights.astype(total))
    function = kernel.emit("kernel", image.shape, dtype, total)
    result = (windows.out_shape, dtype)
    return to_nchw(call(function, target, result, image, packed, *operands))


def to_nchw(x):
    return np.moveaxis(x, -1, 1)


def transposed(windows, out, x, weights, target):
    """Run a transposed convolution of an NCHW image; `out` is height and width of the result."""
    dtype = str(x.dtype)
    total = "float32" if dtype == "float16" else dtype
    shape = (windows.batch, *out, windows.outputs)
    kernel = TransposedKernel(windows, out, Epilogue(shape, dtype), unit_of(target))
    image = x if windows.channels_first else to_nhwc(x)
    function = kernel.emit("kernel", image.shape, dtype, total)
    packed = kernel.pack(weights.astype(total))
    return call(function, target, (shape, dtype), image, packed).transpose(0, 3, 1, 2)


def mapped(x, target, epilogue, operands=(), channels=None, first=0):
    """Run an epilogue by itself, over some channels of an NHWC image."""
    kernel = MapKernel(epilogue, unit_of(target), channels, first)
    function = kernel.emit("kernel", str(x.dtype))
    return call(function, target, (epilogue.whole, epilogue.dtype), x, *operands)


def matmul(a, b, target, epilogue=None, operands=()):
    shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
    dtype = str(a.dtype)
    epilogue = epilogue or Epilogue(shape, dtype)
    kernel = MatmulKernel(a.shape, b.shape, epilogue, unit_of(target))
    return call(kernel.emit("kernel", dtype), target, (shape, dtype), a, b, *operands)


def silu_of_a_sum(shape, dtype):
    """Return an epilogue, its operands, and what it makes of a result in float64.

    It adds a tensor of the result's shape and computes x * sigmoid(x).
    """

    def step(compute, *sources):
        parameters = [te.placeholder(shape, dtype) for _ in sources]
        result = te.compute(shape, lambda *index: compute(*(x(*index) for x in parameters)))
        kernel = read_elementwise(te.create_prim_func([*parameters, result]))
        return Step(kernel.value, dict(zip(kernel.parameters, sources)))

    steps = [
        step(lambda x, y: x + y, Inner(-1), Outer(0)),
        step(lambda x: x * tirx.sigmoid(x), Inner(0)),
    ]
    added = normal(*shape, dtype=dtype)
    operand = Operand(shape, dtype, tuple(range(len(shape))))

    def truth(result):
        x = result + added
        return x / (1 + np.exp(-x))

    return Epilogue(shape, dtype, steps, [operand]), [added], truth


def to_nhwc(x):
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def volume(windows, x, weights, target, kind=None):
    """Run a convolution, or a `kind` of what is channel by channel, of images with a depth."""
    shape = (windows.batch, windows.deep.outputs, *windows.out_shape[1:])
    epilogue, unit = Epilogue(shape, "float32"), unit_of(target)
    flat = weights.reshape(*weights.shape[:2], -1, windows.window[1])
    if kind is None:
        kernel = ConvolutionKernel(windows, epilogue, unit)
        packed = [pack_weights(flat, windows.groups, False)]
    else:
        kernel = ChannelwiseKernel(windows, epilogue, unit, kind)
        packed = [pack_channelwise(flat)] if kind is Depthwise else []
    image = to_nhwc(x)
    function = kernel.emit("kernel", image.shape, "float32", "float32")
    result = call(function, target, (shape, "float32"), image, *packed)
    return np.moveaxis(result, -1, 1)


# What is right


def covered(windows, x, fill):
    """Return what each window covers: (batch, channels, rows, columns, window rows * columns)."""
    top, left, bottom, right = windows.padding
    sides = ((0, 0), (0, 0), (top, bottom), (left, right))
    padded = np.pad(x.astype("float64"), sides, constant_values=fill)
    _, rows, columns, _ = windows.out_shape
    parts = [
        padded[
            :,
            :,
            i * windows.dilation[0] :: windows.strides[0],
            j * windows.dilation[1] :: windows.strides[1],
        ][:, :, :rows, :columns]
        for i in range(windows.window[0])
        for j in range(windows.window[1])
    ]
    return np.stack(parts, -1)


def true_convolution(windows, x, weights):
    parts = covered(windows, x, 0)
    batch, _, rows, columns, taps = parts.shape
    groups = windows.groups
    parts = parts.reshape(batch, groups, -1, rows, columns, taps)
    split = weights.astype("float64").reshape(groups, windows.outputs // groups, -1, taps)
    return np.einsum("ngihwt,goit->ngohw", parts, split).reshape(batch, -1, rows, columns)


def true_transposed(windows, out, x, weights):
    """Add what each pixel of the image gives to each that its window covers in the result."""
    groups, strides, dilation = windows.groups, windows.strides, windows.dilation
    tall, wide = windows.window
    batch, channels, rows, columns = x.shape
    sizes = [  # with all that windows cover, and all that is beyond
        (size - 1) * step + (taps - 1) * apart + 1 + more
        for size, step, taps, apart, more in zip(
            (rows, columns), strides, (tall, wide), dilation, out
        )
    ]
    full = np.zeros((batch, windows.outputs, *sizes))
    parts = x.astype("float64").reshape(batch, groups, channels // groups, rows, columns)
    split = weights.astype("float64").reshape(groups, channels // groups, -1, tall, wide)
    for i in range(tall):
        for j in range(wide):
            part = np.einsum("ngihw,gio->ngohw", parts, split[..., i, j])
            down, along = i * dilation[0], j * dilation[1]
            full[
                :,
                :,
                down : down + (rows - 1) * strides[0] + 1 : strides[0],
                along : along + (columns - 1) * strides[1] + 1 : strides[1],
            ] += part.reshape(batch, -1, rows, columns)
    top, left = windows.padding[:2]
    return full[:, :, top : top + out[0], left : left + out[1]]


def error(result, truth):
    """The largest error, relative to the largest value."""
    assert result.shape == truth.shape
    return np.abs(result - truth).max() / np.abs(truth).max()
