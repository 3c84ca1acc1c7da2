# SPDX-License-Identifier: Apache-2.0
"""TVM's ONNX importer, made strict.

What a converter has not read of a node is refused, unless it is the operator's default or one of
`HARMLESS`. What converters read and get wrong all the same is in `CONVERTERS`, which come before
TVM's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx
import tvm
from tvm import relax
from tvm.relax.frontend.onnx.onnx_frontend import ONNXGraphImporter

from tvmgo.compiler.errors import REWRITE_OPERATOR, VIRTUAL_MACHINE, as_export_error
from tvmgo.compiler.onnx_nodes import (
    TrackedAttributes,
    TrackedInputs,
    ignored,
    place_of,
    unread,
)
from tvmgo.compiler.relax.importing.checked_values import CheckedValues
from tvmgo.compiler.relax.importing.onnx_operators import CONVERTERS
from tvmgo.exceptions import ExportError


def from_onnx(model: Any, shapes: Mapping[str, list[int]]) -> tvm.IRModule:
    """Convert a model whose inputs have these shapes; input names are kept."""
    opset = next((each.version for each in model.opset_import if each.domain in ONNX_DOMAINS), 1)
    refuse_choices(model.graph)
    refuse_placeholders(model.graph)
    refuse_parts_of_bytes(model.graph)
    importer = StrictImporter(shapes, "float32", sanitize=False)
    importer._nodes = CheckedValues(model.graph)
    return importer.from_onnx(model.graph, opset)


ONNX_DOMAINS = ("", "ai.onnx")

# Attributes that say what another one or the shapes say too, or nothing about the result.
HARMLESS = {
    ("BatchNormalization", "momentum"),  # of statistics that inference does not change
    ("Dropout", "seed"),  # of random numbers that inference does not draw
    ("MaxPool", "storage_order"),  # of indices, which are made otherwise
    ("Split", "num_outputs"),  # the node has that many
}


# Of these, the importer makes the first output, and placeholders for the others. Where those are
# outputs of the model, their types give them away; between nodes, nothing would.
WITH_PLACEHOLDERS = {"Attention", "Dropout", "LayerNormalization", "SkipLayerNormalization"}


def refuse_placeholders(graph: Any) -> None:
    used = {name for node in graph.node for name in node.input if name}
    for node in graph.node:
        for position, name in enumerate(node.output):
            if position and name in used and node.op_type in WITH_PLACEHOLDERS:
                raise refuse(place_of(node.name, node.op_type), f"output {position}, `{name}`,")


def refuse_choices(graph: Any) -> None:
    """Refuse what `tvmgo.compiler.simplify` has not resolved: the importer goes into all of it."""
    for node in graph.node:
        if node.op_type in ("If", "Loop", "Scan"):
            reason = "data decide what it runs, and a graph runs all of its nodes, once each"
            raise ExportError(place_of(node.name, node.op_type), reason, VIRTUAL_MACHINE)


# Element types that share a byte.
PARTS_OF_BYTES = {
    *(onnx.TensorProto.INT4, onnx.TensorProto.UINT4, onnx.TensorProto.FLOAT4E2M1),
    *(getattr(onnx.TensorProto, name, None) for name in ("INT2", "UINT2")),
}


def refuse_parts_of_bytes(graph: Any) -> None:
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    for value in (*graph.input, *graph.output):
        types[value.name] = value.type.tensor_type.elem_type
    for name, code in types.items():
        if code in PARTS_OF_BYTES:
            dtype = onnx.helper.tensor_dtype_to_np_dtype(code).name
            reason = f"a graph has no element type {dtype!r}"
            raise ExportError(f"value `{name}`", reason, "cast to a type of whole bytes")


class StrictImporter(ONNXGraphImporter):  # type: ignore[misc]  # of type Any
    """TVM's importer, which refuses what it would pass over."""

    def _check_for_unsupported_ops(self, graph: Any) -> None:
        others = onnx.GraphProto(
            node=[each for each in graph.node if each.op_type not in CONVERTERS]
        )
        super()._check_for_unsupported_ops(others)

    def _convert_operator(
        self, name: str, inputs: list[Any], attributes: dict[str, Any], opset: int
    ) -> Any:
        tracked, arguments = TrackedAttributes(attributes), TrackedInputs(inputs)
        where = place_of(attributes["tvm_custom"]["name"], name)
        convert = CONVERTERS.get(name)
        with as_export_error(where, instead=REWRITE_OPERATOR):
            result = convert and convert(self.bb, arguments, tracked, where)
            if result is None:
                result = super()._convert_operator(name, arguments, tracked, opset)
            for what in unread(name, opset, tracked, arguments, HARMLESS, is_absent):
                raise refuse(where, what)
            return self.bb.normalize(result) if isinstance(result, relax.Expr) else result


def refuse(where: str, what: str) -> ExportError:
    return ExportError(where, ignored(what), REWRITE_OPERATOR)


def is_absent(value: Any) -> bool:
    """Whether an input that no converter reads says nothing: left out, or a constant False."""
    if isinstance(value, tvm.ir.GenericConst):
        return not value.value.numpy().any()
    return value is None
