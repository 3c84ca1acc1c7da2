# SPDX-License-Identifier: Apache-2.0
"""Linear models, and support vector machines."""

from __future__ import annotations

import itertools

import numpy as np

from tvmgo.compiler.simplify.expansions.estimators.scores import (
    FLOAT,
    chosen_label,
    is_above,
    label_and_scores,
    labels_of,
    largest_label,
    post_transform,
    rows_of,
    transformed,
    two_scores,
    width_of,
    with_added,
    word,
)
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node

LABELS = ("classlabels_ints", "classlabels_int64s")


def product(g: GraphEditor, x: str, weights: np.ndarray) -> str:
    """Multiply rows by weights, of which each row is for one result."""
    return g.add("MatMul", [x, g.add_constant(np.ascontiguousarray(weights.T), FLOAT)])


def combined(
    g: GraphEditor, x: str, weights: np.ndarray, added: np.ndarray, outputs: tuple[str, ...] = ()
) -> str:
    return with_added(g, product(g, x, weights), added, outputs)


def floats(node: Node, name: str) -> np.ndarray:
    return np.asarray(node.attributes.get(name, ()), np.float32)


def weights_of(node: Node, g: GraphEditor, name: str, rows: int) -> np.ndarray:
    """Return an attribute as rows with a number for each feature."""
    values, width = floats(node, name), width_of(node, g)
    if len(values) != rows * width:
        raise node.refuse(f"it has {len(values)} {name} for {rows} times {width} features")
    return values.reshape(rows, width)


def linear_regressor(node: Node, g: GraphEditor) -> bool:
    targets = node.attributes.get("targets", 1)
    weights = weights_of(node, g, "coefficients", targets)
    y = combined(g, rows_of(node, g), weights, floats(node, "intercepts"))
    name = post_transform(node)
    # Of one target ONNX Runtime makes nothing else.
    transformed(node, g, y, node.outputs, name if targets > 1 or name == "PROBIT" else "NONE")
    return True


def linear_classifier(node: Node, g: GraphEditor) -> bool:
    added = floats(node, "intercepts")
    labels, count = labels_of(node, *LABELS), len(added)
    if not count:
        raise node.refuse("it has no intercepts", "give it zeros")
    y = combined(g, rows_of(node, g), weights_of(node, g, "coefficients", count), added)
    label, z = label_and_scores(node)
    if count > 1:
        if label:
            largest_label(g, y, labels, [label])
        if z:
            transformed(node, g, y, [z])
        return True
    if len(labels) != 2:
        raise node.refuse(f"it has one row of coefficients for {len(labels)} classes")
    if label:
        chosen_label(g, is_above(g, y), labels, [label])
    if z:
        two_scores(node, g, y, [z], all_positive=True)
    return True


def kernels(node: Node, g: GraphEditor, x: str, vectors: np.ndarray) -> str:
    """Return how near rows are to support vectors."""
    kind = word(node, "kernel_type", "LINEAR")
    gamma, coef0, degree = (*floats(node, "kernel_params"), 0.0, 0.0, 0.0)[:3]

    def number(value: float) -> str:
        return g.add_constant(value, FLOAT)

    if kind == "RBF":
        wide = g.add("Unsqueeze", [x, g.integers(1)])
        apart = g.add("Sub", [wide, g.add_constant(vectors, FLOAT)])
        square = g.add("ReduceSum", [g.add("Mul", [apart, apart]), g.integers(2)], keepdims=0)
        return g.add("Exp", [g.add("Mul", [square, number(-gamma)])])
    y = product(g, x, vectors)
    if kind == "LINEAR":
        return y
    y = g.add("Add", [g.add("Mul", [y, number(gamma)]), number(coef0)])
    if kind == "POLY":
        return g.add("Pow", [y, number(degree)])
    if kind == "SIGMOID":
        return g.add("Tanh", [y])
    raise node.refuse(f"its kernel_type {kind!r} is not known")


