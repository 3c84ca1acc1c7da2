# SPDX-License-Identifier: Apache-2.0
"""Channel shuffles: what reads one, and that no kernel moves the channels where none need.

All numbers are small integers, so that sums are exact in any order.
"""

import numpy as np
import pytest
from onnx import helper

from tests.compiler.models import FLOAT, functions, onnx_model, onnx_runtime, read_graph, run
from tvmgo.compiler import export

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

RANDOM = np.random.default_rng(2)


def whole(*shape):
    return RANDOM.integers(-3, 4, shape).astype("float32")


class Net:
    """A model that begins with a grouped convolution of an image."""

    def __init__(self, channels, groups, *image):
        self.batch, self.image, self.groups = 2, image, groups
        self.nodes, self.weights = [], {}
        self.first = self.conv("x", channels, 8)

    def add(self, operator, *inputs, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def weight(self, value):
        name = f"w{len(self.weights)}"
        self.weights[name] = value
        return name

    def conv(self, x, outputs, inputs, size=1, group=1, **attributes):
        rank = len(self.image)
        shape = (outputs, inputs // group, *[size] * rank)
        inputs = [x, self.weight(whole(*shape)), self.weight(whole(outputs))]
        pads = [size // 2] * 2 * rank
        return self.add("Conv", *inputs, group=group, pads=pads, **attributes)

    def depthwise(self, x, channels, **attributes):
        return self.conv(x, channels, channels, 3, channels, **attributes)

    def shuffle(self, x, channels):
        parts = (self.groups, channels // self.groups)
        axes = [0, 2, 1, *range(3, 3 + len(self.image))]
        apart = self.weight(np.array([self.batch, *parts, *self.image]))
        y = self.add("Transpose", self.add("Reshape", x, apart), perm=axes)
        return self.add("Reshape", y, self.weight(np.array([self.batch, channels, *self.image])))

    def results(self, path, *outputs):
        """Return what was computed, the truth, and which kernels were called."""
        x = {"x": whole(self.batch, 8, *self.image)}
        specs = {"x": (FLOAT, x["x"].shape)}
        model = onnx_model(self.nodes, specs, dict.fromkeys(outputs, (FLOAT, None)), self.weights)
        artifacts = export(model, path, target="native", verify=False)
        kernels = [
            name.removeprefix("tvmgen_default_") for name in functions(read_graph(artifacts))
        ]
        return run(artifacts, x), onnx_runtime(model, x), kernels


def assert_equal(results, expected):
    for result, truth in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result, truth)


@pytest.mark.parametrize("image", [(5, 7), (9,)], ids=str)
@pytest.mark.parametrize("strides", [1, 2])
def test_shuffle_between_convolutions_moves_nothing(strides, image, tmp_path):
    net = Net(48, 4, *image)
    strides = [strides] * len(image)
    x = net.shuffle(net.add("Relu", net.first), 48)
    x = net.add("Relu", net.depthwise(x, 48, strides=strides))
    x = net.conv(x, 32, 48, group=4, strides=strides)
    results, expected, kernels = net.results(tmp_path, x)
    assert_equal(results, expected)
    assert sum("conv" in name for name in kernels) == 3
    assert sum("transpose" in name for name in kernels) <= 2  # of the input and the output


@pytest.mark.parametrize(
    ("channels", "groups", "group"), [(24, 4, 4), (24, 3, 1), (20, 2, 5), (12, 6, 2)]
)
def test_groups_that_read_other_parts(channels, groups, group, tmp_path):
    net = Net(channels, groups, 4, 5)
    x = net.shuffle(net.first, channels)
    assert_equal(*net.results(tmp_path, net.conv(x, 20, channels, group=group))[:2])


def test_everything_that_reads_a_shuffle(tmp_path):
    net = Net(24, 2, 6, 5)
    x = net.shuffle(net.first, 24)
    again = net.shuffle(x, 24)
    outputs = [
        net.add("Neg", x),
        net.conv(x, 6, 24, 3),
        net.add("Add", net.depthwise(x, 24), x),
        net.add("Concat", net.depthwise(x, 24), net.first, axis=1),
        net.add("MaxPool", net.depthwise(x, 24), kernel_shape=[2, 2]),
        net.depthwise(again, 24),
        net.add("ReduceSum", x),
    ]
    assert_equal(*net.results(tmp_path, x, *outputs)[:2])


def test_what_is_no_shuffle(tmp_path):
    net = Net(24, 2, 4, 4)
    apart = net.weight(np.array([2, 2, 12, 4, 4]))
    other = net.weight(np.array([2, 12, 2, 16]))
    turned = net.add("Transpose", net.add("Reshape", net.first, apart), perm=[0, 2, 1, 4, 3])
    parts = net.add("Transpose", net.add("Reshape", net.first, apart), perm=[0, 2, 1, 3, 4])
    outputs = [turned, parts, net.add("Reshape", parts, other)]
    assert_equal(*net.results(tmp_path, *outputs)[:2])
