# SPDX-License-Identifier: Apache-2.0
"""TVM's ONNX importer, made strict.

TVM converts an operator without reading all that the node says: an attribute that its converter
does not know is as good as absent, and the result silently another. So each converter gets
attributes and inputs that track which of them are read, and what was not read is refused, unless
it is the operator's default or one of `HARMLESS`. What converters read and get wrong all the same
is in `CONVERTERS`, which come before TVM's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import onnx
import tvm
from tvm import relax
from tvm.relax.frontend.onnx.onnx_frontend import ONNXGraphImporter, onnx_input

from tvmgo.compiler.errors import REWRITE_OPERATOR
from tvmgo.compiler.relax.importing.checked_values import CheckedValues, place_of
from tvmgo.compiler.relax.importing.onnx_operators import CONVERTERS
from tvmgo.exceptions import ExportError


def from_onnx(model: Any, shapes: Mapping[str, list[int]]) -> tvm.IRModule:
    """Convert a model whose inputs have these shapes; input names are kept."""
    opset = next((each.version for each in model.opset_import if each.domain in ONNX_DOMAINS), 1)
    refuse_placeholders(model.graph)
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


class TrackedAttributes(dict[str, Any]):
    """Attributes of a node; knows which were read."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.read = {"tvm_custom"}  # put there by the importer, not by the model

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 (this is `get`)


class TrackedInputs(onnx_input):  # type: ignore[misc]  # of type Any
    """Inputs of a node, None beyond the last as in TVM's own; knows which were read."""

    def __init__(self, values: list[Any]) -> None:
        super().__init__(values)
        self.read: set[int] = set()

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            stop = len(self) if index.stop is None else index.stop
            return [self[i] for i in range(stop)[index]]
        self.read.add(index % max(len(self), 1) if index < 0 else index)
        return list.__getitem__(self, index) if index < len(self) else None

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))


class StrictImporter(ONNXGraphImporter):  # type: ignore[misc]  # of type Any
    """TVM's importer, which refuses what it would pass over."""

    def _convert_operator(
        self, name: str, inputs: list[Any], attributes: dict[str, Any], opset: int
    ) -> Any:
        tracked, arguments = TrackedAttributes(attributes), TrackedInputs(inputs)
        where = place_of(attributes["tvm_custom"]["name"], name)
        convert = CONVERTERS.get(name)
        result = convert and convert(self.bb, arguments, tracked, where)
        if result is None:
            result = super()._convert_operator(name, arguments, tracked, opset)
        for unread in attributes.keys() - tracked.read:
            value = attributes[unread]
            if (name, unread) not in HARMLESS and value != default_of(name, unread, opset):
                raise refuse(where, f"{unread}={printable(value)}")
        for position, value in enumerate(inputs):
            if position not in arguments.read and not is_absent(value):
                raise refuse(where, f"input {position}")
        return self.bb.normalize(result) if isinstance(result, relax.Expr) else result


def refuse(where: str, what: str) -> ExportError:
    reason = f"TVM's importer would ignore {what} and compute something else"
    return ExportError(where, reason, REWRITE_OPERATOR)


def default_of(name: str, attribute: str, opset: int) -> Any:
    """Return what the standard takes an attribute for that is not there, as TVM parses it."""
    try:
        default = onnx.defs.get_schema(name, opset, "").attributes[attribute].default_value
    except (onnx.defs.SchemaError, KeyError):
        return None
    value = onnx.helper.get_attribute_value(default) if default.type else None
    return tuple(value) if isinstance(value, list) else value


def is_absent(value: Any) -> bool:
    """Whether an input that no converter reads says nothing: left out, or a constant False."""
    if isinstance(value, tvm.ir.GenericConst):
        return not value.value.numpy().any()
    return value is None


def printable(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
