# SPDX-License-Identifier: Apache-2.0
"""Operators of ai.onnx.ml, beside ONNX Runtime."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.compiler.estimators import DOMAIN, estimator, random_trees, rows_with_ties
from tests.compiler.models import normal, onnx_runtime
from tvmgo.compiler import ExportError
from tvmgo.compiler.simplify.labels import as_numbers
from tvmgo.compiler.simplify.simplifier import simplify

TRANSFORMS = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT")
EVERY_MODE = ("LEQ", "LT", "GTE", "GT", "EQ", "NEQ")


def assert_same_results(model, values, *, kept=(), **tolerance):
    """Compare the normal form, with and without what has a kernel, to ONNX Runtime's results."""
    expected = onnx_runtime(model, values)
    for with_kernels in (False, True):
        simple = simplify(model, {}, {}, with_kernels=with_kernels)
        own = [node.op_type for node in simple.graph.node if node.domain == DOMAIN]
        assert own == (list(kept) if with_kernels else [])
        results = onnx_runtime(simple, values)
        assert len(results) == len(expected)
        for result, reference in zip(results, expected):
            assert result.dtype == reference.dtype
            assert result.shape == reference.shape
            np.testing.assert_allclose(
                result, reference, **{"rtol": 2e-5, "atol": 2e-6, **tolerance}
            )


# Features


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int32])
def test_scaler(dtype):
    x = (normal(5, 3) * 4).astype(dtype)
    scale = {"offset": [0.5, -1.0, 2.0], "scale": [2.0, 0.25, -1.0]}
    assert_same_results(*estimator("Scaler", x, **scale))
    assert_same_results(*estimator("Scaler", x, offset=[1.5], scale=[3.0]))


@pytest.mark.parametrize("norm", ["MAX", "L1", "L2"])
def test_normalizer(norm):
    x = normal(5, 3)
    x[2] = 0
    x[3] = -abs(x[3])
    assert_same_results(*estimator("Normalizer", x, norm=norm))
    assert_same_results(*estimator("Normalizer", x.astype(np.float64), norm=norm))


