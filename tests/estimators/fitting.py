# SPDX-License-Identifier: Apache-2.0
"""Fits estimators and writes, for each, its model, rows, and what it says of these.

Runs alone, by a Python that has the frameworks: ``python fitting.py FOLDER``.
"""

import sys
import warnings
from pathlib import Path

import lightgbm
import numpy as np
import onnx
import skl2onnx
import sklearn
from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
from skl2onnx import to_onnx, update_registered_converter
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType
from skl2onnx.common.shape_calculator import (
    calculate_linear_classifier_output_shapes,
    calculate_linear_regressor_output_shapes,
)
from sklearn.base import is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

ROWS, FEATURES = 600, 8

update_registered_converter(
    lightgbm.LGBMClassifier,
    "LightGbmLGBMClassifier",
    calculate_linear_classifier_output_shapes,
    convert_lightgbm,
    options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
)
update_registered_converter(
    lightgbm.LGBMRegressor,
    "LightGbmLGBMRegressor",
    calculate_linear_regressor_output_shapes,
    convert_lightgbm,
)

random = np.random.default_rng(0)
X = random.standard_normal((ROWS, FEATURES)).astype(np.float32)
Y = (X[:, 0] * 2 + np.sin(X[:, 1] * 2) + X[:, 2] * X[:, 3]).astype(np.float32)
TWO = np.where(Y > 0, 7, 3)
THREE = np.digitize(Y, [-1, 1])
NAMES = np.array(["ham", "eggs", "spam"])[THREE]
MISSING = X.copy()
MISSING[random.uniform(size=X.shape) < 0.1] = np.nan
CODES = random.integers(0, 4, (ROWS, 3))
FEW = 20

# By name: the estimator, the rows that it is fitted to, and what it should say.
ESTIMATORS = {
    "LinearRegression": (LinearRegression(), X, Y),
    "Ridge": (Ridge(), X, Y),
    "Lasso": (Lasso(0.01), X, Y),
    "LogisticRegression": (LogisticRegression(), X, TWO),
    "LogisticRegression, three classes": (LogisticRegression(), X, THREE),
    "LogisticRegression, labels that are strings": (LogisticRegression(), X, NAMES),
    "StandardScaler, LogisticRegression": (
        make_pipeline(StandardScaler(), LogisticRegression()),
        X,
        THREE,
    ),
    "LinearSVC": (LinearSVC(), X, THREE),
    "SVC": (SVC(), X, THREE),
    "SVC, probability": (SVC(probability=True), X, TWO),
    "SVC, probability, three classes": (SVC(probability=True), X, THREE),
    "SVR": (SVR(), X, Y),
    "OneClassSVM": (OneClassSVM(), X, None),
    "DecisionTreeClassifier": (DecisionTreeClassifier(), X, THREE),
    "DecisionTreeRegressor": (DecisionTreeRegressor(), X, Y),
    "RandomForestClassifier": (RandomForestClassifier(FEW), X, TWO),
    "RandomForestClassifier, three classes": (RandomForestClassifier(FEW), X, THREE),
    "RandomForestClassifier, labels that are strings": (RandomForestClassifier(FEW), X, NAMES),
    "RandomForestRegressor": (RandomForestRegressor(FEW), X, Y),
    "RandomForestRegressor, two targets": (RandomForestRegressor(FEW), X, np.stack([Y, -Y], 1)),
    "ExtraTreesClassifier": (ExtraTreesClassifier(FEW), X, THREE),
    "GradientBoostingClassifier": (GradientBoostingClassifier(n_estimators=FEW), X, TWO),
    "GradientBoostingClassifier, three classes": (
        GradientBoostingClassifier(n_estimators=FEW),
        X,
        THREE,
    ),
    "GradientBoostingRegressor": (GradientBoostingRegressor(n_estimators=FEW), X, Y),
    "HistGradientBoostingClassifier": (HistGradientBoostingClassifier(max_iter=FEW), MISSING, TWO),
    "HistGradientBoostingRegressor": (HistGradientBoostingRegressor(max_iter=FEW), MISSING, Y),
    "AdaBoostClassifier": (AdaBoostClassifier(n_estimators=5), X, TWO),
    "BaggingRegressor": (BaggingRegressor(n_estimators=5), X, Y),
    "IsolationForest": (IsolationForest(n_estimators=FEW), X, None),
    "VotingClassifier": (
        VotingClassifier(
            [("a", LogisticRegression()), ("b", GaussianNB())],
            voting="soft",
            flatten_transform=False,
        ),
        X,
        THREE,
    ),
    "StackingRegressor": (
        StackingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=4))]),
        X,
        Y,
    ),
    "CalibratedClassifierCV": (CalibratedClassifierCV(GaussianNB(), cv=2), X, TWO),
    "KNeighborsClassifier": (KNeighborsClassifier(3), X, THREE),
    "KNeighborsRegressor": (KNeighborsRegressor(3), X, Y),
    "GaussianNB": (GaussianNB(), X, THREE),
    "GaussianProcessRegressor": (GaussianProcessRegressor(alpha=0.1), X[:100], Y[:100]),
    "MLPClassifier": (MLPClassifier(hidden_layer_sizes=(16,), max_iter=50), X, THREE),
    "MLPRegressor": (MLPRegressor(hidden_layer_sizes=(16,), max_iter=50), X, Y),
    "KMeans": (KMeans(4, n_init=1), X, None),
    "PCA": (PCA(3), X, None),
    "MinMaxScaler": (MinMaxScaler(), X, None),
    "RobustScaler": (RobustScaler(), X, None),
    "Normalizer": (Normalizer(), X, None),
    "Binarizer": (Binarizer(), X, None),
    "PolynomialFeatures": (PolynomialFeatures(2), X, None),
    "KBinsDiscretizer": (KBinsDiscretizer(4, encode="ordinal"), X, None),
    "SimpleImputer, Ridge": (make_pipeline(SimpleImputer(), Ridge()), MISSING, Y),
    "OneHotEncoder": (OneHotEncoder(sparse_output=False), CODES, None),
    "ColumnTransformer with OneHotEncoder": (
        make_pipeline(
            ColumnTransformer(
                [
                    ("codes", OneHotEncoder(sparse_output=False), [0, 1]),
                    ("numbers", StandardScaler(), [2]),
                ]
            ),
            LogisticRegression(),
        ),
        CODES,
        TWO,
    ),
    "LGBMClassifier": (lightgbm.LGBMClassifier(n_estimators=FEW, verbose=-1), MISSING, TWO),
    "LGBMClassifier, three classes": (
        lightgbm.LGBMClassifier(n_estimators=FEW, verbose=-1),
        X,
        THREE,
    ),
    "LGBMRegressor": (lightgbm.LGBMRegressor(n_estimators=FEW, verbose=-1), MISSING, Y),
    "LGBMRegressor, categories": (
        lightgbm.LGBMRegressor(n_estimators=FEW, verbose=-1),
        CODES.astype(np.float32),
        Y,
    ),
}


