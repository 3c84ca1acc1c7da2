# SPDX-License-Identifier: Apache-2.0
"""Writes networks in Darknet's format with seeded weights, and what OpenCV's own reader of it computes.

Darknet has no package for Python; OpenCV up to 4 reads its files (``opencv-python-headless<5``). What OpenCV makes of
yolo and region layers are boxes; so their results are here computed from the values that go in, by Darknet's rules.
"""

import struct
import sys
from pathlib import Path

import cv2
import numpy as np

RANDOM = np.random.RandomState(0)

YOLO3 = """
[net]
width=64
height=64
channels=3
# a comment
[convolutional]
batch_normalize=1
filters=8
size=3
stride=1
pad=1
activation=leaky
[maxpool]
size=2
stride=2
[convolutional]
batch_normalize=1
filters=16
size=3
stride=2
pad=1
activation=mish
[convolutional]
batch_normalize=1
filters=16
size=3
stride=1
pad=1
groups=4
activation=swish
[shortcut]
from=-2
activation=linear
[maxpool]
size=2
stride=1
[route]
layers=-1
groups=2
group_id=1
[convolutional]
filters=21
size=1
stride=1
pad=1
activation=linear
[yolo]
mask=3,4,5
anchors=10,14, 23,27, 37,58, 81,82, 135,169, 344,319
classes=2
num=6
[route]
layers=-4
[convolutional]
batch_normalize=1
filters=8
size=1
stride=1
pad=1
activation=leaky
[upsample]
stride=2
[route]
layers=-1,1
[convolutional]
filters=21
size=1
stride=1
pad=1
activation=linear
[yolo]
mask=0,1,2
anchors=10,14, 23,27, 37,58, 81,82, 135,169, 344,319
classes=2
num=6
"""
YOLO2 = """
[net]
width=32
height=32
channels=3
[convolutional]
batch_normalize=1
filters=4
size=3
stride=2
pad=1
activation=leaky
[route]
layers=-1
[reorg]
stride=2
[route]
layers=-1
[convolutional]
filters=27
size=1
stride=1
pad=1
activation=linear
[region]
anchors=1.3,1.7,3.2,4.0,5.0,8.1
classes=4
coords=4
num=3
softmax=1
"""
CLASSIFIER = """
[net]
width=28
height=28
channels=1
[convolutional]
filters=8
size=5
stride=1
pad=0
activation=relu
[maxpool]
size=3
stride=2
[convolutional]
batch_normalize=1
filters=16
size=3
pad=1
stride=1
activation=logistic
[avgpool]
[dropout]
probability=.5
[connected]
output=10
activation=linear
[softmax]
groups=1
"""


def counts(text):
    """Yield, for each layer with weights, how many biases, statistics and weights it has."""
    channels = None
    outputs = []
    for block in text.split("[")[1:]:
        kind, _, body = block.partition("]")
        lines = (line.partition("#")[0].replace(" ", "").split("=") for line in body.splitlines())
        given = {line[0]: line[1] for line in lines if len(line) == 2}
        number = lambda name, default=1: int(given.get(name, default))  # noqa: E731
        if kind == "net":
            channels = number("channels")
            continue
        if kind == "convolutional":
            filters = number("filters")
            yield (
                filters,
                number("batch_normalize", 0),
                filters * channels // number("groups") * number("size") ** 2,
            )
            channels = filters
        elif kind == "connected":
            yield number("output"), 0, number("output") * channels
            channels = number("output")
        elif kind == "route":
            layers = [int(each) for each in given["layers"].split(",")]
            channels = sum(outputs[each] for each in layers) // number("groups")
        elif kind == "reorg":
            channels *= number("stride") ** 2
        outputs.append(channels)


def weights(text):
    parts = [np.frombuffer(struct.pack("<iiiq", 0, 2, 0, 64), "<f4")]
    for filters, normalised, count in counts(text):
        parts.append(RANDOM.uniform(-0.3, 0.3, filters))
        if normalised:
            parts += [RANDOM.uniform(0.5, 1.5, filters), RANDOM.uniform(-0.3, 0.3, filters)]
            parts.append(RANDOM.uniform(0.5, 1.5, filters))
        parts.append(RANDOM.uniform(-1, 1, count) * (3 * filters / count) ** 0.5)
    return b"".join(
        part.astype("<f4").tobytes() if part.dtype != "<f4" else part.tobytes() for part in parts
    )


def logistic(x):
    return 1 / (1 + np.exp(-x))


def boxes(x, classes, softmax):
    """Return what Darknet's layer makes of the values that go in."""
    batch, _, height, width = x.shape
    x = x.reshape(batch, -1, 5 + classes, height, width).copy()
    x[:, :, :2] = logistic(x[:, :, :2])
    x[:, :, 4] = logistic(x[:, :, 4])
    if softmax:
        e = np.exp(x[:, :, 5:] - x[:, :, 5:].max(2, keepdims=True))
        x[:, :, 5:] = e / e.sum(2, keepdims=True)
    else:
        x[:, :, 5:] = logistic(x[:, :, 5:])
    return x.reshape(batch, -1, height, width)


def computed(name, net, image):
    net.setInput(image)
    names = {"yolo3": ["conv_7", "conv_13"], "yolo2": ["conv_4"], "classifier": ["softmax_6"]}[name]
    values = net.forward(names)
    if name == "classifier":
        return [values[0].reshape(len(image), -1)]
    return [boxes(each, 2 if name == "yolo3" else 4, name == "yolo2") for each in values]


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {"yolo3": YOLO3, "yolo2": YOLO2, "classifier": CLASSIFIER}.items():
        path = folder / f"{name}.cfg"
        path.write_text(text)
        path.with_suffix(".weights").write_bytes(weights(text))
        net = cv2.dnn.readNetFromDarknet(str(path), str(path.with_suffix(".weights")))
        net.enableFusion(False)
        side = {"yolo3": (3, 64, 64), "yolo2": (3, 32, 32), "classifier": (1, 28, 28)}[name]
        image = RANDOM.uniform(0, 1, (1, *side)).astype("float32")
        results = {f"y{i}": value for i, value in enumerate(computed(name, net, image))}
        np.savez(folder / f"{path.name}.npz", data=image, **results)
        print(path.name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
