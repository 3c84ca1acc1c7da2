# SPDX-License-Identifier: Apache-2.0
"""What the operators of decision trees say, in one form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import numpy_helper

from tvmgo.compiler.simplify.graph_editor import Node

# As TreeEnsemble numbers them.
MODES = ("LEQ", "LT", "GTE", "GT", "EQ", "NEQ", "MEMBER")
LEQ, LT, GTE, GT, EQ, NEQ, MEMBER = range(len(MODES))
LEAF = -1


@dataclass
class Ensemble:
    """Trees, whose nodes are numbered throughout.

    Attributes
    ----------
    features, thresholds, modes : array
        Of each node.
    when_true, when_false : array of int
        The node that is next; of a leaf, anything.
    missing : array of bool
        Whether NaN is true.
    roots : array of int
    leaves, targets, weights : array
        What is added to which target where a row ends at a leaf.
    """

    features: np.ndarray
    thresholds: np.ndarray
    modes: np.ndarray
    when_true: np.ndarray
    when_false: np.ndarray
    missing: np.ndarray
    roots: np.ndarray
    leaves: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


def numbers(node: Node, name: str, dtype: Any) -> np.ndarray:
    """Return an attribute that may be a tensor instead, under a longer name."""
    tensor = node.attributes.get(f"{name}_as_tensor")
    values = node.attributes.get(name, ()) if tensor is None else numpy_helper.to_array(tensor)
    return np.asarray(values, dtype)


def integers(node: Node, name: str) -> np.ndarray:
    return np.asarray(node.attributes.get(name, ()), np.int64)


def ensemble_of(node: Node, kind: str, dtype: np.dtype[Any]) -> Ensemble:
    """Read TreeEnsembleRegressor (`kind` is "target") or TreeEnsembleClassifier ("class")."""
    names = [name.decode() for name in node.attributes["nodes_modes"]]
    known = {f"BRANCH_{name}": number for number, name in enumerate(MODES[:MEMBER])}
    known["LEAF"] = LEAF
    for name in set(names) - set(known):
        raise node.refuse(f"its nodes have the mode {name!r}, which the standard has not")
    modes = np.array([known[name] for name in names], np.int64)
    trees, own = integers(node, "nodes_treeids"), integers(node, "nodes_nodeids")
    place_of = places(node, trees, own)
    inner = modes != LEAF
    branches = {}
    for side in ("true", "false"):
        ids = integers(node, f"nodes_{side}nodeids")
        branches[side] = np.arange(len(modes))
        branches[side][inner] = place_of(trees[inner], ids[inner])
    begins = np.flatnonzero(np.diff(trees, prepend=trees[:1] - 1))
    missing = integers(node, "nodes_missing_value_tracks_true")
    return Ensemble(
        integers(node, "nodes_featureids"),
        numbers(node, "nodes_values", dtype),
        modes,
        branches["true"],
        branches["false"],
        missing.astype(bool) if len(missing) else np.zeros(len(modes), bool),
        begins,
        place_of(integers(node, f"{kind}_treeids"), integers(node, f"{kind}_nodeids")),
        integers(node, f"{kind}_ids"),
        numbers(node, f"{kind}_weights", dtype),
    )


def places(node: Node, trees: np.ndarray, own: np.ndarray) -> Any:
    """Return what finds the places of nodes by their trees and their numbers in these."""
    span = int(own.max(initial=0)) + 1
    keys = trees * span + own
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]

    def place_of(trees: np.ndarray, own: np.ndarray) -> np.ndarray:
        wanted = trees * span + own
        at = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
        if (ordered[at] != wanted).any() or (own >= span).any() or (own < 0).any():
            raise node.refuse("it names a node that it does not have")
        return order[at]

    return place_of


def ensemble_of_5(node: Node, dtype: np.dtype[Any]) -> Ensemble:
    """Read TreeEnsemble, which came with version 5: leaves are no nodes there."""
    modes = numpy_helper.to_array(node.attributes["nodes_modes"]).astype(np.int64)
    weights = numpy_helper.to_array(node.attributes["leaf_weights"]).astype(dtype)
    nodes, leaves = len(modes), len(weights)
    nothing = np.zeros(leaves, np.int64)

    def branch(side: str) -> np.ndarray:
        ids, leaf = (integers(node, f"nodes_{side}{what}") for what in ("nodeids", "leafs"))
        return np.concatenate([ids + np.where(leaf != 0, nodes, 0), nothing])

    missing = integers(node, "nodes_missing_value_tracks_true")
    if not len(missing):
        missing = np.zeros(nodes, np.int64)
    splits = numpy_helper.to_array(node.attributes["nodes_splits"]).astype(dtype)
    found = Ensemble(
        np.concatenate([integers(node, "nodes_featureids"), nothing]),
        np.concatenate([splits, nothing.astype(dtype)]),
        np.concatenate([modes, nothing + LEAF]),
        branch("true"),
        branch("false"),
        np.concatenate([missing, nothing]).astype(bool),
        integers(node, "tree_roots"),
        nodes + np.arange(leaves),
        integers(node, "leaf_targetids"),
        weights,
    )
    count = nodes + leaves
    for each in (found.when_true, found.when_false, found.roots):
        if (each < 0).any() or (each >= count).any():
            raise node.refuse("it names a node that it does not have")
    if (found.modes == MEMBER).any():
        members = numpy_helper.to_array(node.attributes["membership_values"]).astype(dtype)
        split_members(node, found, members)
    return found


def split_members(node: Node, found: Ensemble, members: np.ndarray) -> None:
    """Ask for each member of a set in a node of its own; NaN is behind each set."""
    ends = [*np.flatnonzero(np.isnan(members)), len(members)]
    begins = [0, *(end + 1 for end in ends)]
    sets = [members[begin:end] for begin, end in zip(begins, ends)]
    asking = np.flatnonzero(found.modes == MEMBER)
    if len(sets) < len(asking) or any(not len(each) for each in sets[: len(asking)]):
        raise node.refuse(
            "it has a set without members, or fewer sets than nodes that ask for them"
        )
    count = len(found.modes)
    added: list[tuple[int, Any, int]] = []  # node, member, the next node where it is another one
    for place, values in zip(asking, sets):
        found.thresholds[place], found.modes[place] = values[0], EQ
        other = int(found.when_false[place])
        for value in values[:0:-1]:
            added.append((int(place), value, other))
            other = count + len(added) - 1
        found.when_false[place] = other
    origins = np.array([place for place, _, _ in added], np.int64)
    for name in ("features", "modes", "when_true", "missing"):
        array = getattr(found, name)
        setattr(found, name, np.concatenate([array, array[origins]]))
    values = np.array([value for _, value, _ in added], found.thresholds.dtype)
    found.thresholds = np.concatenate([found.thresholds, values])
    others = np.array([other for _, _, other in added], np.int64)
    found.when_false = np.concatenate([found.when_false, others])
