# SPDX-License-Identifier: Apache-2.0
"""Sums of trees, as simplified models have them.

There, a node asks whether a feature is at most its threshold or is a leaf; trees and their nodes are
numbered in order, the node for "yes" comes behind that for "no".
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from onnx import numpy_helper
from tvm import relax

from tvmgo.compiler.relax.described import described_call
from tvmgo.compiler.relax.expressions import known_shape
from tvmgo.compiler.relax.trees import TREES, Trees

# Bits of a NaN of float32 that may be anything.
NAN_BITS = 22


@dataclass(frozen=True)
class Nodes:
    """All nodes, in order; where each is, is its number."""

    features: np.ndarray
    thresholds: np.ndarray
    ahead: np.ndarray  # how far the node for "no" is; 0 for a leaf
    leaf: np.ndarray  # the number of a leaf's weights


def convert_trees(bb: relax.BlockBuilder, inputs: Any, attributes: Any, _: str) -> relax.Expr:
    (x,) = inputs
    dtype = np.dtype(str(x.ty.dtype))
    trees = integers(attributes, "nodes_treeids")
    count, targets = int(trees[-1]) + 1, int(attributes["n_targets"])
    starts = np.searchsorted(trees, np.arange(count))
    is_leaf = np.array([mode == b"LEAF" for mode in attributes["nodes_modes"]])
    here = np.arange(len(trees))
    following = integers(attributes, "nodes_falsenodeids") + starts[trees]
    for implied in ("nodes_truenodeids", "nodes_nodeids"):
        attributes.get(implied)
    # What ONNX Runtime writes down when it folds constants.
    assert attributes.get("aggregate_function", b"SUM") == b"SUM"
    assert attributes.get("post_transform", b"NONE") == b"NONE"
    following = np.where(is_leaf, here, following)
    number = np.cumsum(is_leaf) - 1
    nodes = Nodes(
        np.where(is_leaf, 0, integers(attributes, "nodes_featureids")),
        numbers(attributes, "nodes_values", dtype),
        following - here,
        np.where(is_leaf, number, 0),
    )
    bits = max(1, (known_shape(x)[1] - 1).bit_length())
    words, content = packed(nodes, is_leaf, bits, dtype)
    weights, of_tree = weights_of(attributes, trees, starts, number, targets, dtype)
    depths = depths_of(trees, following, is_leaf, starts)
    what = Trees(count, targets, words, bits, of_tree is None, int(depths.sum()))
    constants = [content, starts.astype(np.int32), depths.astype(np.int32), weights]
    if of_tree is not None:
        constants.append(of_tree.astype(np.int32))
    rows = known_shape(x)[0]
    arguments = [
        x,
        *(relax.const(np.ascontiguousarray(each), str(each.dtype)) for each in constants),
    ]
    result = relax.TensorType((rows, targets), "float32")
    return bb.emit(described_call(TREES, asdict(what), arguments, result))


def integers(attributes: Any, name: str) -> np.ndarray:
    return np.asarray(attributes.get(name, ()), np.int64)


def numbers(attributes: Any, name: str, dtype: np.dtype[Any]) -> np.ndarray:
    tensor = attributes.get(f"{name}_as_tensor")
    values = attributes.get(name, ()) if tensor is None else numpy_helper.to_array(tensor)
    return np.asarray(values, dtype)


def packed(
    nodes: Nodes, is_leaf: np.ndarray, bits: int, dtype: np.dtype[Any]
) -> tuple[int, np.ndarray]:
    """Return how many words a node takes, and all of them."""
    most = 1 << (31 - bits)
    fits = (nodes.ahead < most).all() and (nodes.ahead >= -most).all()
    if dtype == np.float32 and fits and nodes.leaf.max() < 1 << NAN_BITS:
        content = np.empty((len(is_leaf), 2), np.int32)
        leaf = nodes.leaf.astype(np.int32) | 0x7FC00000
        content[:, 0] = np.where(is_leaf, leaf, nodes.thresholds.view(np.int32))
        content[:, 1] = (nodes.ahead << bits) | nodes.features
        return 2, content
    content = np.empty((len(is_leaf), 4), np.int32)
    if dtype == np.float32:
        thresholds = np.where(is_leaf, np.float32(np.nan), nodes.thresholds)
        content[:, 0], content[:, 1] = thresholds.view(np.int32), nodes.leaf
    else:
        long = np.where(is_leaf, nodes.leaf | 0x7FF8000000000000, nodes.thresholds.view(np.int64))
        content[:, :2] = long.astype("<i8").view("<i4").reshape(-1, 2)
    content[:, 2], content[:, 3] = nodes.ahead, nodes.features
    return 4, content


def weights_of(
    attributes: Any,
    trees: np.ndarray,
    starts: np.ndarray,
    number: np.ndarray,
    targets: int,
    dtype: np.dtype[Any],
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the weights of each leaf and, where those of each tree have one target, which."""
    owner, target = integers(attributes, "target_treeids"), integers(attributes, "target_ids")
    leaf = number[starts[owner] + integers(attributes, "target_nodeids")]
    values = numbers(attributes, "target_weights", dtype)
    of_tree = np.zeros(len(starts), np.int64)
    of_tree[owner] = target
    if (of_tree[owner] == target).all():
        weights = np.zeros(number[-1] + 1, dtype)
        np.add.at(weights, leaf, values)
        return weights, of_tree
    weights = np.zeros((number[-1] + 1, targets), dtype)
    np.add.at(weights, (leaf, target), values)
    return weights, None


def depths_of(
    trees: np.ndarray, following: np.ndarray, is_leaf: np.ndarray, starts: np.ndarray
) -> np.ndarray:
    depths = np.zeros(len(starts), np.int64)
    frontier, level = starts, 0
    while len(asking := frontier[~is_leaf[frontier]]):
        level += 1
        depths[trees[asking]] = level
        frontier = np.unique(np.concatenate([following[asking], following[asking] + 1]))
    return depths