def svm_regressor(node: Node, g: GraphEditor) -> bool:
    count, x = node.attributes.get("n_supports", 0), rows_of(node, g)
    rho = floats(node, "rho")
    if count:
        x = kernels(node, g, x, weights_of(node, g, "support_vectors", count))
        weights = floats(node, "coefficients").reshape(1, count)
    else:
        weights = weights_of(node, g, "coefficients", 1)
    one_class = node.attributes.get("one_class", 0)
    y = combined(g, x, weights, rho[:1], () if one_class else tuple(node.outputs))
    if one_class:
        inside = is_above(g, y)
        one, other = (g.add_constant(value, FLOAT) for value in (1, -1))
        g.add("Where", [inside, one, other], node.outputs)
    return True


def svm_classifier(node: Node, g: GraphEditor) -> bool:
    labels, x = labels_of(node, *LABELS), rows_of(node, g)
    per_class = list(map(int, node.attributes.get("vectors_per_class", ())))
    label, z = label_and_scores(node)
    classes, rho = len(labels), floats(node, "rho")
    if not sum(per_class):
        weights = weights_of(node, g, "coefficients", classes)
        y = combined(g, x, weights, rho[:1])
        if label:
            label_of_linear(node, g, y, labels, weights, [label])
        if z:
            transformed(node, g, y, [z])
        return True
    pairs = list(itertools.combinations(range(classes), 2))
    if len(per_class) != classes or len(rho) < len(pairs):
        raise node.refuse(f"it has {classes} classes, and vectors or rho for others")
    vectors = weights_of(node, g, "support_vectors", sum(per_class))
    near = kernels(node, g, x, vectors)
    weights = pair_weights(floats(node, "coefficients"), per_class, pairs)
    y = combined(g, near, weights, rho[: len(pairs)])
    first = is_above(g, y)
    votes = votes_of(g, first, pairs, classes)
    chosen = label or g.new_name("label")
    prob_a, prob_b = floats(node, "prob_a"), floats(node, "prob_b")
    all_positive = bool((floats(node, "coefficients") >= 0).all())
    if classes == 2 and not len(prob_a) and all_positive:
        raise node.refuse("its weights are all positive, which leaves open what its labels are")
    largest_label(g, votes, labels, [chosen])
    if not z:
        return True
    if len(prob_a):
        y = probabilities(g, y, prob_a, prob_b, pairs, classes)
        transformed(node, g, y, [z])
    elif classes == 2:
        # With a transform the scores add up to 1, without to 0.
        name = post_transform(node)
        if name == "PROBIT":
            raise node.refuse("its post_transform PROBIT is of a score for two classes")
        other = g.add("Neg", [y]) if name == "NONE" else g.add("Sub", [g.add_constant(1, FLOAT), y])
        g.add("Concat", [other, y], [z], axis=1)
    else:
        transformed(node, g, y, [z])
    return True


def label_of_linear(
    node: Node,
    g: GraphEditor,
    y: str,
    labels: np.ndarray,
    weights: np.ndarray,
    outputs: list[str],
) -> None:
    if len(labels) != 2:
        largest_label(g, y, labels, outputs)
        return
    largest = g.add("ReduceMax", [y, g.integers(1)], keepdims=0)
    at_least_half = g.add("GreaterOrEqual", [largest, g.add_constant(0.5, FLOAT)])
    above_zero = is_above(g, largest)
    second = at_least_half if bool((weights >= 0).all()) else above_zero
    place = g.add("ArgMax", [y], axis=1, keepdims=0)
    found = g.add("Gather", [g.add_constant(labels, np.int64), place], axis=0)
    g.add("Where", [second, g.add_constant(labels[1], np.int64), found], outputs)


def pair_weights(
    coefficients: np.ndarray, per_class: list[int], pairs: list[tuple[int, int]]
) -> np.ndarray:
    """Return of each pair of classes what each support vector counts."""
    count = sum(per_class)
    table = coefficients[: (len(per_class) - 1) * count].reshape(-1, count)
    ends = np.cumsum(per_class)
    weights = np.zeros((len(pairs), count), np.float32)
    for row, (i, j) in enumerate(pairs):
        of_i, of_j = (slice(ends[k] - per_class[k], ends[k]) for k in (i, j))
        weights[row, of_i], weights[row, of_j] = table[j - 1, of_i], table[i, of_j]
    return weights


