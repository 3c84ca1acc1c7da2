# SPDX-License-Identifier: Apache-2.0
"""Which integers an input may hold: found from the operators that it reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, subgraphs


class Bound(NamedTuple):
    """The smallest and the largest value, and whether each may be there once only."""

    low: int
    high: int
    distinct: bool = False


# Operators whose outputs have the values of these inputs; None for all of them.
PASSING: dict[str, tuple[int, ...] | None] = {
    **dict.fromkeys(("Cast", "Expand", "Flatten", "Identity", "Reshape", "Slice", "Split"), (0,)),
    **dict.fromkeys(("Squeeze", "Tile", "Transpose", "Unsqueeze", "Gather"), (0,)),
    **dict.fromkeys(("GatherElements", "GatherND", "DepthToSpace", "SpaceToDepth"), (0,)),
    "Where": (1, 2),
    "Concat": None,
}

Rule = Callable[[Node, GraphEditor], "Bound | None"]


def find_bound(graph: Any, name: str) -> Bound | None:
    """Return what all operators together allow that read the values of an input as indices.

    Parameters
    ----------
    graph : onnx.GraphProto
        In the normal form, with shapes.
    name : str
        The input.

    Returns
    -------
    Bound or None
        None if no operator needs any.
    """
    hard: list[Bound] = []
    soft: list[Bound] = []
    for node, index, editor in readers(graph, name):
        for rules, found in ((RULES, hard), (HINTS, soft)):
            rule = rules.get((node.operator, index))
            bound = rule(node, editor) if rule else None
            if bound is not None and bound.low <= bound.high:
                found.append(bound)
    found = hard or soft
    if not found:
        return None
    low, high = max(each.low for each in found), min(each.high for each in found)
    return Bound(low, max(low, high), any(each.distinct for each in found))


def readers(graph: Any, name: str) -> Iterator[tuple[Node, int, GraphEditor]]:
    """Give each node that reads the values of `name`, and as which of its inputs.

    Names are looked for in inner graphs as well: ONNX gives no name twice.
    """
    nodes = list(all_nodes(graph, None))
    reached, waiting = {name}, [name]
    while waiting:
        current = waiting.pop()
        for proto, editor in nodes:
            for index, source in enumerate(proto.input):
                if source != current:
                    continue
                yield Node(proto, 0), index, editor
                passed = PASSING.get(proto.op_type, ())
                if passed is None or index in passed:
                    new = set(proto.output) - reached - {""}
                    reached |= new
                    waiting += new


def all_nodes(graph: Any, outer: GraphEditor | None) -> Iterator[tuple[Any, GraphEditor]]:
    editor = GraphEditor(graph, outer)
    for proto in graph.node:
        yield proto, editor
        for inner in subgraphs(proto):
            yield from all_nodes(inner, editor)


# ---------------------------------------------------------------- what operators allow


def axis_of(operand: int, default: int = 0, *, distinct: bool = False) -> Rule:
    """An index along the attribute ``axis`` of an operand."""

    def rule(node: Node, editor: GraphEditor) -> Bound | None:
        shape = editor.shape(node.input(operand))
        if not shape:
            return None
        return Bound(0, shape[int(node.attributes.get("axis", default))] - 1, distinct)

    return rule


def tuples_of(operand: int, indices: int, *, distinct: bool = False) -> Rule:
    """Tuples of indices: what the smallest of the dimensions allows that they index."""

    def rule(node: Node, editor: GraphEditor) -> Bound | None:
        shape, tuples = editor.shape(node.input(operand)), editor.shape(node.input(indices))
        if not shape or not tuples:
            return None
        skipped = int(node.attributes.get("batch_dims", 0))
        indexed = shape[skipped : skipped + tuples[-1]]
        return Bound(0, min(indexed, default=1) - 1, distinct)

    return rule


def length_of(operand: int, attribute: str, default: int) -> Rule:
    """A length along a dimension, which an attribute names."""

    def rule(node: Node, editor: GraphEditor) -> Bound | None:
        shape = editor.shape(node.input(operand))
        return Bound(1, shape[int(node.attributes.get(attribute, default))]) if shape else None

    return rule


def one_hot(node: Node, editor: GraphEditor) -> Bound | None:
    depth = editor.constant(node.input(1))
    return None if depth is None else Bound(0, int(depth.item()) - 1)


def rank_of(node: Node, editor: GraphEditor) -> Bound | None:
    shape = editor.shape(node.input(0))
    return Bound(0, len(shape) - 1) if shape else None


def between(low: int, high: int) -> Rule:
    return lambda node, editor: Bound(low, high)


CLASS = axis_of(0, 1)

RULES: dict[tuple[str, int], Rule] = {
    ("Gather", 1): axis_of(0),
    ("GatherElements", 1): axis_of(0),
    ("GatherND", 1): tuples_of(0, 1),
    ("ScatterElements", 1): axis_of(0, distinct=True),
    ("ScatterND", 1): tuples_of(0, 1, distinct=True),
    ("OneHot", 0): one_hot,
    ("ReverseSequence", 1): length_of(0, "time_axis", 0),
    **{(recurrent, 4): length_of(0, "layout", 0) for recurrent in ("GRU", "LSTM", "RNN")},
    ("TopK", 1): length_of(0, "axis", -1),
    ("NegativeLogLikelihoodLoss", 1): CLASS,
    ("SoftmaxCrossEntropyLoss", 1): CLASS,
    ("RoiAlign", 2): axis_of(0),
    ("CumSum", 1): rank_of,
    ("Trilu", 1): between(-2, 2),
    ("BitShift", 1): between(0, 7),
    ("Div", 1): between(1, 9),
    ("Mod", 1): between(1, 9),
    ("Pow", 1): between(0, 3),
    ("NonMaxSuppression", 2): between(1, 10),
    ("Range", 0): between(0, 0),
    ("Range", 1): between(1, 8),
    ("Range", 2): between(1, 2),
    ("Loop", 0): between(1, 4),
}


def compared(node: Node, editor: GraphEditor) -> Bound | None:
    """The constant that a value is compared with, and its neighbour: both answers are right."""
    for index in (0, 1):
        value = editor.constant(node.input(index))
        if value is not None and value.size == 1:
            return Bound(int(value.item()), int(value.item()) + 1)
    return None


def truth(node: Node, editor: GraphEditor) -> Bound | None:
    """What becomes a truth value is 0 or 1."""
    return Bound(0, 1) if node.attributes.get("to") == 9 else None  # TensorProto.BOOL


# What decides only where nothing is looked up: masks and switches.
HINTS: dict[tuple[str, int], Rule] = {
    ("Cast", 0): truth,
    ("Equal", 0): compared,
    ("Equal", 1): compared,
}
