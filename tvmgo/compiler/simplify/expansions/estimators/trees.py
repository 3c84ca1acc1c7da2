# SPDX-License-Identifier: Apache-2.0
"""Decision trees: their sums, and what becomes of these."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper, numpy_helper

from tvmgo.compiler.simplify.expansions.estimators.ensembles import (
    Ensemble,
    ensemble_of,
    ensemble_of_5,
    numbers,
)
from tvmgo.compiler.simplify.expansions.estimators.questions import Columns, Questions, questions_of
from tvmgo.compiler.simplify.expansions.estimators.scores import (
    FLOAT,
    chosen_label,
    computing_dtype,
    is_above,
    label_and_scores,
    labels_of,
    largest_label,
    rows_of,
    transformed,
    two_scores,
    width_of,
    with_added,
    word,
)
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node

DOMAIN = "ai.onnx.ml"
# What sums of trees are in the normal form, and the domain's version there.
OPSET = 3
SUMS = f"{DOMAIN}.TreeEnsembleRegressor"
NORMAL = "sums of trees in the normal form"
AGGREGATES = ("AVERAGE", "SUM", "MIN", "MAX")


def tree_regressor(node: Node, g: GraphEditor) -> bool:
    if node.proto.doc_string == NORMAL:
        return False
    dtype = computing_dtype(node, g)
    ensemble = ensemble_of(node, "target", dtype)
    targets = node.attributes.get("n_targets", 1)
    y = aggregated(node, g, ensemble, targets, word(node, "aggregate_function", "SUM"))
    base = numbers(node, "base_values", dtype)
    if len(base) not in (0, targets):
        raise node.refuse(f"it has {targets} targets and {len(base)} base values")
    y = with_added(g, y, base)
    name = word(node, "post_transform", "NONE")
    if targets == 1 and name != "PROBIT":
        name = "NONE"  # as ONNX Runtime does
    transformed(node, g, y, node.outputs, name)
    return True


def tree_classifier(node: Node, g: GraphEditor) -> bool:
    """Two classes may have the sums of one, which are those of the second then."""
    dtype = computing_dtype(node, g)
    ensemble = ensemble_of(node, "class", dtype)
    labels = labels_of(node, "classlabels_int64s")
    base = numbers(node, "base_values", dtype)
    count = len(labels)
    if count < 2:
        raise node.refuse("it has one class", "use its only label as a constant")
    label, z = label_and_scores(node)
    all_positive = bool((ensemble.weights >= 0).all())
    ids = set(ensemble.targets.tolist())
    if count > 2 or len(ids) > 1:
        y = aggregated(node, g, ensemble, count, "SUM")
        if len(base) and count > 2 and len(base) != count:
            raise node.refuse(f"it has {count} classes and {len(base)} base values")
        if count == 2 and (labels != [0, 1]).any():
            raise node.refuse(
                f"its two classes have sums of their own and the labels {labels.tolist()}, for which "
                "ONNX Runtime has others",
                "give them the labels 0 and 1",
            )
        if count == 2 and len(base):
            raise node.refuse("it has base values for two classes with sums of their own")
        y = with_added(g, y, base)
        if label and count > 2:
            largest_label(g, y, labels, [label])
        elif label:
            second = g.add("Gather", [y, g.integers(1)], axis=1)
            chosen_label(g, is_above(g, second), labels, [label])
        if z:
            transformed(node, g, y, [z])
        return True
    if ids != {0}:
        raise node.refuse("its sums are all of the second of two classes", "number it 0")
    ensemble.targets[:] = 0
    y = aggregated(node, g, ensemble, 1, "SUM")
    if len(base) > 1:
        raise node.refuse("it has two base values for the sums of one class")
    y = with_added(g, y, base)
    if label:
        chosen_label(g, is_above(g, y, 0.5 if all_positive else 0), labels, [label])
    if z:
        two_scores(node, g, y, [z], all_positive=all_positive)
    return True


def tree_ensemble(node: Node, g: GraphEditor) -> bool:
    """The operator that version 5 brought, whose result has its input's type."""
    dtype = computing_dtype(node, g)
    if dtype != g.dtype(node):
        raise node.refuse(f"its input is {g.dtype(node)}", "cast it to float32 or float64")
    targets = node.attributes["n_targets"]
    aggregate = AGGREGATES[node.attributes.get("aggregate_function", 1)]
    ensemble = ensemble_of_5(node, dtype)
    y = aggregated(node, g, ensemble, targets, aggregate, exact=dtype != FLOAT)
    names = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT")
    name = names[node.attributes.get("post_transform", 0)]
    if dtype != FLOAT and name in ("SOFTMAX_ZERO", "PROBIT"):
        raise node.refuse(f"its post_transform {name} is of float64", "cast its input to float32")
    if targets == 1 and name != "PROBIT":
        name = "NONE"
    transformed(node, g, y, node.outputs, name)
    return True


