# SPDX-License-Identifier: Apache-2.0
"""One opset for the compilers: older operators are raised to it, newer ones lowered.

An operator stays as it is where the versions between differ in nothing but element types and in
attributes that say what was the case before they could be given. What a version changed otherwise
stands in `raising` and `lowering`; a version that is in neither is refused.
"""

from __future__ import annotations

from typing import Any

import onnx
from onnx import defs, version_converter

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite, rewrite_graph
from tvmgo.compiler.simplify.inference import infer
from tvmgo.compiler.simplify.lowering import LOWERED
from tvmgo.compiler.simplify.raising import RAISED, slope_along_channels

# The newest that ONNX Runtime, TVM 0.19 and today's importer all read; ReduceMean and Split
# have the form there that all later ones have.
NORMAL_OPSET = 18
# Below, ONNX's own converter does the broadcasting of that time.
OLDEST_OPSET = 7

STANDARD_DOMAINS = ("", "ai.onnx")


def opset_of(model: Any, domain: str = "") -> int:
    names = STANDARD_DOMAINS if domain in STANDARD_DOMAINS else (domain,)
    versions = [each.version for each in model.opset_import if each.domain in names]
    return versions[0] if versions else 1


def to_normal_opset(model: Any) -> Any:
    """Return the model in `NORMAL_OPSET`; types and shapes of values should be known.

    Raises
    ------
    ExportError
        If an operator does what that opset cannot say.
    """
    source = opset_of(model)
    if source < OLDEST_OPSET:
        model = infer(to_oldest_opset(model))
        source = OLDEST_OPSET
    if source == NORMAL_OPSET:
        return model
    table = RAISED if source < NORMAL_OPSET else LOWERED

    def convert(proto: Any, editor: GraphEditor) -> bool:
        return proto.domain in STANDARD_DOMAINS and convert_node(proto, editor, source, table)

    rewrite_graph(model.graph, convert)
    for each in model.opset_import:
        if each.domain in STANDARD_DOMAINS:
            each.version = NORMAL_OPSET
    return model


def to_oldest_opset(model: Any) -> Any:
    """Use ONNX's converter, which wants to find weights among the inputs, as was the rule then."""

    def prepare(proto: Any, editor: GraphEditor) -> bool:
        return proto.op_type == "PRelu" and slope_along_channels(Node(proto, 1), editor)

    rewrite_graph(model.graph, prepare)
    for tensor in model.graph.initializer:
        model.graph.input.append(
            onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        )
    weights = {tensor.name for tensor in model.graph.initializer}
    converted = version_converter.convert_version(model, OLDEST_OPSET)
    inputs = [value for value in converted.graph.input if value.name not in weights]
    del converted.graph.input[:]
    converted.graph.input.extend(inputs)
    return converted


def schema_at(operator: str, opset: int, domain: str = "") -> Any:
    try:
        return defs.get_schema(operator, opset, "" if domain in STANDARD_DOMAINS else domain)
    except defs.SchemaError:
        return None


def convert_node(proto: Any, editor: GraphEditor, source: int, table: dict[str, Rewrite]) -> bool:
    old, new = schema_at(proto.op_type, source), schema_at(proto.op_type, NORMAL_OPSET)
    if old is None:
        node = Node(proto, source)
        raise node.refuse(f"ONNX has no such operator in opset {source}")
    node = Node(proto, old.since_version)
    if new is not None and not new.deprecated and old.since_version == new.since_version:
        return False
    rewrite = table.get(proto.op_type)
    if rewrite is not None and rewrite(node, editor):
        return True
    if new is None or new.deprecated:
        raise node.refuse(f"opset {NORMAL_OPSET} has no such operator, and it is no function")
    drop_defaults(node, old, new)
    return False


def drop_defaults(node: Node, old: Any, new: Any) -> None:
    """Take away attributes that say nothing, after a check that the rest means the same."""
    for name, value in node.attributes.items():
        if name in new.attributes:
            continue
        gapless = name == "dilations" and all(step == 1 for step in value)
        if not gapless and value != default_value(old.attributes.get(name)):
            raise node.refuse(
                f"opset {NORMAL_OPSET} cannot say its attribute {name}={value!r} of "
                f"version {old.since_version}"
            )
        kept = [each for each in node.proto.attribute if each.name != name]
        del node.proto.attribute[:]
        node.proto.attribute.extend(kept)
    for name, attribute in old.attributes.items():
        said = default_value(attribute)
        if name in node.attributes or name not in new.attributes or said is None:
            continue
        if said != default_value(new.attributes[name]):
            node.proto.attribute.append(onnx.helper.make_attribute(name, said))
    if len(node.inputs) > new.max_input or len(node.inputs) < new.min_input:
        raise node.refuse(
            f"it has {len(node.inputs)} inputs, opset {NORMAL_OPSET} knows {new.min_input} to "
            f"{new.max_input}"
        )


def default_value(attribute: Any) -> Any:
    if attribute is None or not attribute.default_value.type:
        return None
    return onnx.helper.get_attribute_value(attribute.default_value)
