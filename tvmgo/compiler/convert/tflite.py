# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite, by tf2onnx; what the model computes says the interpreter of TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf2onnx

from tvmgo.compiler.convert.request import OPSET, Request


def convert(request: Request, path: Path) -> dict[str, str]:
    tf2onnx.convert.from_tflite(str(request.model), opset=OPSET, output_path=str(path))
    return {"tensorflow": tf.__version__, "tf2onnx": tf2onnx.__version__}


def compute(request: Request, inputs: Mapping[str, np.ndarray]) -> tuple[str, list[np.ndarray]]:
    interpreter = tf.lite.Interpreter(str(request.model))
    details = interpreter.get_input_details()
    for each in details:
        interpreter.resize_tensor_input(each["index"], inputs[each["name"]].shape)
    interpreter.allocate_tensors()
    for each in details:
        interpreter.set_tensor(each["index"], inputs[each["name"]])
    interpreter.invoke()
    values = [interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details()]
    return f"TensorFlow Lite {tf.__version__}", values
