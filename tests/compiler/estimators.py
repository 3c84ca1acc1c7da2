# SPDX-License-Identifier: Apache-2.0
"""Models of ai.onnx.ml: one operator each, and random trees."""

import numpy as np
import onnx
from onnx import helper

DOMAIN = "ai.onnx.ml"


def estimator(operator, *inputs, outputs=1, version=3, constants=(), **attributes):
    """Make a model of one node; return it and the values of its inputs."""
    values = {f"x{i}": np.asarray(value) for i, value in enumerate(inputs)}
    node = helper.make_node(
        operator, list(values), [f"y{i}" for i in range(outputs)], domain=DOMAIN, **attributes
    )
    graph = helper.make_graph(
        [node],
        "estimator",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
            )
            for name, value in values.items()
            if name not in constants
        ],
        [onnx.ValueInfoProto(name=f"y{i}") for i in range(outputs)],
        [onnx.numpy_helper.from_array(values[name], name) for name in constants],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(DOMAIN, version)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return model, {name: value for name, value in values.items() if name not in constants}


def random_trees(
    kind, *, features, trees, depth, targets, seed=0, modes=("LEQ",), missing=False, sparse=False
):
    """Return attributes of trees; thresholds are halves, so that features can be equal to them.

    A leaf has a weight for each of `targets`; with `sparse` one, for the tree's.
    """
    random = np.random.default_rng(seed)
    nodes = {name: [] for name in ("treeids", "nodeids", "featureids", "modes", "values")}
    nodes |= {name: [] for name in ("truenodeids", "falsenodeids", "missing_value_tracks_true")}
    leaves = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}

    counts = [0] * trees

    def grow(tree, left):
        own = counts[tree]
        counts[tree] += 1
        is_leaf = left == 0 or (left < depth and random.uniform() < 0.2)
        said = {
            "treeids": tree,
            "nodeids": own,
            "featureids": 0 if is_leaf else int(random.integers(features)),
            "modes": "LEAF" if is_leaf else f"BRANCH_{random.choice(modes)}",
            "values": 0.0 if is_leaf else float(random.integers(-3, 4) / 2),
            "truenodeids": 0,
            "falsenodeids": 0,
            "missing_value_tracks_true": int(missing and not is_leaf and random.uniform() < 0.5),
        }
        for name, value in said.items():
            nodes[name].append(value)
        place = len(nodes["treeids"]) - 1
        if is_leaf:
            chosen = [targets[tree % len(targets)]] if sparse else targets
            for target in chosen:
                leaves["treeids"].append(tree)
                leaves["nodeids"].append(own)
                leaves["ids"].append(target)
                leaves["weights"].append(float(random.normal()))
        else:
            nodes["truenodeids"][place] = grow(tree, left - 1)
            nodes["falsenodeids"][place] = grow(tree, left - 1)
        return own

    for tree in range(trees):
        grow(tree, depth)
    if not missing:
        del nodes["missing_value_tracks_true"]
    return {
        **{f"nodes_{name}": values for name, values in nodes.items()},
        **{f"{kind}_{name}": values for name, values in leaves.items()},
    }


def rows_with_ties(rows, features, *, missing=False, dtype=np.float32, seed=1):
    """Return features that are halves, the infinities and, with `missing`, NaN."""
    random = np.random.default_rng(seed)
    x = (random.integers(-4, 5, (rows, features)) / 2).astype(dtype)
    x[random.uniform(size=x.shape) < 0.05] = np.inf
    x[random.uniform(size=x.shape) < 0.05] = -np.inf
    x[random.uniform(size=x.shape) < 0.1] = -0.0
    if missing:
        x[random.uniform(size=x.shape) < 0.2] = np.nan
    return x