def votes_of(g: GraphEditor, first: str, pairs: list[tuple[int, int]], classes: int) -> str:
    """Count how often each class wins, given of each pair whether its first does."""
    table = np.zeros((len(pairs), classes), np.float32)
    offset = np.zeros(classes, np.float32)
    for row, (i, j) in enumerate(pairs):
        table[row, i] += 1
        table[row, j] -= 1
        offset[j] += 1
    won = g.add("MatMul", [g.cast(first, FLOAT), g.add_constant(table)])
    return g.add("Add", [won, g.add_constant(offset)])


# From the probabilities of pairs those of classes come step by step, until they change no more: an
# error of 0.005 by the number of classes is the end, which takes a few of them.
STEPS = 12


def probabilities(
    g: GraphEditor,
    scores: str,
    prob_a: np.ndarray,
    prob_b: np.ndarray,
    pairs: list[tuple[int, int]],
    classes: int,
) -> str:
    """Return a probability for each class, by Wu, Lin and Weng's second method, as libsvm does it."""

    def number(value: float) -> str:
        return g.add_constant(value, FLOAT)

    count = len(pairs)
    value = g.add("Mul", [scores, g.add_constant(prob_a[:count], FLOAT)])
    value = g.add(
        "Sigmoid", [g.add("Neg", [g.add("Add", [value, g.add_constant(prob_b[:count], FLOAT)])])]
    )
    first = g.add("Clip", [value, number(1e-7), number(1 - 1e-7)])
    second = g.add("Sub", [number(1), first])
    # r[i, j] is the probability of i against j; Q[i, i] the sum of r[j, i] squared, Q[i, j]
    # -r[j, i] * r[i, j].
    of_pair = {pair: row for row, pair in enumerate(pairs)}
    squares = np.zeros((2 * count, classes), np.float32)
    mixed = np.zeros((count, classes, classes), np.float32)
    for (i, j), row in of_pair.items():
        squares[row, j] = squares[count + row, i] = 1
        mixed[row, i, j] = mixed[row, j, i] = -1
    both = g.add("Concat", [first, second], axis=1)
    diagonal = g.add("MatMul", [g.add("Mul", [both, both]), g.add_constant(squares)])
    products = g.add("Mul", [first, second])
    flat = g.add("MatMul", [products, g.add_constant(mixed.reshape(count, -1))])
    rest = g.add("Reshape", [flat, g.integers(-1, classes, classes)])
    unit = g.add_constant(np.eye(classes, dtype=np.float32))
    q = g.add("Add", [rest, g.add("Mul", [g.add("Unsqueeze", [diagonal, g.integers(1)]), unit])])

    axis = g.integers(1)
    zeros = g.add("Mul", [diagonal, number(0)])
    p = g.add("Add", [zeros, number(1 / classes)])
    limit = number(0.005 / classes)
    column = [g.integers(i) for i in range(classes + 1)]

    def part(x: str, i: int) -> str:
        return g.add("Slice", [x, column[i], column[i + 1], axis])

    rows = [g.add("Squeeze", [part(q, i), axis]) for i in range(classes)]
    diagonals = [part(diagonal, i) for i in range(classes)]
    units = [g.add_constant(np.eye(classes, dtype=np.float32)[i : i + 1]) for i in range(classes)]
    for _ in range(STEPS):
        qp = g.add(
            "Squeeze", [g.add("MatMul", [q, g.add("Unsqueeze", [p, g.integers(2)])]), g.integers(2)]
        )
        pqp = g.add("ReduceSum", [g.add("Mul", [p, qp]), axis], keepdims=1)
        error = g.add("ReduceMax", [g.add("Abs", [g.add("Sub", [qp, pqp])]), axis], keepdims=1)
        done = g.add("Less", [error, limit])
        new = p
        for i in range(classes):
            own = part(qp, i)
            diff = g.add("Div", [g.add("Sub", [pqp, own]), diagonals[i]])
            scale = g.add("Add", [diff, number(1)])
            inner = g.add(
                "Add", [g.add("Mul", [diff, diagonals[i]]), g.add("Mul", [own, number(2)])]
            )
            pqp = g.add("Add", [pqp, g.add("Mul", [diff, inner])])
            pqp = g.add("Div", [g.add("Div", [pqp, scale]), scale])
            qp = g.add("Div", [g.add("Add", [qp, g.add("Mul", [diff, rows[i]])]), scale])
            new = g.add("Div", [g.add("Add", [new, g.add("Mul", [diff, units[i]])]), scale])
        p = g.add("Where", [done, p, new])
    return p
