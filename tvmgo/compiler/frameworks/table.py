# SPDX-License-Identifier: Apache-2.0
"""The frameworks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Framework:
    """A kind of model that a worker converts to ONNX.

    Attributes
    ----------
    title : str
        What people call it.
    converter : str
        Who makes ONNX of it.
    environment : str
        What `tvmgo.compiler.environments` calls the one that has the framework and the converter.
    """

    title: str
    converter: str
    environment: str


# By the name of their module in `tvmgo.compiler.convert`.
FRAMEWORKS = {
    "pytorch": Framework("PyTorch", "torch.onnx", "pytorch"),
    "tensorflow": Framework("TensorFlow", "tf2onnx", "tensorflow"),
    "keras": Framework("Keras", "tf2onnx", "tensorflow"),
    "tflite": Framework("TensorFlow Lite", "tf2onnx", "tensorflow"),
    "paddle": Framework("PaddlePaddle", "paddle2onnx", "paddle"),
    "mxnet": Framework("MXNet", "mx2onnx", "mxnet"),
    "coreml": Framework("Core ML", "onnxmltools", "coreml"),
    "darknet": Framework("Darknet", "tvmgo", "simplify"),
}
