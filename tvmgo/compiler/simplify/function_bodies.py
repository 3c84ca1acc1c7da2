# SPDX-License-Identifier: Apache-2.0
"""Bodies of ONNX's own functions, put in the place of a node.

ONNX's inliner does so too, but fails where a node leaves an input out, and where the body holds
graphs of its own.
"""

from __future__ import annotations

from typing import Any

import onnx

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node
from tvmgo.compiler.simplify.insertion import Copier


def insert_body(proto: Any, schema: Any, opset: int, editor: GraphEditor) -> None:
    """Add what defines a node, in the words of an opset.

    Raises
    ------
    ExportError
        If the definition does not cover this use of the operator.
    """
    proto = with_all_digits(proto, schema, editor)
    function = body_of(proto, schema, opset, editor)
    names = dict.fromkeys(function.input, "")
    names.update(zip(function.input, proto.input))
    names.update((inner, outer) for inner, outer in zip(function.output, proto.output) if outer)
    attributes = {
        name: attribute.default_value
        for name, attribute in schema.attributes.items()
        if attribute.default_value.type
    }
    attributes.update({each.name: each for each in proto.attribute})
    editor.nodes.extend(Copier(editor, names, attributes).copied(function.node))


def with_all_digits(proto: Any, schema: Any, editor: GraphEditor) -> Any:
    """Return a node that computes with float64 what it is given so, as ONNX Runtime does.

    The standard's normalisations say in which type they do so, by default float32.
    """
    known = editor.type_of(proto.input[0]) if proto.input else None
    if "stash_type" not in schema.attributes or known is None:
        return proto
    if known.elem_type != onnx.TensorProto.DOUBLE:
        return proto
    wide = onnx.NodeProto()
    wide.CopyFrom(proto)
    del wide.attribute[:]
    wide.attribute.extend(each for each in proto.attribute if each.name != "stash_type")
    wide.attribute.append(onnx.helper.make_attribute("stash_type", onnx.TensorProto.DOUBLE))
    return wide


def body_of(proto: Any, schema: Any, opset: int, editor: GraphEditor) -> Any:
    made_for = [v for v in schema.context_dependent_function_opset_versions if v <= opset]
    fixed = [v for v in schema.function_opset_versions if v <= opset]
    text = b""
    if made_for:
        types = [serialized_type(editor, name) for name in proto.input]
        text = schema.get_context_dependent_function_with_opset_version(
            max(made_for), proto.SerializeToString(), types
        )
    elif fixed:
        text = schema.get_function_with_opset_version(max(fixed))
    if not text:
        raise Node(proto, 0).refuse("ONNX's definition of it does not cover this use")
    return onnx.FunctionProto.FromString(text)


def serialized_type(editor: GraphEditor, name: str) -> bytes:
    value = onnx.TypeProto()
    known = editor.type_of(name)
    if known is not None:
        value.tensor_type.CopyFrom(known)
    return bytes(value.SerializeToString())
