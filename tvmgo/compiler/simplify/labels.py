# SPDX-License-Identifier: Apache-2.0
"""Maps and strings, which tensors cannot hold, made numbers: what classifiers return."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tvmgo.compiler.simplify.expansions.estimators.features import ENCODE
from tvmgo.exceptions import ExportError

DOMAIN = "ai.onnx.ml"
# Attributes of labels, and what they are as integers.
LABELS = {
    "TreeEnsembleClassifier": "classlabels_int64s",
    "LinearClassifier": "classlabels_ints",
    "SVMClassifier": "classlabels_ints",
}
STRINGS = "classlabels_strings"
SHOWN = 20  # labels in a note


def has_labels(model: Any) -> bool:
    """Whether there is anything for `as_numbers` to do."""
    values = (*model.graph.input, *model.graph.output)
    return any(node.op_type == "ZipMap" for node in model.graph.node) or any(
        value.type.tensor_type.elem_type == onnx.TensorProto.STRING for value in values
    )


def as_numbers(model: Any) -> dict[str, str]:
    """Let classifiers return matrices for maps, and the places of labels for strings.

    Parameters
    ----------
    model : onnx.ModelProto
        Changed.

    Returns
    -------
    dict of str to str
        What has changed, by the name of an output.

    Raises
    ------
    ExportError
        If an input is of strings.
    """
    if not has_labels(model):
        return {}
    graph = model.graph
    for value in graph.input:
        if value.type.tensor_type.elem_type == onnx.TensorProto.STRING:
            raise ExportError(f"input `{value.name}`", "its elements are strings", ENCODE)
    notes = {}
    for node in graph.node:
        if node.op_type == "ZipMap" and node.domain == DOMAIN:
            notes.update(without_map(graph, node))
    labels: dict[str, list[str]] = {}
    for node in graph.node:
        strings = label_strings(node)
        if strings:
            labels[node.output[0]] = strings
    labels.update(string_tables(graph))
    # A label passes through operators that choose or move.
    for node in graph.node:
        if node.input and node.input[0] in labels and node.op_type in MOVING:
            labels[node.output[0]] = labels[node.input[0]]
    for value in graph.output:
        tensor = value.type.tensor_type
        if tensor.elem_type == onnx.TensorProto.STRING and value.name in labels:
            tensor.elem_type = onnx.TensorProto.INT64
            shown = said(labels[value.name])
            notes[f"output `{value.name}`"] = f"the place of the label, from 0, among {shown}"
    for value in graph.value_info:
        if value.name in labels:
            value.type.tensor_type.elem_type = onnx.TensorProto.INT64
    return notes


MOVING = ("ArrayFeatureExtractor", "Gather", "Identity", "Reshape", "Squeeze", "Unsqueeze")


def without_map(graph: Any, node: Any) -> dict[str, str]:
    """Return the matrix that a map's numbers come from."""
    [keys] = [helper.get_attribute_value(each) for each in node.attribute]
    (output,) = node.output
    for value in graph.output:
        if value.name == output:
            kind = helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, [None, len(keys)])
            value.type.CopyFrom(kind)
    node.op_type, node.domain = "Identity", ""
    del node.attribute[:]
    shown = said([key.decode() if isinstance(key, bytes) else str(key) for key in keys])
    return {f"output `{output}`": f"a matrix instead of maps, with columns for {shown}"}


def said(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    return ", ".join(labels[:SHOWN]) + more


def label_strings(node: Any) -> list[str]:
    """Put integers in the place of a node's labels, and return these."""
    if node.domain != DOMAIN:
        return []
    attributes = {each.name: each for each in node.attribute}
    if node.op_type in LABELS and STRINGS in attributes:
        labels = decoded(attributes[STRINGS].strings)
        # Both may be there, one of them empty.
        drop(node, (STRINGS, LABELS[node.op_type]))
        node.attribute.append(helper.make_attribute(LABELS[node.op_type], range(len(labels))))
        return labels
    if node.op_type != "LabelEncoder":
        return []
    values = []
    if "values_strings" in attributes:
        values = decoded(attributes["values_strings"].strings)
    elif "values_tensor" in attributes:
        tensor = attributes["values_tensor"].t
        if tensor.data_type == onnx.TensorProto.STRING:
            values = decoded(tensor.string_data)
    if not values:
        return []
    labels = list(dict.fromkeys(values))
    drop(node, ("values_strings", "values_tensor", "default_string", "default_tensor"))
    places = [labels.index(value) for value in values]
    if "keys_tensor" in attributes:
        tensor = numpy_helper.from_array(np.array(places, np.int64))
        node.attribute.append(helper.make_attribute("values_tensor", tensor))
        default = numpy_helper.from_array(np.array([-1], np.int64))
        node.attribute.append(helper.make_attribute("default_tensor", default))
    else:
        node.attribute.append(helper.make_attribute("values_int64s", places))
    return labels


def decoded(strings: Iterable[bytes]) -> list[str]:
    return [string.decode() for string in strings]


def drop(node: Any, names: Sequence[str]) -> None:
    kept = [each for each in node.attribute if each.name not in names]
    del node.attribute[:]
    node.attribute.extend(kept)


def string_tables(graph: Any) -> dict[str, list[str]]:
    """Put numbers in the place of constants of strings, and return these by their names."""
    found = {}
    for tensor in graph.initializer:
        if tensor.data_type == onnx.TensorProto.STRING:
            found[tensor.name] = decoded(tensor.string_data)
            places = np.arange(len(found[tensor.name])).reshape(list(tensor.dims))
            tensor.CopyFrom(numpy_helper.from_array(places, tensor.name))
    return found
