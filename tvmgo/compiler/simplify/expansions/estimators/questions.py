# SPDX-License-Identifier: Apache-2.0
"""Trees in which every node asks the same: whether a feature is at most its threshold.

Beside the features there are their negatives and whether they are not equal to something, so that
this is all there is to ask. NaN is never at most something. What is next lies in two places side by side, the one for "no" first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tvmgo.compiler.simplify.expansions.estimators.ensembles import (
    EQ,
    GT,
    GTE,
    LEAF,
    LEQ,
    LT,
    NEQ,
    Ensemble,
)
from tvmgo.compiler.simplify.graph_editor import Node


@dataclass
class Columns:
    """Features beside those of the input, in this order.

    Attributes
    ----------
    negative : bool
        Whether there are the input's negatives.
    places, values, nan : array
        Of each further one, the feature that is held beside a value, and whether NaN is equal to it. It
        is 0 where they are equal, else 1.
    """

    negative: bool
    places: np.ndarray
    values: np.ndarray
    nan: np.ndarray


@dataclass
class Questions:
    """Places, tree after tree, each tree's root first.

    Attributes
    ----------
    trees : array of int
        Of each place, its tree.
    features, thresholds : array
        Of each place; a leaf's threshold is NaN.
    following : array of int
        Of each place, where the node for "no" is, behind which is the one for "yes". That of a leaf is
        its own place.
    starts, depths : array of int
        Of each tree, its root's place and the most steps from there to a leaf.
    leaves, targets, weights : array
        What is added to which target at which place.
    columns : Columns
    """

    trees: np.ndarray
    features: np.ndarray
    thresholds: np.ndarray
    following: np.ndarray
    starts: np.ndarray
    depths: np.ndarray
    leaves: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    columns: Columns


def below(x: np.ndarray) -> np.ndarray:
    """Return the next smaller numbers; NaN where there is none, as nothing is less."""
    return np.where(x == -np.inf, np.nan, np.nextafter(x, np.array(-np.inf, x.dtype))).astype(
        x.dtype
    )


def above(x: np.ndarray) -> np.ndarray:
    return -below(-x)


def questions_of(node: Node, ensemble: Ensemble, width: int) -> Questions:
    """Return the trees of `node`, whose input has `width` features, in that form."""
    inner = ensemble.modes != LEAF
    if np.isnan(ensemble.thresholds[inner]).any():
        raise node.refuse("it compares with NaN")
    features = ensemble.features[inner]
    if (features < 0).any() or (features >= width).any():
        raise node.refuse(f"it asks for a feature that its input, which has {width}, has not")
    return placed(node, ensemble, *simplified(ensemble, width))


def simplified(
    ensemble: Ensemble, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Columns]:
    """Return features, thresholds and where "no" and "yes" lead, and what becomes a feature."""
    mode, t, missing = ensemble.modes, ensemble.thresholds, ensemble.missing
    # By the mode and by whether NaN is true: whether the feature is negative, the threshold, and
    # whether "no" is where the node's truth leads. NaN goes to "no".
    cases = [
        (mode == LEQ, False, False, t, False),
        (mode == LEQ, True, True, -above(t), True),
        (mode == LT, False, False, below(t), False),
        (mode == LT, True, True, -t, True),
        (mode == GTE, False, True, -t, False),
        (mode == GTE, True, False, below(t), True),
        (mode == GT, False, True, -above(t), False),
        (mode == GT, True, False, t, True),
    ]
    features, thresholds = ensemble.features.copy(), np.full(len(mode), np.nan, t.dtype)
    exchanged = np.zeros(len(mode), bool)
    for which, nan, negative, threshold, swapped in cases:
        chosen = which & (missing == nan)
        features[chosen] += width * negative
        thresholds[chosen] = threshold[chosen]
        exchanged |= chosen & swapped
    has_negative = bool((features >= width).any())
    # Of what is equal to something, whether it is not is a feature: 0 is, 1 is not. NaN is equal to
    # nothing, unless the node says that it is true.
    equal = (mode == EQ) | (mode == NEQ)
    keys = np.zeros(int(equal.sum()), [("place", "i8"), ("value", t.dtype), ("nan", "?")])
    keys["place"], keys["value"] = features[equal], t[equal]
    keys["nan"] = missing[equal] & (mode[equal] == EQ)
    found, which = np.unique(keys, return_inverse=True)
    features[equal] = width * (1 + has_negative) + which
    thresholds[equal] = 0.5
    exchanged |= mode == NEQ
    features[mode == LEAF] = 0
    low = np.where(exchanged, ensemble.when_true, ensemble.when_false)
    high = np.where(exchanged, ensemble.when_false, ensemble.when_true)
    columns = Columns(has_negative, found["place"], found["value"], found["nan"])
    return features, thresholds, low, high, columns


def placed(
    node: Node,
    ensemble: Ensemble,
    features: np.ndarray,
    thresholds: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    columns: Columns,
) -> Questions:
    """Put what follows on a question side by side; what follows on several is there several times."""
    is_leaf = ensemble.modes == LEAF
    tree, depths = walked(node, ensemble.roots, low, high, is_leaf)
    count = len(ensemble.roots)
    asking = np.flatnonzero(~is_leaf & (tree >= 0))
    asking = asking[np.argsort(tree[asking], kind="stable")]
    sizes = 1 + 2 * np.bincount(tree[asking], minlength=count)
    starts = np.cumsum(sizes) - sizes
    # The pair of the n-th of all that ask: roots of its tree and of those before come before it.
    pair = np.zeros(len(is_leaf), np.int64)
    pair[asking] = 2 * np.arange(len(asking)) + tree[asking] + 1
    content = np.empty(int(sizes.sum()), np.int64)  # which node is in a place
    content[starts] = ensemble.roots
    content[pair[asking]], content[pair[asking] + 1] = low[asking], high[asking]
    here = np.arange(len(content))
    following = np.where(is_leaf[content], here, pair[content])
    leaves, targets, weights = leaf_weights(ensemble, content, is_leaf)
    return Questions(
        np.repeat(np.arange(count), sizes),
        features[content],
        thresholds[content],
        following,
        starts,
        depths,
        leaves,
        targets,
        weights,
        columns,
    )


def walked(
    node: Node, roots: np.ndarray, low: np.ndarray, high: np.ndarray, is_leaf: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the tree of each node, -1 where none has it, and how deep each tree is."""
    tree = np.full(len(low), -1)
    tree[roots] = np.arange(len(roots))
    depths = np.zeros(len(roots), np.int64)
    frontier, level = roots, 0
    while len(parents := frontier[~is_leaf[frontier]]):
        level += 1
        following = np.concatenate([low[parents], high[parents]])
        owners = np.concatenate([tree[parents]] * 2)
        depths[owners] = level
        new = tree[following] < 0
        tree[following[new]] = owners[new]
        if (tree[following] != owners).any() or level > len(low):
            raise node.refuse("its nodes are no trees: one belongs to two, or comes after itself")
        frontier = np.unique(following)
    return tree, depths


def leaf_weights(
    ensemble: Ensemble, content: np.ndarray, is_leaf: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what is added at each place, which may have the same node as another one."""
    by_node = np.argsort(ensemble.leaves, kind="stable")
    ordered = ensemble.leaves[by_node]
    places = np.flatnonzero(is_leaf[content])
    first = np.searchsorted(ordered, content[places], "left")
    counts = np.searchsorted(ordered, content[places], "right") - first
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = by_node[np.repeat(first, counts) + within]
    return np.repeat(places, counts), ensemble.targets[chosen], ensemble.weights[chosen]
