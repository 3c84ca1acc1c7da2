# SPDX-License-Identifier: Apache-2.0
"""TensorFlow, by tf2onnx: a SavedModel, or a graph with its weights inside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tvmgo.compiler.convert.concrete import write_function, write_graph
from tvmgo.compiler.convert.request import Request
from tvmgo.exceptions import ExportError

SIGNATURE = "serving_default"
NO_RESULTS = ("Assert", "Const", "NoOp", "Placeholder")


def convert(request: Request, path: Path) -> dict[str, str]:
    if not request.model.is_dir():
        graph = graph_of(request.model)
        inputs, outputs = inputs_of(graph), outputs_of(graph)
        return write_graph(graph, inputs, outputs, path, shapes_of(graph, request))
    model = tf.saved_model.load(str(request.model))  # its functions do not keep it alive
    function = signature_of(model)
    return write_function(function, *names_of(function), path)


def compute(request: Request, inputs: Mapping[str, np.ndarray]) -> tuple[str, list[np.ndarray]]:
    values = {name: tf.constant(value) for name, value in inputs.items()}
    if request.model.is_dir():
        model = tf.saved_model.load(str(request.model))
        function = signature_of(model)
        results = function(**values)
        found = [results[name] for name in names_of(function)[1]]
    else:
        graph = graph_of(request.model)
        function = tf.compat.v1.wrap_function(
            lambda: tf.graph_util.import_graph_def(graph, name=""), []
        )
        tensors = [function.graph.get_tensor_by_name(name) for name in outputs_of(graph)]
        feeds = [function.graph.get_tensor_by_name(name) for name in inputs_of(graph)]
        found = function.prune(feeds, tensors)(
            *(values[name] for name in inputs_of(graph).values())
        )
    return f"TensorFlow {tf.__version__}", [np.asarray(each) for each in found]


# ---------------------------------------------------------------- a SavedModel


def signature_of(model: Any) -> Any:
    """Return the function that a SavedModel is there for."""
    signatures = model.signatures
    if SIGNATURE in signatures:
        return signatures[SIGNATURE]
    if len(signatures) == 1:
        return next(iter(signatures.values()))
    raise ExportError(
        "TensorFlow: the SavedModel",
        f"it has no signature {SIGNATURE!r}; it has {sorted(signatures) or 'none'}",
        "save it with one: tf.saved_model.save(model, folder, signatures=function)",
    )


def names_of(function: Any) -> tuple[list[str], list[str]]:
    """Return the names of a signature's inputs and outputs, in the order of its tensors."""
    return sorted(function.structured_input_signature[1]), sorted(function.structured_outputs)


# ---------------------------------------------------------------- a graph


def graph_of(path: Path) -> Any:
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except Exception as error:  # protobuf's classes depend on its release
        raise ExportError(
            f"reading {path}", f"it is no GraphDef of TensorFlow: {error}", "give a frozen graph"
        ) from error
    variables = [
        node.name for node in graph.node if node.op in ("VarHandleOp", "VariableV2", "Variable")
    ]
    if variables:
        raise ExportError(
            f"TensorFlow: node `{variables[0]}`",
            "it is a variable, whose value is not in the file",
            "export the SavedModel, or freeze the graph",
        )
    return graph


def read_in(graph: Any) -> set[str]:
    """Return the names of nodes whose results others use."""
    return {name.lstrip("^").partition(":")[0] for node in graph.node for name in node.input}


def placeholders(graph: Any) -> list[Any]:
    """Return the nodes that are fed; what freezing has left of loops is used by nobody."""
    read = read_in(graph)
    return [node for node in graph.node if node.op == "Placeholder" and node.name in read]


def inputs_of(graph: Any) -> dict[str, str]:
    """Return the tensors that are fed, with their nodes' names."""
    return {f"{node.name}:0": node.name for node in placeholders(graph)}


def outputs_of(graph: Any) -> dict[str, str]:
    """Return the tensors of nodes that nobody reads."""
    read = read_in(graph)
    found = {
        f"{node.name}:0": node.name
        for node in graph.node
        if node.name not in read and node.op not in NO_RESULTS
    }
    if not found:
        raise ExportError(
            "TensorFlow: the graph", "none of its nodes is a result", "give a frozen graph"
        )
    return found


def shapes_of(graph: Any, request: Request) -> dict[str, list[int]]:
    """Return the shapes of inputs of which the graph does not even know the number of dimensions."""
    unknown = [node.name for node in placeholders(graph) if node.attr["shape"].shape.unknown_rank]
    for name in unknown:
        if name not in request.shapes:
            raise ExportError(
                f"TensorFlow: input `{name}`",
                "its number of dimensions is open",
                f"pass shapes={{{name!r}: ...}}",
            )
    return {f"{name}:0": request.shapes[name] for name in unknown}
