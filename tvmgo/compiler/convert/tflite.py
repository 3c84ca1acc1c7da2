# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite, by tf2onnx; what a model computes says the interpreter of TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from tvmgo.compiler.convert.names import rename
from tvmgo.compiler.convert.request import OPSET, Request


def convert(request: Request, path: Path) -> dict[str, str]:
    model, _ = tf2onnx.convert.from_tflite(str(request.model), opset=OPSET)
    inputs, outputs = details_of(tf.lite.Interpreter(str(request.model)))
    rename(
        model,
        {each["name"]: name for name, each in inputs.items()},
        {each["name"]: name for name, each in outputs.items()},
    )
    forget_carried_shapes(model.graph)
    onnx.save(model, path)
    return {"tensorflow": tf.__version__, "tf2onnx": tf2onnx.__version__}


def forget_carried_shapes(graph: Any) -> None:
    """Leave out the shapes of what loops carry, which ONNX infers: tf2onnx says of tensors that one loop gets of
    another that they have no dimensions, and no runtime loads that."""
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                body = attribute.g
                # The count and the condition of a loop are numbers, which has to be said.
                for value in (*body.input[2:], *body.output[1:], *body.value_info):
                    value.type.tensor_type.ClearField("shape")
                forget_carried_shapes(body)


def compute(request: Request, inputs: Mapping[str, np.ndarray]) -> tuple[str, list[np.ndarray]]:
    interpreter = tf.lite.Interpreter(str(request.model))
    ins, outs = details_of(interpreter)
    for name, each in ins.items():
        interpreter.resize_tensor_input(each["index"], inputs[name].shape)
    interpreter.allocate_tensors()
    for name, each in ins.items():
        interpreter.set_tensor(each["index"], inputs[name])
    interpreter.invoke()
    values = [interpreter.get_tensor(each["index"]) for each in outs.values()]
    return f"TensorFlow Lite {tf.__version__}", values


def details_of(interpreter: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what there is to know of inputs and outputs, by their names in the signature, if the file has one
    that says all, else by those of tensors."""
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    signatures = interpreter.get_signature_list()
    if len(signatures) == 1:
        runner = interpreter.get_signature_runner(next(iter(signatures)))
        named = runner.get_input_details(), dict(sorted(runner.get_output_details().items()))
        if [*map(len, named)] == [len(inputs), len(outputs)]:
            return named
    return {each["name"]: each for each in inputs}, {each["name"]: each for each in outputs}
