# SPDX-License-Identifier: Apache-2.0
"""Core ML's neural networks, by onnxmltools; what they compute says Core ML, on macOS alone.

Elsewhere nobody can say it, so only layers pass that were held beside the arithmetic of Apple's specification.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import coremltools
import numpy as np
import onnx
import onnxmltools

from tvmgo.compiler.convert.request import Request
from tvmgo.exceptions import ExportError

OPSET = 11  # the newest of what its converters write
NETWORKS = ("neuralNetwork", "neuralNetworkRegressor", "neuralNetworkClassifier")
FLOAT32 = 65568  # ArrayFeatureType.ArrayDataType
AGAIN = "convert the model from which it was made"

# Kinds of layers that are tried, see tests/frameworks/making/coreml_files.py; others are refused.
LAYERS = frozenset(
    (
        *("activation", "add", "batchnorm", "concat", "convolution", "flatten", "innerProduct"),
        *("max", "multiply", "pooling", "softmax", "upsample"),
    )
)
ACTIVATIONS = ("ReLU", "leakyReLU", "ELU", "tanh", "sigmoid", "linear")


def convert(request: Request, path: Path) -> dict[str, str]:
    specification = coremltools.utils.load_spec(str(file_of(request.model)))
    network = network_of(specification)
    for layer in network.layers:
        check(layer)
    for weights in messages_of(network, "WeightParams"):
        in_float32(weights)
    model = onnxmltools.convert_coreml(specification, "model", target_opset=OPSET)
    model.ir_version = 8  # of what it wrote before, weights had to be inputs
    onnx.checker.check_model(model)
    refuse_planes(model)
    onnx.save(model, path)
    return {"coremltools": coremltools.__version__, "onnxmltools": onnxmltools.__version__}


def file_of(model: Path) -> Path:
    """Return the specification, which a package (.mlpackage) has inside."""
    return model / "Data" / "com.apple.CoreML" / "model.mlmodel" if model.is_dir() else model


def network_of(specification: Any) -> Any:
    """Return the layers of a network; a classifier becomes one that returns probabilities, without labels."""
    kind = specification.WhichOneof("Type")
    if kind == "mlProgram":
        raise ExportError("the model", "it is an ML program, which nothing converts to ONNX", AGAIN)
    if kind not in NETWORKS:
        raise ExportError("the model", f"it is a {kind}, not a neural network", AGAIN)
    network = getattr(specification, kind)
    if (
        "arrayInputShapeMapping" in network.DESCRIPTOR.fields_by_name
        and network.arrayInputShapeMapping
    ):
        reason = "its arrays have any number of dimensions (version 4 of the format and later)"
        raise ExportError("the model", reason, "save it with arrays of one or three dimensions")
    for each in network.preprocessing:
        if each.WhichOneof("preprocessor") != "scaler":
            reason = f"it prepares pictures by {each.WhichOneof('preprocessor')}"
            raise ExportError(
                "the model", reason, "subtract the mean before the model, and save it without"
            )
    return without_labels(specification) if kind == "neuralNetworkClassifier" else network


def without_labels(specification: Any) -> Any:
    classifier = specification.neuralNetworkClassifier
    result = classifier.labelProbabilityLayerName or classifier.layers[-1].output[0]
    description = specification.description
    mapped = (description.predictedFeatureName, description.predictedProbabilitiesName)
    outputs = [each for each in description.output if each.name not in mapped]
    network = type(specification)().neuralNetwork
    network.layers.extend(classifier.layers)
    network.preprocessing.extend(classifier.preprocessing)
    specification.neuralNetwork.CopyFrom(network)  # in the place of the classifier
    del description.output[:]
    description.output.extend(outputs)
    probabilities = description.output.add(name=result)
    probabilities.type.multiArrayType.dataType = FLOAT32
    return specification.neuralNetwork


def check(layer: Any) -> None:
    kind = layer.WhichOneof("layer")
    if reason := objection(kind, getattr(layer, kind)):
        raise ExportError(f"Core ML: layer `{layer.name}`", reason, AGAIN)


def objection(kind: str, given: Any) -> str:
    """Return why a layer is refused, or nothing."""
    faults: dict[str, Callable[[], object]] = {
        "activation": lambda: (
            (given.WhichOneof("NonlinearityType") not in ACTIVATIONS)
            and f"the activation {given.WhichOneof('NonlinearityType')} is not supported"
        ),
        "batchnorm": lambda: (
            (given.instanceNormalization or given.computeMeanVar)
            and "statistics that are computed of the picture itself are not supported"
        ),
        "concat": lambda: given.sequenceConcat and "sequences are not supported",
        "convolution": lambda: (
            (given.isDeconvolution and "transposed convolutions are not supported")
            or (
                given.same.asymmetryMode
                and "SAME padding with more of it at the beginning is not supported"
            )
        ),
        "pooling": lambda: (
            (
                given.WhichOneof("PoolingPaddingType") != "valid"
                and f"{given.WhichOneof('PoolingPaddingType')} padding of a pool is not supported"
            )
            or (given.type == given.L2 and "pools of the kind L2 are not supported")
            or (
                given.type == given.AVERAGE
                and any(
                    each.startEdgeSize or each.endEdgeSize
                    for each in given.valid.paddingAmounts.borderAmounts
                )
                and "an average with padding is not supported"
            )
        ),
        "upsample": lambda: given.mode != given.NN and "only the nearest neighbour is supported",
    }
    if kind not in LAYERS:
        return f"layers of the kind {kind} are not supported"
    return str(faults[kind]() or "") if kind in faults else ""


def refuse_planes(model: onnx.ModelProto) -> None:
    """Refuse a softmax of planes: Core ML takes it over channels, what was made of it over all numbers."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    shapes = {
        each.name: [dim.dim_value for dim in each.type.tensor_type.shape.dim]
        for each in (*graph.input, *graph.value_info, *graph.output)
    }
    for node in graph.node:
        if node.op_type == "Softmax" and set(shapes.get(node.input[0], [0] * 3)[2:]) - {1}:
            reason = "a softmax over the channels of planes is not supported"
            raise ExportError(f"Core ML: layer `{node.name}`", reason, AGAIN)


def messages_of(message: Any, name: str) -> Iterator[Any]:
    """Find all messages of a type in another one."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for each in [value] if hasattr(value, "ListFields") else value:
            if field.message_type.name == name:
                yield each
            else:
                yield from messages_of(each, name)


def in_float32(weights: Any) -> None:
    """Write weights as the only kind that onnxmltools reads; of others it would read none."""
    if weights.rawValue or weights.int8RawValue or weights.HasField("quantization"):
        raise ExportError(
            "the model", "its weights are quantised", "save it with weights of float32 or float16"
        )
    if weights.float16Value:
        weights.floatValue.extend(
            np.frombuffer(weights.float16Value, np.float16).astype(np.float32)
        )
        weights.float16Value = b""


def compute(request: Request, inputs: Mapping[str, np.ndarray]) -> tuple[str, list[np.ndarray]]:
    raise NotImplementedError("Core ML runs on Apple's systems alone")
