# SPDX-License-Identifier: Apache-2.0
"""Which operators of ai.onnx.ml become others."""

from __future__ import annotations

from collections.abc import Mapping

from tvmgo.compiler.simplify.expansions.estimators.features import (
    array_feature_extractor,
    binarizer,
    feature_vectorizer,
    imputer,
    label_encoder,
    normalizer,
    one_hot_encoder,
    scaler,
)
from tvmgo.compiler.simplify.expansions.estimators.linear import (
    linear_classifier,
    linear_regressor,
    svm_classifier,
    svm_regressor,
)
from tvmgo.compiler.simplify.expansions.estimators.trees import (
    tree_classifier,
    tree_ensemble,
    tree_regressor,
)
from tvmgo.compiler.simplify.graph_editor import Rewrite

ESTIMATORS: Mapping[str, Rewrite] = {
    f"ai.onnx.ml.{name}": rewrite
    for name, rewrite in {
        "ArrayFeatureExtractor": array_feature_extractor,
        "Binarizer": binarizer,
        "FeatureVectorizer": feature_vectorizer,
        "Imputer": imputer,
        "LabelEncoder": label_encoder,
        "LinearClassifier": linear_classifier,
        "LinearRegressor": linear_regressor,
        "Normalizer": normalizer,
        "OneHotEncoder": one_hot_encoder,
        "SVMClassifier": svm_classifier,
        "SVMRegressor": svm_regressor,
        "Scaler": scaler,
        "TreeEnsemble": tree_ensemble,
        "TreeEnsembleClassifier": tree_classifier,
        "TreeEnsembleRegressor": tree_regressor,
    }.items()
}
