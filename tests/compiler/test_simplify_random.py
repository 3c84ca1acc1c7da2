# SPDX-License-Identifier: Apache-2.0
"""Operators with shapes, types and attributes drawn by chance: normal form and original, beside.

``DRAWS=200`` draws more of each; the seed is the draw's number.
"""

import os

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from tests.compiler.models import onnx_runtime
from tests.compiler.simplified import one_node
from tvmgo.compiler.simplify.simplifier import simplify

DRAWS = int(os.environ.get("DRAWS", "4"))


class Draw:
    """Values by chance, the same ones for the same number."""

    def __init__(self, number):
        self.random = np.random.RandomState(number)

    def one(self, *choices):
        return choices[self.random.randint(len(choices))]

    def size(self, low=1, high=6):
        return int(self.random.randint(low, high + 1))

    def shape(self, ndim):
        return tuple(self.size() for _ in range(ndim))

    def floats(self, *shape, dtype=np.float32):
        return self.random.standard_normal(shape).astype(dtype)

    def integers(self, *shape, low=-100, high=100, dtype=np.int64):
        return self.random.randint(low, high, shape).astype(dtype)

    def axis(self, ndim):
        return int(self.random.randint(-ndim, ndim))


# Each returns inputs, which of them are constants, and attributes; None for an opset of its own.


def reverse_sequence(draw):
    time = draw.one(0, 1)
    x = draw.floats(*draw.shape(draw.size(2, 4)))
    lengths = draw.integers(x.shape[1 - time], low=1, high=x.shape[time] + 1)
    return [x, lengths], (), {"time_axis": time, "batch_axis": 1 - time}


def one_hot(draw):
    depth = draw.size()
    indices = draw.integers(*draw.shape(draw.size(0, 3)), low=-depth, high=depth)
    values = draw.one(draw.floats(2), draw.integers(2))
    inputs = [indices, np.array(depth, draw.one(np.int64, np.float32)), values]
    return inputs, (1,), {"axis": draw.axis(indices.ndim + 1)}


def power(draw):
    base = draw.one(np.float32, np.float64, np.int32, np.int64)
    exponent = draw.one(np.float32, np.float64, np.int32, np.int64)
    shape = draw.shape(draw.size(0, 3))
    x = draw.integers(*shape, low=1, high=5).astype(base)
    y = draw.integers(*draw.one(shape, ()), low=0, high=4).astype(exponent)
    return [x, y], draw.one((), (1,)), {}


def layer_normalization(draw):
    x = draw.floats(*draw.shape(draw.size(2, 4)))
    axis = draw.axis(x.ndim)
    tail = x.shape[axis % x.ndim :]
    inputs = [x, draw.floats(*tail), draw.floats(*tail)]
    return inputs[: draw.size(2, 3)], (1, 2), {"axis": axis, "epsilon": 1e-3}


def windows(draw, size=2):
    """Draw a picture and attributes of windows that fit into it."""
    kernel = [draw.size(1, 3) for _ in range(size)]
    dilations = [draw.size(1, 2) for _ in range(size)]
    pads = [draw.size(0, k - 1) if k > 1 else 0 for k in kernel * 2]
    picture = draw.floats(
        draw.size(1, 2),
        draw.size(1, 3),
        *((k - 1) * d + 1 + draw.size(0, 4) for k, d in zip(kernel, dilations)),
    )
    attributes = {
        "kernel_shape": kernel,
        "strides": [draw.size(1, 3) for _ in range(size)],
        "pads": pads,
        "dilations": dilations,
    }
    return picture, attributes


def max_pool(draw):
    x, attributes = windows(draw, draw.size(1, 3))
    return [x], (), {**attributes, "storage_order": draw.one(0, 1)}


def average_pool(draw):
    x, attributes = windows(draw, draw.size(1, 3))
    if draw.one(False, True):
        attributes["count_include_pad"] = 1
    return [x], (), attributes


def max_unpool(draw):
    batch, channels, rows, columns = (draw.size(1, 3) for _ in range(4))
    count = batch * channels * rows * columns
    places = draw.random.permutation(4 * count)[:count]
    x = draw.floats(batch, channels, rows, columns)
    indices = places.reshape(x.shape).astype(np.int64)
    return [x, indices], (), {"kernel_shape": [2, 2], "strides": [2, 2]}


def col2im(draw):
    x, attributes = windows(draw, draw.size(1, 3))
    kernel = attributes.pop("kernel_shape")
    half = len(kernel)
    pads, strides, dilations = (attributes[name] for name in ("pads", "strides", "dilations"))
    columns = 1
    for i, size in enumerate(x.shape[2:]):
        reach = (kernel[i] - 1) * dilations[i] + 1
        columns *= (size + pads[i] + pads[i + half] - reach) // strides[i] + 1
    rows = x.shape[1] * int(np.prod(kernel))
    image = np.array(x.shape[2:], np.int64)
    return [draw.floats(x.shape[0], rows, columns), image, np.array(kernel)], (1, 2), attributes


def dft(draw):
    shape = [*draw.shape(draw.size(2, 4)), draw.one(1, 2)]
    axis = draw.size(1, len(shape) - 2) if len(shape) > 2 else 1
    return [draw.floats(*shape)], (), {"axis": axis, "inverse": draw.one(0, 1)}


