# SPDX-License-Identifier: Apache-2.0
"""What a node is, by its domain and name; functions put in the place of their calls."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from onnx import inliner

from tvmgo.compiler.errors import as_export_error
from tvmgo.compiler.simplify.function_bodies import insert_body
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, rewrite_graph, subgraphs
from tvmgo.compiler.simplify.inference import infer
from tvmgo.compiler.simplify.opset import STANDARD_DOMAINS, opset_of, schema_at
from tvmgo.compiler.simplify.weights import without_weights
from tvmgo.exceptions import ExportError

KnownOperators = Mapping[str, Collection[str]]  # names of operators by domain

# What to do about operators of a domain that no compiler takes.
INSTEAD = {
    "ai.onnx.ml": "let the model begin and end with tensors of numbers: maps and texts are for "
    "what is around it"
}

# Functions that the compilers know as operators of their own: kept whole.
KNOWN = {
    *("Clip", "Elu", "GreaterOrEqual", "HardSigmoid", "HardSwish", "LayerNormalization"),
    *("LeakyRelu", "LessOrEqual", "LogSoftmax", "PRelu", "ReduceL1", "ReduceL2", "ReduceLogSum"),
    *("ReduceLogSumExp", "ReduceSumSquare", "Relu", "Selu", "Shrink", "Softmax", "Softsign"),
    *("ThresholdedRelu", "DepthToSpace", "SpaceToDepth", "Range", "Bernoulli"),
    # These have an expansion of ours.
    *("Celu", "GroupNormalization", "MeanVarianceNormalization", "Mish", "Softplus"),
    "DynamicQuantizeLinear",
}


def inline_functions(model: Any) -> Any:
    """Put the bodies of the model's own functions in the place of their calls.

    Raises
    ------
    ExportError
        If a function is of another opset than the model, and cannot be said in the model's.
    """
    if not model.functions:
        return model
    opset = opset_of(model, "")
    for function in model.functions:
        take_opset(function, opset)
    with as_export_error("the model's functions", instead="write them in the model's own opset"):
        return without_weights(lambda each: inliner.inline_local_functions(each, True), model)


def take_opset(function: Any, opset: int) -> None:
    """Put a function into another opset where its operators are the same there.

    ONNX's inliner has a converter for others, which needs types that functions seldom have.
    """
    for each in function.opset_import:
        if each.domain in STANDARD_DOMAINS and all(
            version_of(name, each.version) == version_of(name, opset)
            for name in standard_operators(function.node)
        ):
            each.version = opset


def version_of(operator: str, opset: int) -> int | None:
    """Return the opset that defined an operator as this one has it."""
    schema = schema_at(operator, opset)
    return None if schema is None else int(schema.since_version)


def standard_operators(nodes: Any) -> Iterator[str]:
    """Give the names of ONNX's own operators among nodes, and in graphs inside them."""
    for node in nodes:
        if node.domain in STANDARD_DOMAINS:
            yield node.op_type
        for graph in subgraphs(node):
            yield from standard_operators(graph.node)


def check_domains(model: Any, known: KnownOperators) -> None:
    """Refuse operators that neither ONNX nor `known` has."""

    def check(proto: Any, _: GraphEditor) -> bool:
        if proto.domain in STANDARD_DOMAINS:
            proto.domain = ""
        elif proto.op_type not in known.get(proto.domain, ()) and not to_expand(model, proto):
            raise ExportError(
                Node(proto, 0).place,
                f"its domain is {proto.domain!r}, and the model does not define it",
                INSTEAD.get(
                    proto.domain, "put the function's body in its place, or use standard operators"
                ),
            )
        return False

    rewrite_graph(model.graph, check)
    for each in model.opset_import:
        if each.domain in STANDARD_DOMAINS:
            each.domain = ""


def expand_functions(model: Any) -> Any:
    """Expand operators that ONNX defines by a function and that no compiler has."""
    expanded = False

    def expand(proto: Any, editor: GraphEditor) -> bool:
        nonlocal expanded
        if not to_expand(model, proto):
            return False
        opset = opset_of(model, proto.domain)
        insert_body(proto, schema_at(proto.op_type, opset, proto.domain), opset, editor)
        expanded = True
        return True

    while True:
        expanded = False
        rewrite_graph(model.graph, expand)
        if not expanded:
            return model
        model = infer(model)


def to_expand(model: Any, node: Any) -> bool:
    """Whether ONNX, or what it previews, defines a node by a function that we want."""
    if node.domain in STANDARD_DOMAINS and node.op_type in KNOWN:
        return False
    schema = schema_at(node.op_type, opset_of(model, node.domain), node.domain)
    return schema is not None and (schema.has_function or schema.has_context_dependent_function)