def test_imputer():
    x = normal(4, 3)
    x[1, 1] = x[2, 0] = np.nan
    assert_same_results(
        *estimator(
            "Imputer", x, imputed_value_floats=[1.0, 2.0, 3.0], replaced_value_float=float("nan")
        )
    )
    x[3, 2] = 7
    x = np.nan_to_num(x)
    assert_same_results(
        *estimator("Imputer", x, imputed_value_floats=[9.0], replaced_value_float=7.0)
    )
    x = np.array([[1, 2], [3, 1]])
    assert_same_results(
        *estimator("Imputer", x, imputed_value_int64s=[8, 9], replaced_value_int64=1)
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_encoders(dtype):
    x = np.array([[1, 2], [3, 5]]).astype(dtype)
    assert_same_results(*estimator("OneHotEncoder", x, cats_int64s=[1, 3, 2], zeros=1))
    if dtype != np.float64:
        kind = "floats" if dtype == np.float32 else "int64s"
        single = "float" if dtype == np.float32 else "int64"
        number = float if dtype == np.float32 else int
        keys, values, rest = [2, 1, 3], [20, 10, 30], 7
        table = {
            f"keys_{kind}": list(map(number, keys)),
            f"values_{kind}": list(map(number, values)),
            f"default_{single}": number(rest),
        }
        assert_same_results(*estimator("LabelEncoder", x, **table))
        table = {f"keys_{kind}": [number(2), number(1)], "values_floats": [0.5, 1.5]}
        assert_same_results(*estimator("LabelEncoder", x, **table))


def test_a_label_of_nan():
    x = np.array([1, np.nan, 2], np.float32)
    table = {"keys_floats": [float("nan"), 1.0], "values_int64s": [5, 6]}
    assert_same_results(*estimator("LabelEncoder", x, version=4, **table))


def test_labels_in_tensors():
    tensors = {
        "keys_tensor": numpy_helper.from_array(np.array([1.0, 2.5])),
        "values_tensor": numpy_helper.from_array(np.array([3, 4], np.int64)),
        "default_tensor": numpy_helper.from_array(np.array([-7], np.int64)),
    }
    x = np.array([[2.5, 1.0, 9.0]])
    assert_same_results(*estimator("LabelEncoder", x, version=4, **tensors))


def test_binarizer_and_places():
    x = normal(4, 5)
    assert_same_results(*estimator("Binarizer", x, threshold=0.25))
    places = np.array([3, 0, 3])
    assert_same_results(*estimator("ArrayFeatureExtractor", x, places))
    assert_same_results(*estimator("ArrayFeatureExtractor", x[0], places))
    assert_same_results(*estimator("ArrayFeatureExtractor", x, places, constants=("x1",)))


def test_features_side_by_side():
    assert_same_results(
        *estimator("FeatureVectorizer", normal(4, 2), normal(4, 3), inputdimensions=[2, 3])
    )


# Linear models and support vectors


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("targets", [1, 3])
def test_linear_regressor(targets, transform):
    x = np.random.default_rng(0).uniform(0.1, 0.3, (5, 4)).astype(np.float32)
    weights = np.random.default_rng(1).uniform(0.1, 0.5, targets * 4)
    said = {"coefficients": weights, "intercepts": [0.05] * targets, "targets": targets}
    assert_same_results(
        *estimator("LinearRegressor", x, post_transform=transform, **said), rtol=1e-4
    )


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize(("rows", "labels"), [(1, [3, 7]), (2, [0, 1]), (3, [5, 2, 9])])
def test_linear_classifier(rows, labels, transform):
    if transform == "PROBIT" and (rows, len(labels)) == (1, 2):
        pytest.skip("leaves a score open")
    x = np.random.default_rng(0).uniform(0.1, 0.3, (6, 4)).astype(np.float32)
    weights = np.random.default_rng(1).uniform(-0.5, 0.5, rows * 4)
    if transform == "PROBIT":
        weights = abs(weights)
    said = {"coefficients": weights, "intercepts": [0.05] * rows, "classlabels_ints": labels}
    x = x.astype(np.float64 if transform == "LOGISTIC" else np.float32)
    assert_same_results(
        *estimator("LinearClassifier", x, outputs=2, post_transform=transform, **said), rtol=1e-4
    )


KERNELS = ("LINEAR", "POLY", "RBF", "SIGMOID")
PARAMETERS = [0.3, 0.2, 2.0]


@pytest.mark.parametrize("kernel", KERNELS)
def test_svm_regressor(kernel):
    said = {
        "kernel_type": kernel,
        "kernel_params": PARAMETERS,
        "coefficients": normal(6),
        "rho": [0.3],
        "n_supports": 6,
        "support_vectors": normal(6 * 4),
    }
    for one_class in (0, 1):
        assert_same_results(*estimator("SVMRegressor", normal(5, 4), one_class=one_class, **said))


@pytest.mark.parametrize("one_class", [0, 1])
def test_svm_regressor_that_adds_nothing(one_class):
    """The standard does not ask for `rho`; ONNX Runtime reads one that is not there."""
    x, weights = normal(5, 4), normal(4)
    model, values = estimator("SVMRegressor", x, coefficients=weights, one_class=one_class)
    (result,) = onnx_runtime(simplify(model, {}, {}), values)
    expected = x @ weights[:, None]
    expected = np.where(expected > 0, 1, -1) if one_class else expected
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kernel", "per_class", "proba"),
    [
        *((kernel, [2, 3, 1], False) for kernel in KERNELS),
        ("RBF", [3, 2], False),
        ("RBF", [3, 2], True),
        ("LINEAR", [2, 3, 1], True),
        ("RBF", [2, 1, 3, 2, 4], True),
    ],
)
def test_svm_classifier(kernel, per_class, proba):
    classes, vectors = len(per_class), sum(per_class)
    pairs = classes * (classes - 1) // 2
    said = {
        "kernel_type": kernel,
        "kernel_params": PARAMETERS,
        "vectors_per_class": per_class,
        "coefficients": [-0.5, *normal((classes - 1) * vectors - 1)],
        "rho": normal(pairs),
        "support_vectors": normal(vectors * 4),
        "classlabels_ints": list(range(10, 10 + classes)),
    }
    if kernel == "POLY":  # scores are large and cancel
        said["coefficients"] = [each / 8 for each in said["coefficients"]]
    if proba:
        said |= {"prob_a": normal(pairs) - 1, "prob_b": normal(pairs)}
    assert_same_results(
        *estimator("SVMClassifier", normal(40, 4), outputs=2, **said), rtol=1e-4, atol=1e-5
    )


