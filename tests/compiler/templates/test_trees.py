# SPDX-License-Identifier: Apache-2.0
"""Sums of decision trees, kernel by kernel, beside a walk in NumPy."""

import numpy as np
import pytest

from tests.compiler.estimators import estimator, random_trees, rows_with_ties
from tests.compiler.models import onnx_runtime, run
from tests.compiler.templates.kernels import TARGETS, call_all
from tvmgo.compiler import export
from tvmgo.compiler.relax.importing.trees import Nodes, packed
from tvmgo.compiler.relax.templates.kernels.trees import TreesKernel
from tvmgo.compiler.relax.trees import Trees

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

RANDOM = np.random.default_rng(3)


class Forest:
    """Full trees of a depth, their nodes numbered by level: 2 n + 1 and 2 n + 2 follow n."""

    def __init__(self, trees, depth, features, targets, dtype, each):
        size, inner = 2 ** (depth + 1) - 1, 2**depth - 1
        own = np.tile(np.arange(size), trees)
        self.is_leaf = own >= inner
        self.leaves = np.cumsum(self.is_leaf) - 1
        self.features = np.where(self.is_leaf, 0, RANDOM.integers(0, features, len(own)))
        self.thresholds = RANDOM.standard_normal(len(own)).astype(dtype)
        self.ahead = np.where(self.is_leaf, 0, own + 1)
        self.starts = np.arange(trees) * size
        self.depth, self.targets, self.each = depth, targets, each
        count = trees * 2**depth
        self.weights = RANDOM.standard_normal((count, targets) if each else count).astype(dtype)
        self.target_of = np.arange(trees) % targets

    def sums(self, x):
        rows = np.arange(len(x))
        total = np.zeros((len(x), self.targets))
        for tree, start in enumerate(self.starts):
            here = np.full(len(x), start)
            for _ in range(self.depth):
                yes = x[rows, self.features[here]] <= self.thresholds[here]
                here = here + self.ahead[here] + np.where(self.is_leaf[here], 0, yes)
            weights = self.weights[self.leaves[here]]
            if self.each:
                total += weights
            else:
                total[:, self.target_of[tree]] += weights
        return total

    def kernel(self, x, bits):
        nodes = Nodes(
            self.features, self.thresholds, self.ahead, np.where(self.is_leaf, self.leaves, 0)
        )
        words, content = packed(nodes, self.is_leaf, bits, self.thresholds.dtype)
        trees = len(self.starts)
        depths = np.full(trees, self.depth, np.int32)
        constants = [content, self.starts.astype(np.int32), depths, self.weights]
        if not self.each:
            constants.append(self.target_of.astype(np.int32))
        what = Trees(trees, self.targets, words, bits, self.each, trees * self.depth)
        shapes = [each.shape for each in constants]
        return TreesKernel(what, x.shape, str(x.dtype), shapes), constants


# Trees, depth, targets, whether each leaf adds to all; of the last ones threads share the trees.
FORESTS = [(19, 3, 1, False), (21, 4, 3, False), (13, 2, 3, True), (1, 0, 1, False)]
SHARED = [(8003, 4, 1, False), (8003, 4, 2, True)]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("bits", [3, 31])  # nodes of two words and of four
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_layout_of_nodes(dtype, bits, target):
    trees, depth, targets, each = FORESTS[0]
    made = Forest(trees, depth, 7, targets, dtype, each)
    check(made, RANDOM.standard_normal((21, 7)).astype(dtype), bits, target)


@pytest.mark.parametrize("forest", FORESTS[1:])
def test_every_kind_of_weights(forest):
    trees, depth, targets, each = forest
    made = Forest(trees, depth, 7, targets, "float32", each)
    for rows in (3, 13):
        check(made, RANDOM.standard_normal((rows, 7)).astype("float32"), 3, LOWEST)


def test_many_rows():
    trees, depth, targets, each = FORESTS[0]
    made = Forest(trees, depth, 7, targets, "float32", each)
    check(made, RANDOM.standard_normal((300, 7)).astype("float32"), 3, LOWEST)


@pytest.mark.parametrize("forest", SHARED)
def test_many_trees(forest):
    trees, depth, targets, each = forest
    made = Forest(trees, depth, 7, targets, "float32", each)
    for rows in (1, 2):
        x = RANDOM.standard_normal((rows, 7)).astype("float32")
        assert made.kernel(x, 3)[0].tasks == 2
        check(made, x, 3, LOWEST)


LOWEST = TARGETS[0].values[0]


def check(forest, x, bits, target):
    kernel, constants = forest.kernel(x, bits)
    assert (kernel.what.words == 2) == (bits == 3 and x.dtype == "float32")
    results = [(kernel.result, "float32")]
    if kernel.memory:
        results.append((kernel.memory, kernel.dtype))
    y, *_ = call_all(kernel.emit("trees"), target, results, x, *constants)
    expected = forest.sums(x)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4 * np.sqrt(len(forest.starts)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_classifier_is_exported(tmp_path, dtype):
    trees = random_trees(
        "class",
        features=6,
        trees=30,
        depth=6,
        targets=[0, 1, 2],
        modes=("LEQ", "LT", "GTE", "EQ", "NEQ"),
        missing=True,
    )
    model, values = estimator(
        "TreeEnsembleClassifier",
        rows_with_ties(40, 6, missing=True, dtype=dtype),
        outputs=2,
        classlabels_int64s=[5, 1, 3],
        post_transform="SOFTMAX",
        **trees,
    )
    files = export(model, tmp_path, target="native", verify=True)
    assert files.report.format == "graph"
    assert [each.template for each in files.report.kernels].count("trees") == 1
    labels, scores = run(files, values)
    expected = onnx_runtime(model, values)
    np.testing.assert_array_equal(labels, expected[0])
    np.testing.assert_allclose(scores, expected[1], rtol=1e-5)
