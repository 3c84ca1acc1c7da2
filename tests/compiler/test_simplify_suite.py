# SPDX-License-Identifier: Apache-2.0
"""Normal forms of cases of ONNX's backend suite, beside the results that it expects."""

import fnmatch

import numpy as np
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

from tests.onnx_suite.cases import all_cases, with_constants
from tests.onnx_suite.outcome import problem
from tvmgo.compiler.simplify.opset import NORMAL_OPSET, opset_of
from tvmgo.compiler.simplify.simplifier import simplify

# Patterns of names, and operators that are gone from the normal form.
EXPANDED = {
    "*averagepool*dilations*": ["AveragePool"],
    "affine_grid*": ["AffineGrid", "If"],
    "attention_4d_*past*": [],
    "attention_4d_causal_nonpad*": ["Attention"],
    "batchnorm_*_training_mode": ["BatchNormalization"],
    "col2im*": ["Col2Im"],
    "convtranspose_*_shape": [],
    "cumprod*": ["CumProd"],
    "*deform_conv*": ["DeformConv"],
    "dequantizelinear_*16": ["DequantizeLinear"],
    "dequantizelinear_blocked": ["DequantizeLinear"],
    "dft*": ["DFT"],
    "flexattention*": ["FlexAttention"],
    "gridsample_volumetric*": ["GridSample"],
    "layer_normalization_*": ["LayerNormalization"],
    "linear_attention*": ["LinearAttention", "Scan"],
    "maxpool_with_argmax*": ["MaxPool"],
    "maxunpool*": ["MaxUnpool"],
    "onehot*": ["OneHot"],
    "quantizelinear_blocked*": ["QuantizeLinear"],
    "quantizelinear_*16": ["QuantizeLinear"],
    "range*": ["Range", "Loop"],
    "resize*": [],
    "reversesequence*": ["ReverseSequence"],
    "stft*": ["STFT"],
    "tensorscatter*": ["TensorScatter"],
    "training_dropout_zero_ratio*": ["Dropout"],
}
CASES = all_cases()
CHOSEN = [
    (name, gone)
    for pattern, gone in EXPANDED.items()
    for name in fnmatch.filter(CASES, pattern)
    if not name.endswith("_expanded")
]


def evaluate(model, inputs):
    """Run a normal form; ONNX Runtime has no kernels for some element types."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        return session.run(None, inputs)
    except Exception:  # ONNX Runtime's own classes have no common base
        return ReferenceEvaluator(model).run(None, inputs)


@pytest.mark.parametrize(("name", "gone"), CHOSEN)
def test_normal_form_gives_what_the_suite_expects(name, gone):
    inputs, expected = CASES[name].values
    which = "all" if name.startswith("range") else "others"
    model, left = with_constants(CASES[name].model, inputs, which)
    simple = simplify(model, {}, {})
    assert opset_of(simple) == NORMAL_OPSET
    assert not {node.op_type for node in simple.graph.node} & set(gone)
    results = evaluate(simple, left)
    assert len(results) == len(expected)
    for result, reference in zip(results, expected.values()):
        assert not problem(np.asarray(result), reference)