def stft(draw):
    length, step = draw.size(2, 8), draw.size(1, 4)
    signal = draw.floats(draw.size(1, 2), length + draw.size(0, 20), 1)
    window = draw.one(None, draw.floats(length))
    inputs = [signal, np.array(step), window, np.array(length)]
    return inputs, (1, 3), {"onesided": draw.one(0, 1)}


def eye_like(draw):
    x = draw.one(draw.floats, draw.integers)(*draw.shape(2))
    attributes = draw.one({}, {"dtype": draw.one(1, 6, 7, 11)})
    return [x], (), {**attributes, "k": draw.size(0, 6) - 3}


def resize(draw):
    x = draw.floats(*draw.shape(2), draw.size(4, 7), draw.size(4, 7))
    # No size stays: ONNX Runtime copies a picture whose scales would still move its elements.
    scales = [draw.one(1.6, 0.3) + draw.random.uniform(0, 0.19) for _ in range(2)]
    scales = np.array([1, 1, *scales], np.float32)
    attributes = {
        "mode": draw.one("nearest", "linear", "cubic"),
        "coordinate_transformation_mode": draw.one(
            "half_pixel", "asymmetric", "pytorch_half_pixel"
        ),
        "nearest_mode": draw.one("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"),
        "exclude_outside": draw.one(0, 1),
    }
    if attributes["mode"] != "cubic":
        attributes["exclude_outside"] = 0
    return [x, None, scales], (2,), attributes


def grid_sample(draw):
    x = draw.floats(*draw.shape(2), *(draw.size(2, 5) for _ in range(3)))
    grid = draw.floats(x.shape[0], *draw.shape(3), 3)
    return (
        [x, grid],
        draw.one((), (1,)),
        {
            "mode": draw.one("linear", "nearest"),
            "padding_mode": draw.one("zeros", "border", "reflection"),
            "align_corners": draw.one(0, 1),
        },
    )


def quantize(draw):
    x = draw.floats(*draw.shape(3)) * 100
    axis = draw.size(0, 2)
    count = draw.one((), (x.shape[axis],))
    dtype = draw.one(np.uint8, np.int8, np.uint16, np.int16)
    limits = np.iinfo(dtype)
    zero = draw.integers(*count, low=limits.min, high=limits.max + 1).astype(dtype)
    inputs = [x, np.abs(draw.floats(*count)) + np.float32(0.1), zero]
    return inputs, draw.one((), (1, 2)), {"axis": axis}


def dequantize(draw):
    x, scale, zero = quantize(draw)[0]
    limits = np.iinfo(zero.dtype)
    data = draw.integers(*x.shape, low=limits.min, high=limits.max + 1).astype(zero.dtype)
    axis = list(x.shape).index(zero.size) if zero.ndim else 0
    return [data, scale, zero], draw.one((), (1, 2)), {"axis": axis}


def convolution_transposed(draw):
    x = draw.floats(1, 2, *draw.shape(2))
    kernel = [draw.size(1, 3), draw.size(1, 3)]
    strides = [draw.size(1, 3), draw.size(1, 3)]
    natural = [(n - 1) * s + k for n, s, k in zip(x.shape[2:], strides, kernel)]
    wanted = [size - draw.size(0, min(k - 1, size - 1)) for size, k in zip(natural, kernel)]
    attributes = {"output_shape": wanted, "strides": strides}
    return [x, draw.floats(2, 3, *kernel)], (1,), {**attributes, "auto_pad": "SAME_UPPER"}


# By operator: how it is drawn, how many outputs it has, and the opset.
DRAWN = {
    "AveragePool": (average_pool, 1, 19),
    "Col2Im": (col2im, 1, 18),
    "ConvTranspose": (convolution_transposed, 1, 11),
    "DFT": (dft, 1, 17),
    "DequantizeLinear": (dequantize, 1, 21),
    "EyeLike": (eye_like, 1, 9),
    "GridSample": (grid_sample, 1, 20),
    "LayerNormalization": (layer_normalization, 3, 17),
    "MaxPool": (max_pool, 2, 12),
    "MaxUnpool": (max_unpool, 1, 11),
    "OneHot": (one_hot, 1, 11),
    "Pow": (power, 1, 15),
    "QuantizeLinear": (quantize, 1, 21),
    "Resize": (resize, 1, 18),
    "ReverseSequence": (reverse_sequence, 1, 10),
    "STFT": (stft, 1, 17),
}


WRONG_IN_ONNX_RUNTIME = {"Col2Im"}  # of volumes with gaps in the windows


@pytest.mark.parametrize("number", range(DRAWS))
@pytest.mark.parametrize("operator", DRAWN)
def test_normal_form_computes_what_the_operator_computes(operator, number):
    made, outputs, opset = DRAWN[operator]
    inputs, constants, attributes = made(Draw(number))
    model, values = one_node(
        operator, inputs, outputs, opset=opset, constants=constants, **attributes
    )
    simple = simplify(model, {}, {})
    wrong = operator in WRONG_IN_ONNX_RUNTIME
    truth = ReferenceEvaluator(model).run(None, values) if wrong else evaluated(model, values)
    for result, expected in zip(evaluated(simple, values), truth):
        assert result.dtype == expected.dtype
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def evaluated(model, values):
    try:
        return onnx_runtime(model, values)
    except Exception:  # a type that ONNX Runtime has no kernel for; its classes have no base
        return ReferenceEvaluator(model).run(None, values)
