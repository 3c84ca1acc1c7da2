# SPDX-License-Identifier: Apache-2.0
"""What becomes of scores: probabilities, and the labels of classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node

FLOAT = np.dtype(np.float32)


def rows_of(node: Node, g: GraphEditor, dtype: Any = FLOAT) -> str:
    """Return the input as rows of features; what has one dimension is one row."""
    x = g.cast(node.input(0), dtype)
    rank = g.need_rank(node)
    if rank == 1:
        return g.add("Reshape", [x, g.integers(1, -1)])
    if rank != 2:
        raise node.refuse(f"its input has {rank} dimensions, rows of features have two")
    return x


def computing_dtype(node: Node, g: GraphEditor) -> np.dtype[Any]:
    """Return in which type a result of float32 is computed."""
    return np.dtype(np.float64 if g.dtype(node) == np.float64 else np.float32)


def label_and_scores(node: Node) -> tuple[str, str]:
    """Return the names of a classifier's outputs, "" for what nobody wants."""
    label, scores = (node.outputs[i] if node.has_output(i) else "" for i in (0, 1))
    return label, scores


def with_added(g: GraphEditor, y: str, added: np.ndarray, outputs: Sequence[str] = ()) -> str:
    """Return scores with a number added to each column, if there are numbers."""
    return (
        g.add("Add", [y, g.add_constant(added, FLOAT)], outputs)
        if len(added)
        else as_is(g, y, outputs)
    )


def is_above(g: GraphEditor, scores: str, limit: float = 0) -> str:
    return g.add("Greater", [scores, g.add_constant(limit, FLOAT)])


def width_of(node: Node, g: GraphEditor) -> int:
    """Return how many features a row has."""
    width = g.need_dimensions(node)[-1]
    if width is None:
        raise node.refuse("how many features its input has is not known", "fix that dimension")
    return width


def word(node: Node, name: str, default: str) -> str:
    value = node.attributes.get(name, default)
    return str(value.decode() if isinstance(value, bytes) else value)


def post_transform(node: Node) -> str:
    return word(node, "post_transform", "NONE")


def labels_of(node: Node, *names: str) -> np.ndarray:
    """Return the labels of classes, which are integers."""
    for name in names:
        if name in node.attributes:
            return np.asarray(node.attributes[name], np.int64)
    raise node.refuse("it has no labels of classes")


def transformed(
    node: Node, g: GraphEditor, x: str, outputs: Sequence[str] = (), name: str | None = None
) -> str:
    """Return scores after the `post_transform`, a column for each class."""
    name = name or post_transform(node)
    if name not in TRANSFORMS:
        raise node.refuse(f"its post_transform {name!r} is not known")
    return TRANSFORMS[name](g, x, outputs)


def as_is(g: GraphEditor, x: str, outputs: Sequence[str]) -> str:
    return g.add("Identity", [x], outputs) if outputs else x


def logistic(g: GraphEditor, x: str, outputs: Sequence[str] = ()) -> str:
    return g.add("Sigmoid", [x], outputs)


def softmax(g: GraphEditor, x: str, outputs: Sequence[str]) -> str:
    return g.add("Softmax", [x], outputs, axis=-1)


def softmax_zero(g: GraphEditor, x: str, outputs: Sequence[str]) -> str:
    """A softmax in which what is 0 stays there."""
    largest = g.add("ReduceMax", [x, g.integers(-1)], keepdims=1)
    tiny = g.add_constant(1e-7, FLOAT)
    counts = g.add("Greater", [g.add("Abs", [x]), tiny])
    powers = g.add("Exp", [g.add("Sub", [x, largest])])
    zero = g.add_constant(0, FLOAT)
    total = g.add("Where", [counts, powers, zero])
    total = g.add("ReduceSum", [total, g.integers(-1)], keepdims=1)
    rest = g.add("Mul", [x, g.add("Exp", [g.add("Neg", [largest])])])
    return g.add("Div", [g.add("Where", [counts, powers, rest]), total], outputs)


def probit(g: GraphEditor, x: str, outputs: Sequence[str]) -> str:
    """The quantile of the normal distribution, by ONNX Runtime's approximation."""

    def number(value: float) -> str:
        return g.add_constant(value, FLOAT)

    y = g.add("Sub", [g.add("Mul", [x, number(2)]), number(1)])
    one = number(1)
    product = g.add("Mul", [g.add("Sub", [one, y]), g.add("Add", [one, y])])
    log = g.add("Log", [product])
    v = g.add("Add", [g.add("Mul", [log, number(0.5)]), number(2 / (3.14159 * 0.147))])
    squares = g.add("Sub", [g.add("Mul", [v, v]), g.add("Mul", [log, number(1 / 0.147)])])
    root = g.add("Sqrt", [g.add("Sub", [g.add("Sqrt", [squares]), v])])
    signed = g.add("Where", [g.add("Less", [y, number(0)]), g.add("Neg", [root]), root])
    return g.add("Mul", [signed, number(math.sqrt(2))], outputs)


TRANSFORMS: dict[str, Callable[[GraphEditor, str, Sequence[str]], str]] = {
    "NONE": as_is,
    "LOGISTIC": logistic,
    "SOFTMAX": softmax,
    "SOFTMAX_ZERO": softmax_zero,
    "PROBIT": probit,
}


def two_scores(
    node: Node, g: GraphEditor, score: str, outputs: Sequence[str], *, all_positive: bool
) -> None:
    """Make scores of both classes from that of the positive one, in one column.

    Where no weight is negative they add up to 1; else they are opposite.
    """
    name = post_transform(node)
    if name == "PROBIT":
        raise node.refuse("its post_transform PROBIT leaves the score of one of two classes open")
    if name == "LOGISTIC":
        other, score = logistic(g, g.add("Neg", [score])), logistic(g, score)
    elif all_positive:
        other = g.add("Sub", [g.add_constant(1, FLOAT), score])
    else:
        other = g.add("Neg", [score])
    g.add("Concat", [other, score], outputs, axis=-1)


def chosen_label(
    g: GraphEditor, condition: str, labels: np.ndarray, outputs: Sequence[str]
) -> None:
    """Make the second label where a condition holds, in one column, else the first."""
    flat = g.add("Reshape", [condition, g.integers(-1)])
    second, first = (g.add_constant(each, np.int64) for each in (labels[1], labels[0]))
    g.add("Where", [flat, second, first], outputs)


def largest_label(g: GraphEditor, scores: str, labels: np.ndarray, outputs: Sequence[str]) -> None:
    """Make the label of each row's largest score, the first of several."""
    place = g.add("ArgMax", [scores], axis=-1, keepdims=0)
    if (labels == np.arange(len(labels))).all():
        g.add("Identity", [place], outputs)
    else:
        g.add("Gather", [g.add_constant(labels, np.int64), place], outputs, axis=0)
