# SPDX-License-Identifier: Apache-2.0
"""Parts of networks: which kernels are made of them, and that they compute the same."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from tests.compiler.models import (
    FLOAT,
    assert_same,
    functions,
    normal,
    onnx_model,
    onnx_runtime,
    read_graph,
    run,
)
from tests.compiler.templates.kernels import TARGETS, error, true_convolution
from tvmgo.compiler import export
from tvmgo.compiler.relax.templates.kernels.windows import Windows

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]


class Net:
    """An ONNX model under construction."""

    def __init__(self, *shape):
        self.nodes, self.weights, self.shape = [], {}, shape

    def add(self, operator, *inputs, **attributes):
        names = []
        for value in inputs:
            if not isinstance(value, str):
                name = f"w{len(self.weights)}"
                self.weights[name] = value
                value = name
            names.append(value)
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [name], **attributes))
        return name

    def conv(self, x, outputs, inputs, size=3, **attributes):
        attributes.setdefault("pads", [size // 2] * 4)
        weights = normal(outputs, inputs, size, size) / (inputs * size * size) ** 0.5
        return self.add("Conv", x, weights, normal(outputs), **attributes)

    def model(self, *outputs):
        return onnx_model(
            self.nodes,
            {"x": (FLOAT, self.shape)},
            dict.fromkeys(outputs, (FLOAT, None)),
            self.weights,
        )


def residual():
    net = Net(2, 6, 9, 11)
    first = net.add("Relu", net.conv("x", 20, 6))
    second = net.conv(net.add("Relu", net.conv(first, 20, 20)), 20, 20)
    return net.model(net.add("Relu", net.add("Add", second, first))), 3


def residual_with_a_convolution():
    net = Net(1, 5, 8, 8)
    main = net.conv(net.add("Relu", net.conv("x", 12, 5)), 18, 12, strides=[2, 2])
    side = net.conv("x", 18, 5, size=1, strides=[2, 2])
    return net.model(net.add("Relu", net.add("Add", main, side))), 3


def hard_swish():
    net = Net(1, 3, 12, 12)
    first = net.conv("x", 21, 3)
    return net.model(net.add("HardSwish", first)), 1


def clip_and_batch_norm():
    net = Net(1, 3, 12, 12)
    first = net.add("Conv", "x", normal(10, 3, 3, 3))
    numbers = [normal(10), normal(10), normal(10), np.abs(normal(10)) + 0.5]
    normed = net.add("BatchNormalization", first, *numbers)
    return net.model(net.add("Clip", normed, np.float32(-0.5), np.float32(2))), 1


def activations():
    """Functions that no instruction computes, some of several steps, between products."""
    net = Net(1, 3, 9, 11)
    x = net.conv("x", 20, 3)
    x = net.conv(net.add("Mul", x, net.add("Sigmoid", x)), 20, 20)
    x = net.conv(net.add("Softplus", x), 20, 1, group=20)
    x = net.conv(net.add("Tanh", x), 20, 20)
    x = net.conv(net.add("PRelu", x, normal(20, 1, 1)), 20, 20)
    mish = net.add("Mul", x, net.add("Tanh", net.add("Softplus", x)))
    x = net.conv(mish, 20, 20)
    x = net.conv(net.add("Elu", x), 20, 20)
    x = net.conv(net.add("Sum", x, net.add("Softsign", x), x), 20, 20)
    return net.model(net.add("ThresholdedRelu", x)), 8


def gelu():
    net = Net(7, 24)
    x = net.add("Add", net.add("MatMul", "x", normal(24, 40) / 5), normal(40))
    erf = net.add("Erf", net.add("Div", x, np.float32(2**0.5)))
    x = net.add("Mul", net.add("Mul", x, net.add("Sum", erf, np.float32(1))), np.float32(0.5))
    x = net.add("Add", net.add("MatMul", x, normal(40, 33) / 6), normal(33))
    cube = net.add("Mul", net.add("Pow", x, np.float32(3)), np.float32(0.044715))
    tanh = net.add("Tanh", net.add("Mul", net.add("Add", x, cube), np.float32(0.79788456)))
    gate = net.add("Mul", net.add("Add", tanh, np.float32(1)), np.float32(0.5))
    return net.model(net.add("Mul", x, gate)), 2


def wanted_twice():
    """The convolution itself is an output, so that nothing is computed with it."""
    net = Net(1, 3, 12, 12)
    first = net.conv("x", 8, 3)
    return net.model(first, net.add("Relu", first)), None


def squeeze_and_excite():
    net = Net(2, 24, 7, 9)
    image = net.add("Relu", net.conv("x", 24, 1, group=24))
    gate = net.add("GlobalAveragePool", image)
    gate = net.conv(net.add("Relu", net.conv(gate, 6, 24, size=1)), 24, 6, size=1)
    gate = net.add("HardSigmoid", gate)
    return net.model(net.conv(net.add("Mul", image, gate), 8, 24, size=1)), None


def normalised_before():
    """Elementwise kernels of an image that is NHWC: one kernel, though no product is before them."""
    net = Net(2, 3, 5, 6)
    first = net.conv("x", 21, 3)
    second = net.conv("x", 3, 3, size=1)
    image = net.add("Concat", first, second, "x", axis=1)
    numbers = [normal(27), normal(27), normal(27), np.abs(normal(27)) + 0.5]
    image = net.add("Relu", net.add("BatchNormalization", image, *numbers))
    return net.model(net.conv(image, 8, 27, size=1)), None


def concatenation():
    net = Net(1, 16, 9, 9)
    parts = [net.conv("x", 8, 16, size=1), net.conv("x", 20, 16), "x"]
    joined = net.add("Concat", *parts, axis=1)
    return net.model(net.conv(joined, 16, 44, size=1)), None


def joined():
    """Kernels of three templates write into one image; nothing is copied."""
    net = Net(2, 20, 9, 11)
    first = net.add("Relu", net.conv("x", 20, 20, size=1))
    parts = [net.conv(first, 19, 20), net.add("Relu", net.conv(first, 7, 20, size=5))]
    parts.append(net.add("MaxPool", first, kernel_shape=[3, 3], pads=[1] * 4))
    return net.model(net.conv(net.add("Concat", *parts, axis=1), 8, 46, size=1)), 5


def dense(nested):
    """Each layer reads all before it, as torchvision says it, or as Caffe did."""

    def make():
        net = Net(1, 20, 7, 6)
        parts = [net.conv("x", 24, 20)]
        image = parts[0]
        for _ in range(3):
            numbers = [normal(64)[: 24 + 12 * (len(parts) - 1)] for _ in range(3)]
            scaled = net.add(
                *("BatchNormalization", image, *numbers, np.abs(numbers[0]) + 0.5),
            )
            inputs = 24 + 12 * (len(parts) - 1)
            hidden = net.add("Relu", net.conv(net.add("Relu", scaled), 20, inputs, size=1))
            parts.append(net.conv(hidden, 12, 20))
            image = net.add("Concat", *([image, parts[-1]] if nested else parts), axis=1)
        return net.model(net.conv(image, 8, 60, size=1)), 11

    make.__name__ = "dense_nested" if nested else "dense"
    return make


def joined_and_read_by_others():
    """Parts that others read, too; the same part twice; a part that no template computes."""
    net = Net(1, 20, 6, 8)
    one, two = net.conv("x", 20, 20), net.conv("x", 24, 20)
    pooled = net.add("AveragePool", one, kernel_shape=[2, 2])
    turned = net.add("Transpose", "x", perm=[0, 1, 2, 3])
    image = net.add("Concat", one, two, one, turned, axis=1)
    again = net.add("Concat", two, one, net.conv(two, 5, 24), axis=1)
    ends = [net.conv(image, 9, 84), net.conv(again, 6, 49, size=1), net.add("Relu", two)]
    return net.model(*ends, net.conv(pooled, 4, 20, size=1)), None


def skipped():
    """As in a U-Net: written early, read at once, and at the end."""
    net = Net(1, 16, 12, 12)
    early = net.add("Relu", net.conv("x", 32, 16))
    low = net.add("MaxPool", early, kernel_shape=[2, 2], strides=[2, 2])
    low = net.add("Relu", net.conv(low, 20, 32))
    high = net.add("Resize", low, "", np.array([1, 1, 2, 2], "f4"), mode="nearest")
    return net.model(net.conv(net.add("Concat", early, high, axis=1), 6, 52)), None


def joined_output():
    """What is joined is an output, and so are a part and what is NHWC."""
    net = Net(1, 20, 5, 7)
    parts = [net.conv("x", 20, 20), net.conv("x", 12, 20, size=1), net.conv("x", 9, 20)]
    inner = net.add("Concat", *parts[:2], axis=1)
    image = net.add("Concat", inner, parts[2], axis=1)
    gate = net.add("Flatten", net.add("GlobalMaxPool", inner))
    small = net.add(
        "Concat",
        net.conv(net.add("GlobalAveragePool", inner), 4, 32, size=1),
        net.conv(net.add("GlobalAveragePool", image), 5, 41, size=1),
        axis=1,
    )
    flat = net.add("Reshape", small, np.array([9]))
    return net.model(
        image, parts[1], net.add("Transpose", inner, perm=[0, 2, 3, 1]), gate, flat
    ), None


def pools():
    net = Net(1, 3, 20, 20)
    image = net.conv("x", 20, 3)
    largest = net.add("MaxPool", image, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    rounded = net.add("MaxPool", image, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    mean = net.add("AveragePool", image, kernel_shape=[2, 3], strides=[2, 2], pads=[0, 1, 1, 1])
    padded = net.add(
        *("AveragePool", image), kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1
    )
    return net.model(*(net.conv(each, 4, 20) for each in (largest, rounded, mean, padded))), None


def before_and_behind_in_nhwc():
    net = Net(1, 10, 12, 5)
    image = net.add("Transpose", "x", perm=[0, 3, 1, 2])
    image = net.add("Relu", net.conv(image, 12, 5))
    return net.model(net.add("Transpose", image, perm=[0, 2, 3, 1])), 1


def padding_wider_than_tiles():
    net = Net(1, 4, 40, 40)
    image = net.conv("x", 8, 4, pads=[18] * 4, dilations=[18, 18])
    return net.model(net.conv(image, 8, 1, group=8, pads=[12] * 4, dilations=[12, 12])), None


def depth_multiplier():
    net = Net(1, 6, 9, 9)
    return net.model(net.conv("x", 18, 1, group=6)), None


def classifier():
    net = Net(3, 5, 4, 4)
    features = net.add("Flatten", net.conv("x", 8, 5))
    hidden = net.add("Gemm", features, normal(40, 128) / 11, normal(40), transB=1, alpha=0.5)
    hidden = net.add("Relu", hidden)
    return net.model(net.add("MatMul", hidden, normal(40, 10) / 6)), None


def products():
    net = Net(2, 3, 10, 8)
    scores = net.add("MatMul", "x", net.add("Transpose", "x", perm=[0, 1, 3, 2]))
    scores = net.add("Add", net.add("Div", scores, np.float32(3)), normal(2, 1, 1, 10))
    values = net.add("MatMul", scores, "x")
    return net.model(net.add("Add", net.add("MatMul", values, normal(8, 5)), normal(10, 1))), None


def broadcast_operands():
    """Operands that follow each of the axes, and several of them."""
    net = Net(2, 4, 6, 5)
    image = net.conv("x", 7, 4)
    for shape in ((7, 1, 1), (5,), (6, 1), (2, 1, 1, 1), (2, 7, 1, 5), (1, 1, 6, 5), (2, 7, 6, 5)):
        image = net.add("Mul" if len(shape) % 2 else "Add", image, normal(*shape))
    return net.model(image), 1


def one_axis():
    """Convolutions over time: plain, grouped, strided, dilated further than tiles, depthwise."""
    net = Net(2, 3, 50)

    def conv(x, outputs, inputs, size, **attributes):
        weights = normal(outputs, inputs, size) / (inputs * size) ** 0.5
        return net.add("Conv", x, weights, normal(outputs), **attributes)

    first = net.add("Relu", conv("x", 20, 3, 5, pads=[2, 2]))
    second = conv(first, 20, 20, 3, pads=[1, 1])
    x = net.add("Mul", net.add("Add", second, first), normal(20, 1))
    x = conv(x, 24, 5, 4, group=4, strides=[2], pads=[0, 3])
    x = conv(x, 24, 1, 3, group=24, pads=[9, 9], dilations=[9])
    x = net.add("Concat", x, conv(x, 7, 24, 1), axis=1)
    x = net.add("MaxPool", x, kernel_shape=[3], strides=[2], pads=[1, 1])
    x = net.add("AveragePool", conv(x, 18, 31, 3, pads=[20, 20], dilations=[20]), kernel_shape=[2])
    return net.model(net.add("GlobalAveragePool", x)), None


def transposed():
    """Strides with and without windows that are as wide, dilation, groups, padding, what is beyond."""
    net = Net(2, 20, 7, 9)

    def conv(x, inputs, outputs, size, **attributes):
        weights = normal(inputs, outputs, *size) / (inputs * size[0]) ** 0.5
        each = outputs * attributes.get("group", 1)
        return net.add("ConvTranspose", x, weights, normal(each), **attributes)

    x = net.add("Relu", conv("x", 20, 33, (2, 2), strides=[2, 2]))
    x = net.add("Sigmoid", conv(x, 33, 6, (4, 3), strides=[2, 1], pads=[1, 1, 1, 1]))
    more = {"output_padding": [0, 1], "strides": [1, 2]}
    x = conv(x, 6, 5, (3, 3), group=2, pads=[2, 0, 1, 3], **more)
    x = conv(x, 10, 1, (3, 3), group=10, strides=[2, 2], dilations=[2, 1])
    x = conv(x, 10, 3, (1, 2), strides=[3, 3], pads=[0, 0, 0, 1], output_padding=[2, 1])
    return net.model(conv(x, 3, 4, (3, 3), strides=[2, 3], dilations=[3, 2], pads=[5, 0, 0, 4])), 6


def transposed_over_one_axis():
    net = Net(1, 4, 23)
    x = net.add("ConvTranspose", "x", normal(4, 12, 16), normal(12), strides=[8], pads=[4, 4])
    x = net.add("Tanh", net.add("ConvTranspose", x, normal(12, 18, 5), strides=[2]))
    return net.model(x), 2


def three_axes():
    """Convolutions and pools of volumes: padded, strided, dilated, grouped, depthwise."""
    net = Net(2, 3, 6, 9, 11)

    def conv(x, outputs, inputs, *size, **attributes):
        weights = normal(outputs, inputs, *size) / float(inputs * np.prod(size)) ** 0.5
        return net.add("Conv", x, weights, normal(outputs), **attributes)

    x = net.add("Relu", conv("x", 20, 3, 3, 3, 3, pads=[1] * 6))
    x = net.add("MaxPool", x, kernel_shape=[2, 3, 3], strides=[1, 2, 2], pads=[1, 1, 1, 0, 1, 1])
    x = net.add("Add", x, conv(x, 20, 1, 3, 3, 3, group=20, pads=[1] * 6))
    x = conv(x, 24, 5, 2, 1, 3, group=4, dilations=[2, 1, 1], pads=[0, 0, 2, 1, 0, 1])
    mean = {"kernel_shape": [2, 2, 2], "pads": [1, 0, 0, 0, 1, 0]}
    x = net.add("AveragePool", conv(x, 9, 24, 1, 1, 1), **mean)
    x = net.add("AveragePool", conv(x, 9, 9, 1, 1, 1), count_include_pad=1, **mean)
    return net.model(net.add("GlobalAveragePool", conv(x, 17, 9, 1, 2, 2, strides=[2, 1, 1]))), None


def computed_weights():
    net = Net(1, 8, 9, 10)

    def scaled(x, *shape):
        scale = net.add("Sigmoid", net.add("ReduceMean", x, keepdims=0))
        return net.add("Mul", normal(*shape) / float(np.prod(shape[1:])) ** 0.5, scale)

    x = net.add("Relu", net.add("Conv", "x", scaled("x", 20, 8, 3, 3), normal(20), pads=[1] * 4))
    x = net.add("Conv", x, scaled(x, 20, 1, 3, 2), group=20, strides=[2, 1])
    return net.model(net.add("Conv", x, scaled(x, 12, 10, 2, 2), group=2)), None


def along_axes():
    """Operators along axes of images that have their channels last."""
    net = Net(1, 3, 6, 9)
    image = net.conv("x", 20, 3)
    wider = net.add("Pad", image, np.array([0, 2, 1, 0, 0, 1, 0, 3]), np.float32(0.5))
    around = net.add("Pad", image, np.array([0, 0, 1, 2, 0, 0, 3, 0]), mode="reflect")
    soft = [net.add("Softmax", image, axis=axis) for axis in (1, 2, -1)]
    near, linear = (
        net.add("Resize", image, "", np.array([1, 1, 2, 2], "float32"), mode=mode)
        for mode in ("nearest", "linear")
    )
    parts = [(wider, 23), (around, 20), (near, 20), (linear, 20), *((each, 20) for each in soft)]
    outputs = [net.conv(each, 4, channels, size=1) for each, channels in parts]
    places = [
        net.add("ArgMax", image, axis=1, keepdims=0),
        net.add("ArgMin", image, axis=-3, keepdims=1, select_last_index=0),
        net.add("ArgMax", image, axis=3, keepdims=0),
    ]
    outputs += [net.add("Cast", each, to=FLOAT) for each in places]
    return net.model(*outputs), None


def running_sums():
    net = Net(3, 7, 40)
    sums = [
        net.add("CumSum", "x", np.array(axis), exclusive=exclusive, reverse=reverse)
        for axis, exclusive, reverse in ((0, 0, 0), (1, 1, 0), (1, 0, 1), (2, 0, 0), (-2, 1, 1))
    ]
    return net.model(*sums), None


def few_outputs():
    """A mask, a score of each pixel and one of the image."""
    net = Net(1, 3, 9, 13)
    image = net.add("Relu", net.conv("x", 33, 3))
    mask = net.add("Sigmoid", net.conv(image, 1, 33))
    score = net.conv(image, 4, 33, size=1)
    one = net.add("Flatten", net.add("GlobalAveragePool", image))
    return net.model(mask, score, net.add("Gemm", one, normal(33, 1), normal(1))), None


def one_column():
    """An image of one column, as text is; what squeezes it, and what puts it into rows."""
    net = Net(2, 24, 60, 1)
    pads = {"pads": [2, 0, 2, 0]}
    x = net.add("Relu", net.add("Conv", "x", normal(20, 24, 5, 1) / 9, normal(20), **pads))
    far = {"pads": [24, 0, 24, 0], "dilations": [12, 1]}
    x = net.add("Conv", x, normal(33, 20, 5, 1) / 9, normal(33), strides=[2, 1], **far)
    x = net.add("Squeeze", x, np.array([3]))
    return net.model(
        net.add("MatMul", net.add("Transpose", x, perm=[0, 2, 1]), normal(33, 4))
    ), None


def patches():
    """Pixels in one row, as rows of a matrix: nothing moves in memory."""
    net = Net(2, 3, 12, 16)
    x = net.add("Conv", "x", normal(20, 3, 4, 4) / 7, normal(20), strides=[4, 4])
    x = net.add("Transpose", net.add("Reshape", x, np.array([2, 20, 12])), perm=[0, 2, 1])
    return net.model(net.add("MatMul", x, normal(20, 9) / 4)), 3


NETS = (
    residual,
    residual_with_a_convolution,
    hard_swish,
    clip_and_batch_norm,
    activations,
    gelu,
    wanted_twice,
    squeeze_and_excite,
    normalised_before,
    concatenation,
    joined,
    dense(nested=False),
    dense(nested=True),
    joined_and_read_by_others,
    skipped,
    joined_output,
    pools,
    before_and_behind_in_nhwc,
    padding_wider_than_tiles,
    depth_multiplier,
    classifier,
    one_axis,
    transposed,
    transposed_over_one_axis,
    three_axes,
    computed_weights,
    along_axes,
    running_sums,
    few_outputs,
    one_column,
    patches,
    products,
    broadcast_operands,
)


@pytest.mark.parametrize("target", [TARGETS[0], TARGETS[-1]])
@pytest.mark.parametrize("make", NETS, ids=lambda make: make.__name__)
def test_part_of_a_network_computes_the_same(make, target, tmp_path):
    model, templates = make()
    inputs = {"x": normal(*(d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim))}
    artifacts = export(model, tmp_path, target=target)
    assert_same(run(artifacts, inputs), onnx_runtime(model, inputs), rtol=1e-5, atol=2e-5)
    if templates is not None:  # all else is in them, but the way into and out of NHWC
        called = functions(read_graph(artifacts))
        called = [name for name in called if "transpose" not in name or "conv" in name]
        assert len(called) == templates


def test_patches_become_rows_without_a_copy(tmp_path):
    called = functions(read_graph(export(patches()[0], tmp_path, target=TARGETS[0].values[0])))
    assert called == ["tvmgen_default_conv2d_add", "__nop", "tvmgen_default_matmul"]


@pytest.mark.parametrize("make", [residual, residual_with_a_convolution])
def test_sum_with_a_residual_lies_where_that_was(make, tmp_path):
    model, _ = make()
    graph = read_graph(export(model, tmp_path, target=TARGETS[0].values[0]))
    storage = graph["attrs"]["storage_id"][1]
    last = next(node for node in graph["nodes"] if node["name"] == "conv2d_add_add_relu")
    residual_of = last["inputs"][3][0]
    assert storage[graph["nodes"].index(last)] == storage[residual_of]


@pytest.mark.parametrize(
    ("options", "dtype", "used"),
    [("", "float32", True), ("-fast-math-reassoc=0", "float32", False), ("", "float64", False)],
)
def test_winograd_is_used_unless_switched_off(options, dtype, used, tmp_path):
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1] * 4)
    element = FLOAT if dtype == "float32" else TensorProto.DOUBLE
    sizes = (1, 20, 24, 24)
    x, weights = normal(*sizes).astype(dtype), normal(20, 20, 3, 3).astype(dtype)
    model = onnx_model([node], {"x": (element, sizes)}, {"y": (element, sizes)}, {"w": weights})
    artifacts = export(model, tmp_path, target=f"{TARGETS[0].values[0]} {options}")
    assert ([36, 2, 20, 16] in read_graph(artifacts)["attrs"]["shape"][1]) == used
    windows = Windows(*(1, 24, 24, 20, 20), (3, 3), padding=(1, 1, 1, 1))
    (result,) = run(artifacts, {"x": x})
    assert error(result, true_convolution(windows, x, weights)) < 2e-6


def test_nan_of_an_image_comes_out_where_onnx_runtime_has_it(tmp_path):
    model, _ = hard_swish()
    x = normal(1, 3, 12, 12)
    x[0, 1, 5, 5] = np.nan
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    (result,) = run(export(model, tmp_path), {"x": x})
    (expected,) = session.run(None, {"x": x})
    np.testing.assert_array_equal(np.isnan(result), np.isnan(expected))
    assert np.isnan(result).sum() == 9 * 21
