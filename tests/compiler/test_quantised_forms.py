# SPDX-License-Identifier: Apache-2.0
"""Some of what `make quantised` tries: models of ONNX Runtime's quantisers, exported and verified."""

import copy

import numpy as np
import onnx
import pytest

from tests.compiler.models import onnx_runtime, run
from tests.quantised.floats import MODELS, sample
from tests.quantised.quantising import (
    OPERATOR,
    QDQ,
    S8,
    S16,
    U8,
    dynamic,
    float16,
    short_weights,
    static,
)
from tvmgo.compiler import export

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

FORMS = [
    ("Sigmoid", static(OPERATOR, U8, S8, per_channel=True)),
    ("Concat", static(QDQ, U8, S8)),
    ("Gemm", static(QDQ, S16, S16, symmetric=True, opset=21)),
    ("LSTM", dynamic(U8)),
    ("Gather", float16(True)),
    ("Gemm", short_weights("int8")),
]


@pytest.mark.parametrize(("kind", "form"), FORMS, ids=lambda each: str(each[0]))
def test_forms(kind, form, tmp_path):
    given = MODELS[kind]()
    x = sample(given)
    model = form[1](copy.deepcopy(given))
    onnx.save(model, tmp_path / "model.onnx")
    files = export(tmp_path / "model.onnx", tmp_path, target="native", verify=True, inputs={"x": x})
    assert files.report.verification.startswith("agrees")
    (result,), (exact,) = run(files, {"x": x}), onnx_runtime(given, {"x": x})
    # Quantised, it is still about what the model of floats computes.
    assert np.abs(result - exact).max() < 0.1 * np.abs(exact).max()
