# SPDX-License-Identifier: Apache-2.0
"""Write MobileNet v1 1.0 224 as an ONNX model with seeded weights.

    python examples/mobilenet.py OUT.onnx

The architecture is the published one (Howard et al., 2017, as released with 1001 classes): NHWC
input, thirteen depthwise-separable blocks, batch normalisation after every convolution, ReLU6,
global average pooling, a 1x1 convolution as the classifier, softmax.

Only the weights are made up. Convolutions draw from a normal distribution; batch-norm statistics
follow from propagating the mean and variance of an input uniform in [0, 1] through the layers, so
that every layer sees values of the size it would see in a trained network, and the prediction
depends on the picture.
"""

import argparse
import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CLASSES = 1001
IMAGE = (1, 224, 224, 3)
FIRST_CHANNELS = 32
# (output channels, stride of the depthwise convolution) of each separable block
BLOCKS = (
    [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
    + [(512, 1)] * 5
    + [(1024, 2), (1024, 1)]
)
BATCH_NORM_EPSILON = 1e-3


def relu6_moments(mean, deviation):
    """Mean and variance of ``min(max(x, 0), 6)`` for normally distributed ``x``."""
    # Gauss-Hermite quadrature: exact enough here, and plain arithmetic on every machine.
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / math.sqrt(2 * math.pi)
    values = np.clip(mean[:, None] + deviation[:, None] * nodes, 0, 6)
    first = (values * weights).sum(axis=1)
    second = (values**2 * weights).sum(axis=1)
    return first, np.maximum(second - first**2, 1e-6)


class Writer:
    """Collects nodes and initialisers, and the moments of the value written last."""

    def __init__(self, seed):
        # RandomState, because NumPy promises never to change its streams; a Generator's may change.
        self.random = np.random.RandomState(seed)
        self.nodes = []
        self.weights = []
        # per channel: the picture is uniform in [0, 1]
        self.mean = np.full(3, 1 / 2)
        self.variance = np.full(3, 1 / 12)

    def weight(self, name, values):
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def convolution(self, name, source, channels, *, kernel, stride=1, depthwise=False):
        """Convolution, batch normalisation and ReLU6."""
        inputs = 1 if depthwise else len(self.mean)
        kernels = self.random.standard_normal((channels, inputs, kernel, kernel))
        kernels = (kernels * math.sqrt(2 / (inputs * kernel**2))).astype(np.float32)

        # Moments after the convolution, with channels and neighbours taken as independent.
        taps = kernels.astype(np.float64)
        per_channel = (-1, 1) if depthwise else (1, -1)  # shape that multiplies [output, input]
        mean = (taps.sum(axis=(2, 3)) * self.mean.reshape(per_channel)).sum(axis=1)
        variance = ((taps**2).sum(axis=(2, 3)) * self.variance.reshape(per_channel)).sum(axis=1)

        scale = self.random.uniform(0.8, 1.2, channels)
        offset = self.random.normal(0.0, 0.2, channels)
        self.mean, self.variance = relu6_moments(offset, scale)

        # "SAME" padding as in the original: the odd row and column of strided layers are the last.
        total = max(kernel - stride, 0)
        before, after = total // 2, total - total // 2
        value = self.node(
            "Conv",
            [source, self.weight(f"{name}/weights", kernels)],
            f"{name}/convolution",
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=channels if depthwise else 1,
        )
        statistics = {
            "gamma": scale,
            "beta": offset,
            "moving_mean": mean,
            "moving_variance": variance,
        }
        value = self.node(
            "BatchNormalization",
            [value]
            + [self.weight(f"{name}/{key}", v.astype(np.float32)) for key, v in statistics.items()],
            f"{name}/batch_norm",
            epsilon=BATCH_NORM_EPSILON,
        )
        return self.node("Clip", [value, "zero", "six"], f"{name}/relu6")

    def classifier(self, source):
        """1x1 convolution to the classes, softmax over them."""
        # Centred on the expected features, the logits speak of what is particular to the picture.
        weights = self.random.standard_normal((CLASSES, len(self.mean))) * 0.25
        bias = -(weights * self.mean).sum(axis=1)
        value = self.node(
            "Conv",
            [
                source,
                self.weight("logits/weights", weights[:, :, None, None].astype(np.float32)),
                self.weight("logits/biases", bias.astype(np.float32)),
            ],
            "logits/convolution",
            kernel_shape=[1, 1],
        )
        value = self.node(
            "Reshape", [value, self.weight("classes", np.array([1, CLASSES]))], "logits"
        )
        return self.node("Softmax", [value], "probabilities", axis=1)


def mobilenet_v1(seed: int = 0) -> onnx.ModelProto:
    """Build MobileNet v1 1.0 224 with seeded weights.

    Parameters
    ----------
    seed : int
        Chooses the weights; the same seed gives the same model.

    Returns
    -------
    onnx.ModelProto
        Input ``input``, float32 [1, 224, 224, 3] (NHWC, made for pixels in [0, 1]); output
        ``probabilities``, float32 [1, 1001].
    """
    writer = Writer(seed)
    writer.weight("zero", np.float32(0))
    writer.weight("six", np.float32(6))

    value = writer.node("Transpose", ["input"], "image", perm=[0, 3, 1, 2])
    value = writer.convolution("conv_0", value, FIRST_CHANNELS, kernel=3, stride=2)
    channels = FIRST_CHANNELS
    for number, (output_channels, stride) in enumerate(BLOCKS, start=1):
        value = writer.convolution(
            f"conv_{number}/depthwise", value, channels, kernel=3, stride=stride, depthwise=True
        )
        value = writer.convolution(f"conv_{number}/pointwise", value, output_channels, kernel=1)
        channels = output_channels
    value = writer.node("GlobalAveragePool", [value], "features")
    writer.classifier(value)

    graph = helper.make_graph(
        writer.nodes,
        "mobilenet_v1_1.0_224",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, IMAGE)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, CLASSES])],
        writer.weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Write MobileNet v1 1.0 224 with seeded weights as ONNX."
    )
    parser.add_argument("output", metavar="OUT.onnx")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    onnx.save(mobilenet_v1(arguments.seed), arguments.output)


if __name__ == "__main__":
    main()
