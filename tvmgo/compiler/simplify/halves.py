# SPDX-License-Identifier: Apache-2.0
"""Weights that are made floats of when a model runs: kept as they are where kernels read them so."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from onnx import TensorProto, helper

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, rewrite_graph

HALVES = (TensorProto.FLOAT16, TensorProto.BFLOAT16)
BYTES = (TensorProto.INT8, TensorProto.UINT8)
# Initialisers are constants in models of earlier versions, whatever else they are.
SINCE = 4
READERS = ("Gemm", "MatMul")


def widen_what_is_gathered(model: Any) -> Any:
    """Let the rows of a table become floats that are read, not the table."""

    def rewrite(proto: Any, g: GraphEditor) -> bool:
        if proto.op_type == "Constant" and not proto.domain:
            (value,) = proto.attribute
            if value.name != "value" or value.t.data_type not in HALVES:
                return False
            if g.is_output(proto.output[0]):
                return False
            g.set_tensor(proto.output[0], value.t)
            return True
        source = g.maker(proto.input[0]) if proto.op_type == "Gather" else None
        if source is None or not (is_of_half(source, g) or is_of_bytes(source, g)):
            return False
        node = Node(proto, 0)
        axis = node.attributes.get("axis", 0)
        rows = g.add("Gather", [source.input[0], node.input(1)], axis=axis)
        given = {} if source.op_type == "DequantizeLinear" else {"to": TensorProto.FLOAT}
        g.add(source.op_type, [rows, *source.input[1:]], node.outputs, **given)
        return True

    rewrite_graph(model.graph, rewrite)
    return model


def is_of_half(proto: Any, g: GraphEditor) -> bool:
    """Whether a node makes float32 of a constant of two bytes an element."""
    if proto.op_type != "Cast" or proto.domain or proto.attribute[0].i != TensorProto.FLOAT:
        return False
    return g.has_constant(proto.input[0]) and g.element_type(proto.input[0]) in HALVES


def is_of_bytes(proto: Any, g: GraphEditor) -> bool:
    """Whether a node makes floats of constant bytes by one scale."""
    if proto.op_type != "DequantizeLinear" or proto.domain:
        return False
    values, scale = proto.input[:2]
    known = g.has_constant(values) and g.element_type(values) in BYTES
    return known and g.shape(scale) == []


def keep_halves(model: Any) -> list[str]:
    """Let no step fold what matrix products read, and return names for `release`.

    They become inputs, for which the constants are what they are if nobody gives any.
    """
    if model.ir_version < SINCE:
        return []
    readers: dict[str, set[str]] = defaultdict(set)
    for node in model.graph.node:
        for name in node.input:
            readers[name].add(node.op_type)
    halves = {each.name: each for each in model.graph.initializer if each.data_type in HALVES}
    inputs = {each.name for each in model.graph.input}
    kept = []
    transposes = {
        node.input[0]: node.output[0] for node in model.graph.node if node.op_type == "Transpose"
    }
    for node in model.graph.node:
        if node.op_type != "Cast" or node.input[0] not in halves.keys() - inputs:
            continue
        (result,) = node.output
        if readers[result] == {"Transpose"}:
            result = transposes[result]
        if (
            len(halves[node.input[0]].dims) == 2
            and readers[result]
            and readers[result] <= {*READERS}
        ):
            kept.append(node.input[0])
    for name in dict.fromkeys(kept):
        tensor = halves[name]
        value = helper.make_tensor_value_info(name, tensor.data_type, tensor.dims)
        model.graph.input.append(value)
    return kept


def release(model: Any, names: list[str]) -> Any:
    """Make constants of what `keep_halves` has kept."""
    inputs = [each for each in model.graph.input if each.name not in names]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    return model
