# SPDX-License-Identifier: Apache-2.0
"""What each layer of Darknet computes, in ONNX."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tvmgo.compiler.convert.darknet_files import Section, Weights
from tvmgo.compiler.convert.onnx_writer import Writer

EPSILON = 1e-6  # added to the standard deviation, not to the variance
DETECTORS = ("yolo", "region", "detection")


@dataclass(frozen=True)
class Layer:
    """An output, and its size without the batch: channels, height, width, or one number."""

    name: str
    size: tuple[int, ...]


@dataclass
class Network:
    """The layers so far, and the last one's output, from which the next one begins."""

    writer: Writer
    weights: Weights
    x: str
    size: tuple[int, ...]
    layers: list[Layer] = field(default_factory=list)

    def end_layer(self, index: int, section: Section) -> None:
        self.layers.append(Layer(self.x, self.size))

    def other(self, section: Section, index: int) -> Layer:
        """Return an earlier layer; negative numbers count back from this one."""
        place = index if index >= 0 else len(self.layers) + index
        if not 0 <= place < len(self.layers):
            raise section.refuse(f"layer {index} is not before it")
        return self.layers[place]

    def picture(self, section: Section) -> tuple[int, int, int]:
        if len(self.size) != 3:
            raise section.refuse(f"expected channels, height and width before it, got {self.size}")
        channels, height, width = self.size
        return channels, height, width

    def flat(self) -> tuple[str, int]:
        count = math.prod(self.size)
        return (self.x if len(self.size) == 1 else self.writer.reshape(self.x, -1, count)), count

    def scalar(self, value: float) -> str:
        return self.writer.constant(np.float32(value))

    def activate(self, section: Section, default: str) -> None:
        kind = section.text("activation", default)
        if kind not in ACTIVATIONS:
            raise section.refuse(f"activation={kind} is not supported")
        self.x = ACTIVATIONS[kind](self, self.x)


def mish(net: Network, x: str) -> str:
    add = net.writer.add
    return add("Mul", x, add("Tanh", add("Softplus", x)))


def ramp(net: Network, x: str) -> str:
    add = net.writer.add
    return add("Add", add("Relu", x), add("Mul", x, net.scalar(0.1)))


def one(operator: str, **attributes: Any) -> Callable[[Network, str], str]:
    return lambda net, x: net.writer.add(operator, x, **attributes)


ACTIVATIONS: dict[str, Callable[[Network, str], str]] = {
    "linear": lambda net, x: x,
    "relu": one("Relu"),
    "relu6": lambda net, x: net.writer.add("Clip", x, net.scalar(0), net.scalar(6)),
    "leaky": one("LeakyRelu", alpha=0.1),
    "relie": one("LeakyRelu", alpha=0.01),
    "logistic": one("Sigmoid"),
    "tanh": one("Tanh"),
    "elu": one("Elu"),
    "selu": one("Selu", alpha=1.6732, gamma=1.0507),
    "swish": lambda net, x: net.writer.add("Mul", x, net.writer.add("Sigmoid", x)),
    "mish": mish,
    "ramp": ramp,
}


