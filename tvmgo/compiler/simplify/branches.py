# SPDX-License-Identifier: Apache-2.0
"""Branches that give results of different ranks, and branches that cannot run at all.

Who knows ranks can resolve what depends on them. So all that follows an If whose branches disagree
moves into both, where each result has one rank. With it a branch can become impossible: the shapes
of a model for speech at 16 kHz make nonsense of its second network, for 8 kHz. Its place is taken
by nothing but a name, and whoever runs the If has to raise an error there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tvmgo.compiler.onnx_nodes import IMPOSSIBLE
from tvmgo.compiler.simplify.graph_editor import GraphEditor, subgraphs
from tvmgo.compiler.simplify.insertion import Copier
from tvmgo.compiler.simplify.weights import LARGE_WEIGHT, without_weights

# What follows is there twice afterwards, and more often if it has such an If in it.
MOST_NODES = 1 << 14

# In the errors of inference: the operator, and what is said of it.
FIRST_REASON = r"op_type:(\w+), node name: [^)]*\): \[\w+\] (?!Inference error)([^(]*[^( ])"


def settle_branches(model: Any) -> bool:
    """Take one step towards branches of known ranks, and tell whether there was one to take.

    Types and shapes of values should be known.
    """
    small = count_nodes(model.graph) <= MOST_NODES
    return (
        bring_constants(model.graph)
        or name_impossible(model)
        or (small and move_rest_in(model.graph))
    )


def bring_constants(graph: Any, outer: GraphEditor | None = None) -> bool:
    """Give graphs inside of nodes the constants around them that they read.

    Of what is outside inference knows no more than the type. Large weights stay where they are.
    """
    editor = GraphEditor(graph, outer)
    brought: dict[str, str] = {}
    for node in graph.node if outer is not None else ():
        for place, name in enumerate(node.input):
            constant = None if name in brought else small_constant(outer, name)
            if constant is not None:
                brought[name] = editor.add_constant(constant, hint=name)
            node.input[place] = brought.get(name, name)
    inner = [bring_constants(each, editor) for node in graph.node for each in subgraphs(node)]
    return bool(brought) or any(inner)


def small_constant(editor: GraphEditor | None, name: str) -> Any:
    """Return the value of a constant that is no large weight; None if it is none."""
    sizes = None if editor is None else editor.shape(name)
    if sizes is None or np.prod(sizes, dtype=float) >= LARGE_WEIGHT:
        return None
    return editor and editor.constant(name)


def count_nodes(graph: Any) -> int:
    inner = (count_nodes(each) for node in graph.node for each in subgraphs(node))
    return len(graph.node) + sum(inner)


def move_rest_in(graph: Any, outer: GraphEditor | None = None) -> bool:
    """Move what follows the innermost If whose branches give different ranks into both of them."""
    editor = GraphEditor(graph, outer)
    for place, proto in enumerate(graph.node):
        if any(move_rest_in(inner, editor) for inner in subgraphs(proto)):
            return True
        is_last = place + 1 == len(graph.node)
        if is_if(proto) and not is_last and ranks_differ(proto, editor):
            take_in(graph, place, editor)
            return True
    return False


def is_if(proto: Any) -> bool:
    return proto.op_type == "If" and not proto.domain


def ranks_differ(proto: Any, editor: GraphEditor) -> bool:
    branches = [(each, GraphEditor(each, editor)) for each in subgraphs(proto)]
    ranks = [[rank_of(inner, value.name) for value in graph.output] for graph, inner in branches]
    return any(None not in pair and pair[0] != pair[1] for pair in zip(*ranks))


def rank_of(editor: GraphEditor, name: str) -> int | None:
    sizes = editor.dimensions(name)
    return None if sizes is None else len(sizes)


def take_in(graph: Any, place: int, editor: GraphEditor) -> None:
    """Let an If end its graph: it computes what the graph gives, as far as it is not there yet."""
    proto = graph.node[place]
    rest = list(graph.node)[place + 1 :]
    made = {*proto.output, *(name for node in rest for name in node.output)}
    results = [value for value in graph.output if value.name in made]
    for branch in subgraphs(proto):
        given = dict(zip(proto.output, (value.name for value in branch.output)))
        copier = Copier(GraphEditor(branch, editor), given)
        branch.node.extend(list(copier.copied(rest)))
        del branch.output[:]
        for value in results:
            branch.output.add(name=copier.names[value.name]).type.CopyFrom(value.type)
            branch.output[-1].type.tensor_type.ClearField("shape")
    del graph.node[place + 1 :]
    proto.output[:] = [value.name for value in results]


def name_impossible(model: Any) -> bool:
    """Empty the innermost branch in which ONNX's inference finds a contradiction, if there is one.

    ONNX Runtime refuses a model, or a run, for the same contradictions.
    """
    reason = contradiction(model)
    if not reason:
        return False
    for proto, editor in conditionals(model.graph):
        for branch, other in (subgraphs(proto), subgraphs(proto)[::-1]):
            if other.name.startswith(IMPOSSIBLE):
                continue
            before = branch.SerializeToString()
            empty(branch, other, reason, editor)
            if contradiction(model) != reason:
                return True
            branch.ParseFromString(before)
    return False


def contradiction(model: Any) -> str:
    """Return the first thing that is wrong with the shapes of a model, and where; empty if none is."""

    def check(skeleton: Any) -> Any:
        copy = onnx.ModelProto()
        copy.CopyFrom(skeleton)
        name_nodes(copy.graph)
        return onnx.shape_inference.infer_shapes(copy, strict_mode=True, data_prop=True)

    try:
        without_weights(check, model)
    except onnx.shape_inference.InferenceError as error:
        return " ".join(str(error).split())
    return ""


def name_nodes(graph: Any) -> None:
    """Let errors tell nodes from each other."""
    for node in graph.node:
        node.name = next(filter(None, node.output), "")
        for inner in subgraphs(node):
            name_nodes(inner)


def conditionals(graph: Any, outer: GraphEditor | None = None) -> Iterator[tuple[Any, GraphEditor]]:
    """Yield each If and what is known around it, those inside of others before these."""
    editor = GraphEditor(graph, outer)
    for proto in graph.node:
        for inner in subgraphs(proto):
            yield from conditionals(inner, editor)
        if is_if(proto):
            yield proto, editor


def empty(branch: Any, other: Any, reason: str, outer: GraphEditor) -> None:
    """Leave of a branch its name, and results of the types that the other branch gives."""
    inner = GraphEditor(other, outer)
    results = [
        (value.name, inner.element_type(same.name), inner.dimensions(same.name) or [])
        for value, same in zip(branch.output, other.output)
    ]
    branch.Clear()
    found = re.search(FIRST_REASON, reason)
    branch.name = IMPOSSIBLE + (": ".join(found.groups()) if found else reason)
    for name, code, sizes in results:
        code = code or onnx.TensorProto.FLOAT
        zero = numpy_helper.from_array(np.zeros(1, helper.tensor_dtype_to_np_dtype(code)))
        shape = numpy_helper.from_array(np.array([size or 0 for size in sizes], np.int64))
        shape.name = f"{name}/shape"
        branch.initializer.append(shape)
        made = helper.make_node("ConstantOfShape", [shape.name], [name], value=zero)
        branch.node.append(made)
        branch.output.append(helper.make_tensor_value_info(name, code, None))
