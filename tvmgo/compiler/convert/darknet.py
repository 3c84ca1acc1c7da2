# SPDX-License-Identifier: Apache-2.0
"""Darknet's networks, a ``.cfg`` beside its ``.weights``, to ONNX.

What a layer computes is what `forward_*_layer` of Darknet does with batches of 1 and ``train=0``. Outputs are those
of the yolo, region and detection layers as Darknet has them, before boxes are made of them; else that of
the last layer. There is no package of Darknet, and so nobody who could be asked what a model computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx

from tvmgo.compiler.convert.darknet_files import Weights, read_network, weights_of
from tvmgo.compiler.convert.darknet_layers import DETECTORS, Network, layer_of
from tvmgo.compiler.convert.onnx_writer import Writer
from tvmgo.compiler.convert.request import Request

INPUT = "data"


def convert(request: Request, path: Path) -> dict[str, str]:
    configuration, weights_path = weights_of(request.model)
    net, sections = read_network(configuration)
    size = tuple(net.integer(name, 0) for name in ("channels", "height", "width"))
    size = size if all(size) else (net.integer("inputs", 0),)
    if not all(size):
        raise net.refuse("expected its size: channels, height and width, or inputs")
    writer = Writer()
    weights = Weights(weights_path)
    network = Network(writer, weights, INPUT, size)
    for index, section in enumerate(sections):
        layer_of(section)(network, section)
        network.end_layer(index, section)
    weights.check_all_read()
    found = [(f"{each.kind}_{i}", i) for i, each in enumerate(sections) if each.kind in DETECTORS]
    outputs = found or [("output", len(sections) - 1)]
    for name, index in outputs:
        writer.name_output(network.layers[index].name, name, ("batch", *network.layers[index].size))
    writer.save(path, {INPUT: ("batch", *size)})
    return {"onnx": onnx.__version__}


def compute(request: Request, inputs: Mapping[str, np.ndarray]) -> tuple[str, list[np.ndarray]]:
    raise NotImplementedError("there is no package of Darknet")
