# SPDX-License-Identifier: Apache-2.0
"""What a node is, by its domain and name; functions put in the place of their calls."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import onnx
from onnx import inliner

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, rewrite_graph
from tvmgo.compiler.simplify.inference import infer
from tvmgo.compiler.simplify.opset import STANDARD_DOMAINS, opset_of, schema_at
from tvmgo.compiler.simplify.weights import without_weights
from tvmgo.exceptions import ExportError

KnownOperators = Mapping[str, Collection[str]]  # names of operators by domain

# Functions that the compilers know as operators of their own: kept whole.
KNOWN = {
    *("Clip", "Elu", "GreaterOrEqual", "HardSigmoid", "HardSwish", "LayerNormalization"),
    *("LeakyRelu", "LessOrEqual", "LogSoftmax", "PRelu", "ReduceL1", "ReduceL2", "ReduceLogSum"),
    *("ReduceLogSumExp", "ReduceSumSquare", "Relu", "Selu", "Shrink", "Softmax", "Softsign"),
    *("ThresholdedRelu", "DepthToSpace", "SpaceToDepth", "Range", "Bernoulli"),
    # These have an expansion of ours.
    *("GroupNormalization", "MeanVarianceNormalization", "Mish", "Softplus"),
    "DynamicQuantizeLinear",
}


def inline_functions(model: Any) -> Any:
    """Put the bodies of the model's own functions in the place of their calls."""
    if not model.functions:
        return model
    return without_weights(inliner.inline_local_functions, model)


def check_domains(model: Any, known: KnownOperators) -> None:
    """Refuse operators that neither ONNX nor `known` has."""

    def check(proto: Any, _: GraphEditor) -> bool:
        if proto.domain in STANDARD_DOMAINS:
            proto.domain = ""
        elif proto.op_type not in known.get(proto.domain, ()):
            raise ExportError(
                Node(proto, 0).place,
                f"its domain is {proto.domain!r}, and the model does not define it",
                "put the function's body in its place, or use standard operators",
            )
        return False

    rewrite_graph(model.graph, check)
    for each in model.opset_import:
        if each.domain in STANDARD_DOMAINS:
            each.domain = ""


def expand_functions(model: Any) -> Any:
    """Expand operators that ONNX defines by a function and that no compiler has."""
    while True:
        calls = [node for node in model.graph.node if to_expand(model, node)]
        if not calls:
            return model
        for node in calls:
            say_defaults(node, schema_at(node.op_type, opset_of(model)))
        say_types_of_constants(model.graph)
        wanted = sorted({("", node.op_type) for node in calls})
        try:
            expanded = without_weights(partial(inline, wanted), model)
        except RuntimeError as error:
            reason = f"its function cannot be put in its place: {error}"
            raise Node(calls[0], 0).refuse(reason) from error
        model = infer(expanded)


def inline(wanted: list[tuple[str, str]], model: Any) -> Any:
    return inliner.inline_selected_functions(model, wanted, inline_schema_functions=True)


def say_defaults(node: Any, schema: Any) -> None:
    """Give a call the attributes that it leaves out; the inliner looks for them there only."""
    given = {each.name for each in node.attribute}
    for name, attribute in schema.attributes.items():
        if name not in given and attribute.default_value.type:
            node.attribute.append(attribute.default_value)


def say_types_of_constants(graph: Any) -> None:
    """Declare constants like other values; the inliner looks for types there only."""
    said = {value.name for value in (*graph.value_info, *graph.input)}
    for tensor in graph.initializer:
        if tensor.name not in said:
            graph.value_info.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            )


def to_expand(model: Any, node: Any) -> bool:
    if node.domain not in STANDARD_DOMAINS or node.op_type in KNOWN:
        return False
    schema = schema_at(node.op_type, opset_of(model))
    return schema is not None and (schema.has_function or schema.has_context_dependent_function)