def aggregated(
    node: Node,
    g: GraphEditor,
    ensemble: Ensemble,
    targets: int,
    aggregate: str,
    *,
    exact: bool = False,
) -> str:
    """Return what all trees together give each row, a column a target.

    It is float32; with `exact`, of the input's type.
    """
    if (ensemble.targets < 0).any() or (ensemble.targets >= targets).any():
        raise node.refuse(f"a leaf adds to a target of which there are {targets}")
    dtype = ensemble.weights.dtype
    width = width_of(node, g)
    questions = questions_of(node, ensemble, width)
    if aggregate == "AVERAGE":
        trees = len(questions.starts)
        mean = aggregated(node, g, ensemble, targets, "SUM", exact=True)
        mean = g.add("Div", [mean, g.add_constant(trees, dtype)])
        return mean if exact else g.cast(mean, FLOAT)
    x = with_columns(g, rows_of(node, g, dtype), questions.columns, dtype)
    if aggregate == "SUM" and (not exact or dtype == FLOAT):
        return add_sums(g, x, questions, targets, g.need_dimensions(node))
    y = walk(g, x, questions, targets, aggregate)
    return y if exact else g.cast(y, FLOAT)


def with_columns(g: GraphEditor, x: str, columns: Columns, dtype: np.dtype[Any]) -> str:
    """Return rows of features with the further ones behind them."""
    parts = [x]
    if columns.negative:
        parts.append(g.add("Neg", [x]))
    if len(columns.places):
        asked = g.add("Gather", [x, g.integers(*columns.places)], axis=1)
        equal = g.add("Equal", [asked, g.add_constant(columns.values, dtype)])
        if columns.nan.any():
            nan = g.add("And", [g.add("IsNaN", [asked]), g.add_constant(columns.nan)])
            equal = g.add("Or", [equal, nan])
        parts.append(g.add("Sub", [g.add_constant(1, dtype), g.cast(equal, dtype)]))
    return g.add("Concat", parts, axis=1) if len(parts) > 1 else x


# The normal form of sums


def add_sums(
    g: GraphEditor, x: str, questions: Questions, targets: int, sizes: list[int | None]
) -> str:
    """Add a TreeEnsembleRegressor that says of its trees what `Questions` says."""
    own = np.arange(len(questions.trees)) - questions.starts[questions.trees]
    is_leaf = questions.following == np.arange(len(own))
    following = np.where(is_leaf, 0, questions.following - questions.starts[questions.trees])
    name = g.new_name("trees")
    # A leaf's threshold is none.
    values = np.where(is_leaf, 0, questions.thresholds)
    tensors = {"nodes_values": values, "target_weights": questions.weights}
    if questions.weights.dtype != FLOAT:
        tensors = {
            f"{key}_as_tensor": numpy_helper.from_array(value) for key, value in tensors.items()
        }
    g.nodes.append(
        helper.make_node(
            "TreeEnsembleRegressor",
            [x],
            [name],
            domain=DOMAIN,
            doc_string=NORMAL,
            n_targets=targets,
            nodes_treeids=questions.trees,
            nodes_nodeids=own,
            nodes_featureids=questions.features,
            nodes_modes=[b"LEAF" if leaf else b"BRANCH_LEQ" for leaf in is_leaf],
            nodes_falsenodeids=following,
            nodes_truenodeids=np.where(is_leaf, 0, following + 1),
            target_treeids=questions.trees[questions.leaves],
            target_nodeids=own[questions.leaves],
            target_ids=questions.targets,
            **tensors,
        )
    )
    g.declare(name, FLOAT, [1 if len(sizes) == 1 else sizes[0], targets])
    return name


# Without a kernel


def sums_by_steps(node: Node, g: GraphEditor) -> bool:
    """Say the normal form's sums by operators of ONNX alone."""
    dtype = computing_dtype(node, g)
    questions = questions_of(node, ensemble_of(node, "target", dtype), width_of(node, g))
    y = walk(g, str(node.input(0)), questions, node.attributes["n_targets"], "SUM")
    g.cast(y, FLOAT, node.outputs)
    return True


def walk(g: GraphEditor, x: str, questions: Questions, targets: int, aggregate: str) -> str:
    """Go down all trees at once for all rows, a step after the other."""
    dtype = questions.weights.dtype
    rows = g.add("Gather", [g.add("Shape", [x]), g.integers(0)], axis=0)
    trees = g.integers(len(questions.starts))
    here = g.add(
        "Expand",
        [g.integers(*questions.starts), g.add("Concat", [rows, trees], axis=0)],
    )
    features, following = (g.integers(*each) for each in (questions.features, questions.following))
    # At a leaf, NaN, of which nothing is at most.
    is_leaf = questions.following == np.arange(len(questions.trees))
    thresholds = g.add_constant(np.where(is_leaf, np.nan, questions.thresholds), dtype)
    for _ in range(int(questions.depths.max(initial=0))):
        value = g.add("GatherElements", [x, g.add("Gather", [features, here])], axis=1)
        yes = g.add("LessOrEqual", [value, g.add("Gather", [thresholds, here])])
        here = g.add("Add", [g.add("Gather", [following, here]), g.cast(yes, np.int64)])
    reduce, start = {
        "SUM": ("ReduceSum", 0.0),
        "MIN": ("ReduceMin", np.inf),
        "MAX": ("ReduceMax", -np.inf),
    }[aggregate]
    table = np.full((len(questions.trees), targets), start, dtype)
    combine = {"SUM": np.add, "MIN": np.minimum, "MAX": np.maximum}[aggregate]
    combine.at(table, (questions.leaves, questions.targets), questions.weights)
    found = g.add("Gather", [g.add_constant(table), here])
    found = g.add(reduce, [found, g.integers(1)], keepdims=0)
    if aggregate == "SUM":
        return found
    # A target to which no leaf adds has nothing.
    nothing = g.add("Equal", [found, g.add_constant(start, dtype)])
    return g.add("Where", [nothing, g.add_constant(0, dtype), found])