# Trees


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("modes", [("LEQ",), ("LT",), ("GTE",), ("GT",), ("EQ",), EVERY_MODE])
def test_what_trees_ask(modes, missing):
    dtype = np.float64 if modes == EVERY_MODE else np.float32
    trees = random_trees(
        "target", features=5, trees=12, depth=5, targets=[0], modes=modes, missing=missing
    )
    x = rows_with_ties(60, 5, missing=True, dtype=dtype)
    assert_same_results(
        *estimator("TreeEnsembleRegressor", x, n_targets=1, **trees),
        kept=["TreeEnsembleRegressor"],
    )


def test_integers_go_down_trees():
    trees = random_trees("class", features=3, trees=4, depth=3, targets=[0])
    x = np.random.default_rng(0).integers(-2, 3, (20, 3))
    for each in (x, x.astype(np.int32)):
        assert_same_results(
            *estimator(
                "TreeEnsembleClassifier", each, outputs=2, classlabels_int64s=[0, 1], **trees
            ),
            kept=["TreeEnsembleRegressor"],
        )


@pytest.mark.parametrize("aggregate", ["SUM", "AVERAGE", "MIN", "MAX"])
@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("sparse", [False, True])
def test_how_trees_are_put_together(aggregate, targets, sparse):
    trees = random_trees(
        "target", features=4, trees=6, depth=3, targets=list(range(targets)), sparse=sparse
    )
    said = {"aggregate_function": aggregate, "n_targets": targets, **trees}
    said["base_values"] = [0.5, -1.0, 2.0][:targets]
    model = estimator("TreeEnsembleRegressor", rows_with_ties(30, 4), **said)
    kept = ["TreeEnsembleRegressor"] if aggregate in ("SUM", "AVERAGE") else []
    assert_same_results(*model, kept=kept)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("targets", [1, 3])
def test_what_becomes_of_sums(targets, transform):
    trees = random_trees("target", features=4, trees=1, depth=3, targets=list(range(targets)))
    trees["target_weights"] = np.random.default_rng(0).uniform(
        0.1, 0.9, len(trees["target_weights"])
    )
    said = {"n_targets": targets, "post_transform": transform, **trees}
    assert_same_results(
        *estimator("TreeEnsembleRegressor", rows_with_ties(30, 4), **said),
        kept=["TreeEnsembleRegressor"],
        rtol=1e-4,
    )


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"])
@pytest.mark.parametrize("all_positive", [False, True])
@pytest.mark.parametrize("base", [False, True])
@pytest.mark.parametrize(
    ("labels", "classes"),
    [([4, 9], [0]), ([0, 1], [0, 1]), ([7, 2, 5], [0, 1, 2])],
)
def test_tree_classifier(labels, classes, base, all_positive, transform):
    if base and classes == [0, 1]:
        pytest.skip("refused")
    trees = random_trees("class", features=4, trees=9, depth=3, targets=classes)
    weights = np.array(trees["class_weights"]) / 9
    trees["class_weights"] = abs(weights) if all_positive else weights
    said = {"classlabels_int64s": labels, "post_transform": transform, **trees}
    if base:
        said["base_values"] = [0.25] if len(classes) == 1 else [0.5, -0.25, 0.1]
    dtype = np.float64 if transform == "NONE" else np.float32
    assert_same_results(
        *estimator("TreeEnsembleClassifier", rows_with_ties(40, 4, dtype=dtype), outputs=2, **said),
        kept=["TreeEnsembleRegressor"],
    )