def normalised(
    net: Network,
    section: Section,
    weights: np.ndarray,
    biases: np.ndarray,
    statistics: list[np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and biases with which a layer needs no batch normalisation after it."""
    scales, mean, variance = (each.astype(np.float64) for each in statistics)
    factor = scales / (np.sqrt(variance) + EPSILON)
    wide = weights * factor.reshape(-1, *[1] * (weights.ndim - 1))
    return wide.astype(np.float32), (biases - mean * factor).astype(np.float32)


def convolutional(net: Network, section: Section) -> None:
    channels, height, width = net.picture(section)
    section.forbid(
        binary=0, xnor=0, flipped=0, antialiasing=0, deform=0, stretch=0, share_index=-1000000000
    )
    filters, size = section.integer("filters", 1), section.integer("size", 1)
    groups, dilation = section.integer("groups", 1), section.integer("dilation", 1)
    stride = section.integer("stride", 1)
    strides = [section.integer("stride_y", stride), section.integer("stride_x", stride)]
    pad = size // 2 if section.integer("pad", 0) else section.integer("padding", 0)
    if min(filters, size, groups, dilation, *strides) < 1 or channels % groups or filters % groups:
        raise section.refuse(f"its sizes do not fit {channels} channels")
    pad *= dilation
    batch_normalize = section.integer("batch_normalize", 0)
    biases = net.weights.take(section, filters)
    statistics = [net.weights.take(section, filters) for _ in range(3 if batch_normalize else 0)]
    weights = net.weights.take(section, filters, channels // groups, size, size)
    if batch_normalize:
        weights, biases = normalised(net, section, weights, biases, statistics)
    net.x = net.writer.add(
        "Conv",
        net.x,
        net.writer.constant(weights),
        net.writer.constant(biases),
        kernel_shape=[size, size],
        strides=strides,
        pads=[pad] * 4,
        group=groups,
        dilations=[dilation] * 2,
    )
    reach = dilation * (size - 1) + 1
    over = [
        (length + 2 * pad - reach) // step + 1 for length, step in zip((height, width), strides)
    ]
    net.size = (filters, *over)
    if min(over) < 1:
        raise section.refuse(f"nothing is left of {height} x {width}")
    net.activate(section, "logistic")


def connected(net: Network, section: Section) -> None:
    x, count = net.flat()
    outputs = section.integer("output", 1)
    biases = net.weights.take(section, outputs)
    if net.weights.transposed:
        weights = net.weights.take(section, count, outputs).T
    else:
        weights = net.weights.take(section, outputs, count)
    if section.integer("batch_normalize", 0):
        statistics = [net.weights.take(section, outputs) for _ in range(3)]
        weights, biases = normalised(net, section, weights, biases, statistics)
    constants = [net.writer.constant(each) for each in (weights, biases)]
    net.x, net.size = net.writer.add("Gemm", x, *constants, transB=1), (outputs,)
    net.activate(section, "logistic")


def maxpool(net: Network, section: Section) -> None:
    channels, height, width = net.picture(section)
    section.forbid(maxpool_depth=0, antialiasing=0)
    stride = section.integer("stride", 1)
    strides = [section.integer("stride_y", stride), section.integer("stride_x", stride)]
    size = section.integer("size", stride)
    padding = section.integer("padding", size - 1)
    over = [(length + padding - size) // step + 1 for length, step in zip((height, width), strides)]
    begin = padding // 2
    # What a window reaches beyond the end; what it does not reach is not looked at.
    ends = [
        max(0, (count - 1) * step + size - length - begin)
        for count, step, length in zip(over, strides, (height, width))
    ]
    if min(over) < 1 or max(begin, *ends) >= size:
        raise section.refuse(f"padding={padding} does not fit size={size}")
    pads = [begin, begin, *ends]
    net.x = net.writer.add("MaxPool", net.x, kernel_shape=[size, size], strides=strides, pads=pads)
    net.size = (channels, *over)


def avgpool(net: Network, section: Section) -> None:
    channels, _, _ = net.picture(section)
    net.x, net.size = net.writer.add("GlobalAveragePool", net.x), (channels, 1, 1)


def softmax(net: Network, section: Section) -> None:
    section.forbid(groups=1)
    if "tree" in section.options:
        raise section.refuse("tree is not supported")
    temperature = section.number("temperature", 1)
    spatial = section.integer("spatial", 0)
    x, count = (net.x, 0) if spatial else net.flat()
    if spatial:
        net.picture(section)
    if temperature != 1:
        x = net.writer.add("Div", x, net.scalar(temperature))
    net.x = net.writer.add("Softmax", x, axis=1)
    net.size = net.size if spatial else (count,)


def unchanged(net: Network, section: Section) -> None:
    """Dropout and costs, which matter in training only."""


def route(net: Network, section: Section) -> None:
    layers = [net.other(section, each) for each in section.integers("layers")]
    if not layers:
        raise section.refuse("expected layers=")
    groups, number = section.integer("groups", 1), section.integer("group_id", 0)
    parts = []
    for layer in layers:
        if len(layer.size) != len(layers[0].size) or layer.size[1:] != layers[0].size[1:]:
            raise section.refuse(f"its layers' sizes {[each.size for each in layers]} do not fit")
        if groups == 1:
            parts.append(layer.name)
            continue
        count = layer.size[0] // groups
        bounds = [np.array([each], np.int64) for each in (number * count, (number + 1) * count, 1)]
        start, end, axis = map(net.writer.constant, bounds)
        parts.append(net.writer.add("Slice", layer.name, start, end, axis))
    net.x = parts[0] if len(parts) == 1 else net.writer.add("Concat", *parts, axis=1)
    net.size = (sum(layer.size[0] // groups for layer in layers), *layers[0].size[1:])


def shortcut(net: Network, section: Section) -> None:
    section.forbid(alpha=1, beta=1)
    if "weights_type" in section.options:
        raise section.refuse("weights_type is not supported")
    for index in section.integers("from"):
        layer = net.other(section, index)
        if layer.size != net.size:
            raise section.refuse(f"{net.size} and {layer.size} do not fit")
        net.x = net.writer.add("Add", net.x, layer.name)
    net.activate(section, "linear")


def scale_channels(net: Network, section: Section) -> None:
    section.forbid(scale_wh=0)
    layer = net.other(section, section.integer("from", -1))
    if len(layer.size) != 3 or net.size != (layer.size[0], 1, 1):
        raise section.refuse(f"{net.size} are no factors of {layer.size}")
    net.x, net.size = net.writer.add("Mul", layer.name, net.x), layer.size
    net.activate(section, "linear")


def sam(net: Network, section: Section) -> None:
    layer = net.other(section, section.integer("from", -1))
    if layer.size != net.size:
        raise section.refuse(f"{net.size} and {layer.size} do not fit")
    net.x = net.writer.add("Mul", layer.name, net.x)
    net.activate(section, "linear")


def upsample(net: Network, section: Section) -> None:
    channels, height, width = net.picture(section)
    section.forbid(scale=1)
    stride = section.integer("stride", 2)
    if stride < 1:
        raise section.refuse("stride: expected at least 1")
    scales = net.writer.constant(np.array([1, 1, stride, stride], np.float32))
    how = {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    }
    net.x = net.writer.add("Resize", net.x, "", scales, **how)
    net.size = (channels, height * stride, width * stride)


def reorg(net: Network, section: Section) -> None:
    """Darknet takes the picture for one of fewer channels and more pixels before it gathers."""
    channels, height, width = net.picture(section)
    section.forbid(reverse=0, flatten=0, extra=0)
    step = section.integer("stride", 1)
    if step < 1 or channels % step**2 or height % step or width % step:
        raise section.refuse(f"stride={step} does not fit {net.size}")
    fewer = channels // step**2
    x = net.writer.reshape(net.x, -1, fewer, height, step, width, step)
    x = net.writer.add("Transpose", x, perm=[0, 3, 5, 1, 2, 4])
    net.size = (channels * step**2, height // step, width // step)
    net.x = net.writer.reshape(x, -1, *net.size)


def boxes_of(net: Network, section: Section, count: int, coordinates: int) -> list[str]:
    """Return what belongs to each box along an axis of its own: x and y, other coordinates, objectness, classes."""
    channels, height, width = net.picture(section)
    classes = section.integer("classes", 20)
    if channels != count * (coordinates + 1 + classes):
        raise section.refuse(
            f"{channels} channels are not {count} boxes of {coordinates} + 1 + {classes}"
        )
    x = net.writer.reshape(net.x, -1, count, channels // count, height, width)
    sizes = net.writer.constant(np.array([2, coordinates - 2, 1, classes], np.int64))
    outputs = [f"{part}_{len(net.layers)}" for part in ("place", "rest", "object", "classes")]
    net.writer.add("Split", x, sizes, outputs=outputs, axis=2)
    return outputs


def put_together(net: Network, parts: list[str]) -> None:
    net.x = net.writer.reshape(net.writer.add("Concat", *parts, axis=2), -1, *net.size)


def yolo(net: Network, section: Section) -> None:
    mask = section.integers("mask")
    count = len(mask) or section.integer("num", 1)
    place, rest, present, classes = boxes_of(net, section, count, 4)
    section.forbid(new_coords=0)
    scale = section.number("scale_x_y", 1)
    place, present, classes = (net.writer.add("Sigmoid", x) for x in (place, present, classes))
    if scale != 1:
        place = net.writer.add("Mul", place, net.scalar(scale))
        place = net.writer.add("Sub", place, net.scalar(0.5 * (scale - 1)))
    put_together(net, [place, rest, present, classes])


def region(net: Network, section: Section) -> None:
    section.forbid(background=0)
    if "tree" in section.options:
        raise section.refuse("tree is not supported")
    coordinates = section.integer("coords", 4)
    place, rest, present, classes = boxes_of(net, section, section.integer("num", 1), coordinates)
    place, present = (net.writer.add("Sigmoid", x) for x in (place, present))
    how: dict[str, Any] = {"axis": 2}
    softmax = section.integer("softmax", 0)
    classes = (
        net.writer.add("Softmax", classes, **how) if softmax else net.writer.add("Sigmoid", classes)
    )
    put_together(net, [place, rest, present, classes])


def detection(net: Network, section: Section) -> None:
    section.forbid(softmax=0)


LAYERS: dict[str, Callable[[Network, Section], None]] = {
    "convolutional": convolutional,
    "conv": convolutional,
    "connected": connected,
    "conn": connected,
    "maxpool": maxpool,
    "max": maxpool,
    "avgpool": avgpool,
    "avg": avgpool,
    "softmax": softmax,
    "soft": softmax,
    "dropout": unchanged,
    "cost": unchanged,
    "route": route,
    "shortcut": shortcut,
    "scale_channels": scale_channels,
    "sam": sam,
    "upsample": upsample,
    "reorg": reorg,
    "yolo": yolo,
    "region": region,
    "detection": detection,
}


def layer_of(section: Section) -> Callable[[Network, Section], None]:
    """Return who writes a layer.

    Raises
    ------
    ExportError
        If nobody does. Recurrent layers keep values from one run to the next, which an exported model does not.
    """
    if section.kind in LAYERS:
        return LAYERS[section.kind]
    raise section.refuse(f"this kind of layer is none of {', '.join(LAYERS)}")