def said(estimator, x):
    """Return what the estimator says of rows, in the order of the model's outputs."""
    if hasattr(estimator, "predict_proba"):
        return [estimator.predict(x), estimator.predict_proba(x)]
    if hasattr(estimator, "predict"):
        return [estimator.predict(x)]
    return [estimator.transform(x)]


def fit(name, dtype, folder):
    estimator, x, y = ESTIMATORS[name]
    options = {"categorical_feature": [0, 1]} if name.endswith("categories") else {}
    estimator.fit(x, y, **options)
    kinds = {"float32": FloatTensorType, "float64": DoubleTensorType}
    kind = Int64TensorType if x.dtype == np.int64 else kinds[dtype]
    rows = x if x.dtype == np.int64 else x.astype(dtype)
    # Of float64 there are no maps, for ONNX Runtime.
    plain = dtype == "float64" and is_classifier(estimator) and name != "LinearSVC"
    options = {"zipmap": False} if plain else {}
    if "Neighbors" in name or "Process" in name:  # else a loop over rows finds distances
        options["optim"] = "cdist"
    model = to_onnx(
        estimator,
        initial_types=[("x", kind([None, x.shape[1]]))],
        options=options or None,
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    onnx.save(model, folder / "model.onnx")
    results = {f"y{i}": value for i, value in enumerate(said(estimator, rows[:100]))}
    np.savez(folder / "said.npz", x=rows[:100], **results)


def main(folder):
    warnings.filterwarnings("ignore")
    packages = (sklearn, skl2onnx, lightgbm)
    versions = ", ".join(f"{each.__name__} {each.__version__}" for each in packages)
    (folder / "versions").write_text(versions, encoding="utf-8")
    for number, name in enumerate(ESTIMATORS):
        for dtype in ("float32", "float64"):
            if dtype == "float64" and ESTIMATORS[name][1].dtype == np.int64:
                continue
            own = folder / f"{number:02}_{dtype}"
            own.mkdir(parents=True)
            (own / "name").write_text(name, encoding="utf-8")
            try:
                fit(name, dtype, own)
            except Exception as error:  # of any of the frameworks
                reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
                (own / "failure").write_text(reason, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