def test_thresholds_of_float64():
    trees = random_trees("target", features=3, trees=5, depth=4, targets=[0])
    values = np.array(trees.pop("nodes_values")) + 1e-12
    trees["nodes_values_as_tensor"] = numpy_helper.from_array(values)
    weights = np.array(trees.pop("target_weights"))
    trees["target_weights_as_tensor"] = numpy_helper.from_array(weights)
    x = np.repeat(values[:3, None], 3, axis=1) + np.array([[-1e-12], [0], [1e-12]])
    assert_same_results(
        *estimator("TreeEnsembleRegressor", x, n_targets=1, **trees),
        kept=["TreeEnsembleRegressor"],
    )


def version_5(dtype, **said):
    def tensor(values, dtype=dtype):
        return numpy_helper.from_array(np.array(values, dtype))

    return {
        "n_targets": 2,
        "tree_roots": [0],
        "nodes_featureids": [0, 0, 0],
        "nodes_splits": tensor([3.14, 1.2, 4.2]),
        "nodes_modes": tensor([0, 0, 0], np.uint8),
        "nodes_truenodeids": [1, 0, 0],
        "nodes_trueleafs": [0, 1, 1],
        "nodes_falsenodeids": [2, 2, 3],
        "nodes_falseleafs": [0, 1, 1],
        "leaf_targetids": [0, 1, 0, 1],
        "leaf_weights": tensor([5.23, 12.12, -12.23, 7.21]),
        **said,
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("transform", [0, 1, 2])
@pytest.mark.parametrize("aggregate", [0, 1, 2, 3])
def test_trees_of_version_5(aggregate, transform, dtype):
    said = version_5(dtype, aggregate_function=aggregate, post_transform=transform)
    said["nodes_falsenodeids"] = [2, 1, 3]
    said["nodes_truenodeids"] = [1, 0, 2]
    x = np.array([[1.2], [3.4], [-0.12], [1.66], [4.14], [9.0]], dtype)
    kept = ["TreeEnsembleRegressor"] if dtype == np.float32 and aggregate in (0, 1) else []
    assert_same_results(*estimator("TreeEnsemble", x, version=5, **said), kept=kept)


def test_members_of_sets():
    modes = numpy_helper.from_array(np.array([0, 6, 6], np.uint8))
    members = np.array([1.2, 3.7, 8.0, 9.0, np.nan, 12.0, 7.0, np.nan], np.float32)
    said = version_5(np.float32, nodes_modes=modes, nodes_featureids=[0, 0, 0])
    said["nodes_splits"] = numpy_helper.from_array(np.array([11, 232344, np.nan], np.float32))
    said["nodes_truenodeids"], said["nodes_falsenodeids"] = [1, 0, 2], [2, 1, 3]
    said["membership_values"] = numpy_helper.from_array(members)
    x = np.array([[1.2], [3.4], [3.7], [8.0], [9.0], [12.0], [7.0], [15.0]], np.float32)
    assert_same_results(
        *estimator("TreeEnsemble", x, version=5, **said), kept=["TreeEnsembleRegressor"]
    )


def test_nodes_that_are_shared():
    """Two questions may lead to one node, which ONNX Runtime would refuse."""
    said = {
        "n_targets": 1,
        "nodes_treeids": [0] * 5,
        "nodes_nodeids": [0, 1, 2, 3, 4],
        "nodes_featureids": [0, 0, 0, 0, 0],
        "nodes_modes": ["BRANCH_EQ", "BRANCH_EQ", "BRANCH_EQ", "LEAF", "LEAF"],
        "nodes_values": [1.0, 2.0, 3.0, 0.0, 0.0],
        "nodes_truenodeids": [3, 3, 3, 0, 0],
        "nodes_falsenodeids": [1, 2, 4, 0, 0],
        "target_treeids": [0, 0],
        "target_nodeids": [3, 4],
        "target_ids": [0, 0],
        "target_weights": [1.5, -2.5],
    }
    x = np.array([[0], [1], [2], [3], [4], [np.nan]], np.float32)
    model, values = estimator("TreeEnsembleRegressor", x, **said)
    for with_kernels in (False, True):
        (y,) = onnx_runtime(simplify(model, {}, {}, with_kernels=with_kernels), values)
        np.testing.assert_array_equal(y[:, 0], [-2.5, 1.5, 1.5, 1.5, -2.5, -2.5])


# What is refused


def test_nodes_that_are_no_trees():
    said = random_trees("target", features=2, trees=2, depth=2, targets=[0])
    said["nodes_truenodeids"][0] = 0
    model, _ = estimator("TreeEnsembleRegressor", normal(3, 2), n_targets=1, **said)
    with pytest.raises(ExportError, match="its nodes are no trees"):
        simplify(model, {}, {})
    said["nodes_truenodeids"][0] = 99
    model, _ = estimator("TreeEnsembleRegressor", normal(3, 2), n_targets=1, **said)
    with pytest.raises(ExportError, match="names a node that it does not have"):
        simplify(model, {}, {})


def test_features_that_a_row_has_not():
    said = random_trees("target", features=9, trees=2, depth=3, targets=[0])
    model, _ = estimator("TreeEnsembleRegressor", normal(3, 2), n_targets=1, **said)
    with pytest.raises(ExportError, match="asks for a feature that its input, which has 2"):
        simplify(model, {}, {})


def test_strings_are_refused():
    x = np.array([["a", "b"]])
    model, _ = estimator("OneHotEncoder", x, cats_strings=["a", "b"])
    with pytest.raises(ExportError, match="input `x0`: its elements are strings"):
        as_numbers(model)


# Labels that are strings, and maps


def test_labels_become_their_places():
    trees = random_trees("class", features=4, trees=5, depth=3, targets=[0, 1, 2])
    model, values = estimator(
        "TreeEnsembleClassifier",
        rows_with_ties(20, 4),
        outputs=2,
        classlabels_strings=["ham", "spam", "eggs"],
        **trees,
    )
    zipped = helper.make_node(
        "ZipMap", ["y1"], ["map"], domain=DOMAIN, classlabels_strings=["ham", "spam", "eggs"]
    )
    model.graph.node.append(zipped)
    kind = helper.make_map_type_proto(
        onnx.TensorProto.STRING, helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, [])
    )
    model.graph.output[1].CopyFrom(
        helper.make_value_info("map", helper.make_sequence_type_proto(kind))
    )
    model.graph.output[0].CopyFrom(
        helper.make_tensor_value_info("y0", onnx.TensorProto.STRING, [20])
    )
    labels, maps = onnx_runtime(model, values)
    notes = as_numbers(model)
    assert notes == {
        "output `map`": "a matrix instead of maps, with columns for ham, spam, eggs",
        "output `y0`": "the place of the label, from 0, among ham, spam, eggs",
    }
    places, scores = onnx_runtime(simplify(model, {}, {}), values)
    assert [["ham", "spam", "eggs"][place] for place in places] == list(labels)
    expected = [[each[name] for name in ("ham", "spam", "eggs")] for each in maps]
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def test_what_has_numbers_alone_stays():
    model, _ = estimator("Scaler", normal(2, 2), scale=[1.0], offset=[0.0])
    before = model.SerializeToString()
    assert as_numbers(model) == {}
    assert model.SerializeToString() == before
