# SPDX-License-Identifier: Apache-2.0
"""Writes neural networks of Core ML by coremltools, and what they compute by Apple's specification, in NumPy.

Core ML itself runs on Apple's systems alone. Arrays are given with a batch before their own dimensions, as exported.
"""

import sys
from pathlib import Path

import coremltools
import numpy as np
from coremltools.models.datatypes import Array
from coremltools.models.neural_network import NeuralNetworkBuilder

RANDOM = np.random.RandomState(0)


def draw(*shape):
    return (RANDOM.randn(*shape) * 0.5).astype("float32")


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def mlp():
    net = NeuralNetworkBuilder([("x", Array(8))], [("y", Array(4))])
    w1, b1, w2, b2 = draw(16, 8), draw(16), draw(4, 16), draw(4)
    net.add_inner_product("fc1", w1, b1, 8, 16, True, "x", "h")
    net.add_activation("relu", "RELU", "h", "r")
    net.add_inner_product("fc2", w2, b2, 16, 4, True, "r", "z")
    net.add_softmax("softmax", "z", "y")
    x = draw(2, 8)
    return net, {"x": x}, [softmax(np.maximum(x @ w1.T + b1, 0) @ w2.T + b2)]


def convolved(x, w, b, stride):
    """SAME padding, more of it at the end; `w` is height, width, channels in, channels out."""
    side, size = x.shape[-1], w.shape[0]
    count = -(-side // stride)
    pad = max((count - 1) * stride + size - side, 0)
    low, high = pad // 2, pad - pad // 2
    x = np.pad(x, ((0, 0), (low, high), (low, high)))
    places = range(0, count * stride, stride)
    rows = [
        [np.einsum("chw,hwco->o", x[:, i : i + size, j : j + size], w) + b for j in places]
        for i in places
    ]
    return np.array(rows).transpose(2, 0, 1)


def cnn():
    net = NeuralNetworkBuilder([("image", Array(3, 32, 32))], [("y", Array(5))])
    w, b = draw(3, 3, 3, 8), draw(8)
    gamma, beta, mean, variance = draw(8), draw(8), draw(8), np.abs(draw(8)) + 0.5
    dense, bias = draw(5, 8), draw(5)
    net.add_convolution(
        "conv", 3, 8, 3, 3, 2, 2, "same", 1, w, b, True, input_name="image", output_name="c"
    )
    net.add_batchnorm(
        "bn", 8, gamma, beta, mean, variance, input_name="c", output_name="n", epsilon=1e-3
    )
    net.add_activation("elu", "ELU", "n", "a", params=0.7)
    net.add_pooling("pool", 2, 2, 2, 2, "MAX", "VALID", "a", "p")
    net.add_pooling("all", 1, 1, 1, 1, "AVERAGE", "VALID", "p", "g", is_global=True)
    net.add_flatten("flat", 0, "g", "f")
    net.add_inner_product("fc", dense, bias, 8, 5, True, "f", "z")
    net.add_softmax("softmax", "z", "y")
    x = draw(3, 32, 32)
    column = lambda v: v[:, None, None]  # noqa: E731
    h = convolved(x, w, b, 2)
    h = column(gamma) * (h - column(mean)) / np.sqrt(column(variance) + 1e-3) + column(beta)
    h = np.where(h > 0, h, 0.7 * (np.exp(h) - 1))
    h = h.reshape(8, 8, 2, 8, 2).max((2, 4)).mean((1, 2))
    return net, {"image": x[None]}, [softmax(dense @ h + bias)[None]]


def joined():
    """What works on single numbers, and what puts pictures together."""
    net = NeuralNetworkBuilder(
        [("a", Array(4, 6, 6)), ("b", Array(4, 6, 6))], [("y", Array(8, 6, 6))]
    )
    net.add_elementwise("sum", ["a", "b"], "s", "ADD")
    net.add_elementwise("product", ["s", "b"], "m", "MULTIPLY")
    net.add_elementwise("largest", ["m", "a"], "l", "MAX")
    net.add_activation("leaky", "LEAKYRELU", "l", "r", params=[0.2])
    net.add_activation("tanh", "TANH", "m", "t")
    net.add_activation("sigmoid", "SIGMOID", "t", "g")
    net.add_elementwise("together", ["r", "g"], "c", "CONCAT")
    net.add_pooling("mean", 2, 2, 2, 2, "AVERAGE", "VALID", "c", "p")
    net.add_upsample("large", 2, 2, "p", "y", mode="NN")
    a, b = draw(1, 4, 6, 6), draw(1, 4, 6, 6)
    m = (a + b) * b
    largest = np.maximum(m, a)
    parts = np.where(largest > 0, largest, 0.2 * largest), sigmoid(np.tanh(m))
    mean = np.concatenate(parts, 1).reshape(1, 8, 3, 2, 3, 2).mean((3, 5))
    return net, {"a": a, "b": b}, [mean.repeat(2, 2).repeat(2, 3)]


def half():
    """Weights of float16."""
    net = NeuralNetworkBuilder([("x", Array(8))], [("y", Array(4))])
    w, b = draw(4, 8).astype("float16"), draw(4).astype("float16")
    net.add_inner_product("fc", w, b, 8, 4, True, "x", "y")
    given = net.spec.neuralNetwork.layers[0].innerProduct
    for weights, values in ((given.weights, w), (given.bias, b)):
        weights.Clear()
        weights.float16Value = values.tobytes()
    x = draw(2, 8)
    return net, {"x": x}, [x @ w.T.astype("float32") + b.astype("float32")]


def classifier():
    """A picture, prepared; labels are what the exported model has not."""
    net = NeuralNetworkBuilder([("image", Array(3, 8, 8))], [("y", Array(2))], mode="classifier")
    net.set_pre_processing_parameters(
        ["image"], red_bias=-1, green_bias=-2, blue_bias=-3, image_scale=1 / 128
    )
    w, dense, bias = draw(3, 3, 1, 6), draw(2, 6), draw(2)
    options = {"input_name": "image", "output_name": "c"}
    borders = {"padding_top": 1, "padding_bottom": 1, "padding_left": 1, "padding_right": 1}
    net.add_convolution("conv", 1, 6, 3, 3, 1, 1, "valid", 3, w, None, False, **options, **borders)
    net.add_activation("linear", "LINEAR", "c", "l", params=[0.5, 0.25])
    net.add_pooling("pool", 3, 3, 1, 1, "MAX", "VALID", "l", "p", **borders)
    net.add_pooling("all", 1, 1, 1, 1, "AVERAGE", "VALID", "p", "g", is_global=True)
    net.add_flatten("flat", 0, "g", "f")
    net.add_inner_product("fc", dense, bias, 6, 2, True, "f", "z")
    net.add_softmax("softmax", "z", "y")
    net.set_class_labels(["cat", "dog"])
    image = RANDOM.randint(0, 256, (3, 8, 8)).astype("float32")
    x = image / 128 - np.array([1, 2, 3], "float32")[:, None, None]
    h = (
        np.concatenate([convolved(x[i : i + 1], w[..., 2 * i : 2 * i + 2], 0, 1) for i in range(3)])
        * 0.5
        + 0.25
    )
    wide = np.pad(h, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    h = np.max([wide[:, i : i + 8, j : j + 8] for i in range(3) for j in range(3)], axis=0)
    return net, {"image": image[None]}, [softmax(dense @ h.mean((1, 2)) + bias)[None]]


# ---------------------------------------------------------------- what is refused


def convolution(net, **options):
    arguments = {"stride_height": 1, "stride_width": 1, "border_mode": "same", "groups": 1}
    arguments |= {"W": draw(3, 3, 4, 4), "b": None, "has_bias": False}
    names = {"input_name": "x", "output_name": "y"}
    net.add_convolution("conv", 4, 4, 3, 3, **{**arguments, **options}, **names)


def pool(net, kind, padding="VALID", **options):
    net.add_pooling("pool", 3, 3, 1, 1, kind, padding, "x", "y", **options)


def quantised(net):
    convolution(net)
    net.spec.neuralNetwork.layers[0].convolution.weights.quantization.numberOfBits = 8


def mean_picture(net):
    convolution(net)
    net.spec.neuralNetwork.preprocessing.add().meanImage.meanImage.extend([1.0])


def any_rank(net):
    convolution(net)
    net.spec.specificationVersion = 4
    net.spec.neuralNetwork.arrayInputShapeMapping = 1


def program(net):
    net.spec.mlProgram.SetInParent()


def trees(net):
    net.spec.treeEnsembleRegressor.SetInParent()


def lstm(net):
    layer = net.spec.neuralNetwork.layers.add(name="lstm", input=["x"], output=["y"])
    layer.uniDirectionalLSTM.inputVectorSize = 4


def instances(net):
    options = {"compute_mean_var": True, "instance_normalization": True}
    net.add_batchnorm("bn", 4, draw(4), draw(4), input_name="x", output_name="y", **options)


EDGES = {f"padding_{side}": 1 for side in ("top", "bottom", "left", "right")}
# What is refused, and words of the reason.
REFUSED = {
    "any_rank": (any_rank, "its arrays have any number of dimensions"),
    "asymmetric": (
        lambda net: convolution(net, same_padding_asymmetry_mode="TOP_LEFT_HEAVY"),
        "SAME padding with more of it at the beginning",
    ),
    "bilinear": (
        lambda net: net.add_upsample("up", 2, 2, "x", "y", mode="BILINEAR"),
        "only the nearest neighbour",
    ),
    "deconvolution": (lambda net: convolution(net, is_deconv=True), "transposed convolutions"),
    "instances": (instances, "statistics that are computed of the picture itself"),
    "lstm": (lstm, "layers of the kind uniDirectionalLSTM"),
    "mean_picture": (mean_picture, "it prepares pictures by meanImage"),
    "padded_average": (lambda net: pool(net, "AVERAGE", **EDGES), "an average with padding"),
    "planes": (lambda net: net.add_softmax("softmax", "x", "y"), "a softmax over the channels"),
    "pool_l2": (lambda net: pool(net, "L2"), "pools of the kind L2"),
    "pool_same": (lambda net: pool(net, "MAX", "SAME"), "same padding of a pool"),
    "program": (program, "it is an ML program"),
    "quantised": (quantised, "its weights are quantised"),
    "sequences": (
        lambda net: net.add_elementwise("cat", ["x", "x"], "y", "SEQUENCE_CONCAT"),
        "sequences are not supported",
    ),
    "softplus": (
        lambda net: net.add_activation("soft", "SOFTPLUS", "x", "y"),
        "the activation softplus",
    ),
    "trees": (trees, "it is a treeEnsembleRegressor, not a neural network"),
}

MODELS = {"mlp": mlp, "cnn": cnn, "joined": joined, "half": half, "classifier": classifier}


def write(folder, name, net, values):
    path = folder / f"{name}.mlmodel"
    coremltools.utils.save_spec(net.spec, str(path))
    np.savez(folder / f"{path.name}.npz", **values)
    print(path.name, flush=True)


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, build in MODELS.items():
        net, inputs, results = build()
        results = {f"y{i}": value.astype("float32") for i, value in enumerate(results)}
        write(folder, name, net, {**inputs, **results})
    for name, (change, reason) in REFUSED.items():
        net = NeuralNetworkBuilder([("x", Array(4, 6, 6))], [("y", Array(4, 6, 6))])
        change(net)
        write(folder, name, net, {"x": draw(1, 4, 6, 6), "refused": reason})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
