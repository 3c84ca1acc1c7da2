# SPDX-License-Identifier: Apache-2.0
"""Small models in any opset, and whether their normal form computes what ONNX Runtime computes."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tests.compiler.models import onnx_runtime
from tvmgo.compiler.simplify.opset import NORMAL_OPSET, opset_of
from tvmgo.compiler.simplify.simplifier import simplify


def one_node(operator, inputs, outputs=1, opset=17, constants=(), **attributes):
    """Make a model of one node; `inputs` are arrays or None, those of `constants` its weights.

    Returns the model and the values of its inputs.
    """
    names = ["" if value is None else f"x{i}" for i, value in enumerate(inputs)]
    given = [f"y{i}" for i in range(outputs)]
    values = {name: np.asarray(value) for name, value in zip(names, inputs) if name}
    weights = {f"x{i}" for i in constants if f"x{i}" in values}
    graph = helper.make_graph(
        [helper.make_node(operator, names, given, **attributes)],
        "model",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
            )
            for name, value in values.items()
            if name not in weights
        ],
        [onnx.ValueInfoProto(name=name) for name in given],
        [numpy_helper.from_array(values[name], name) for name in weights],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    model = onnx.shape_inference.infer_shapes(model)
    return model, {name: value for name, value in values.items() if name not in weights}


def simplified(model, shapes=None):
    simple = simplify(model, shapes or {}, {})
    assert opset_of(simple) == NORMAL_OPSET
    onnx.checker.check_model(simple, full_check=True)
    return simple


def operators(model):
    return [node.op_type for node in model.graph.node]


def assert_computes(model, values, expected=None, *, gone=(), **tolerance):
    """Compare the normal form with ONNX Runtime's results of the model, or with `expected`."""
    before = model.SerializeToString()
    simple = simplified(model)
    assert model.SerializeToString() == before
    assert not set(gone) & set(operators(simple))
    expected = onnx_runtime(model, values) if expected is None else expected
    results = onnx_runtime(simple, values)
    assert len(results) == len(expected)
    for result, reference in zip(results, expected):
        assert result.dtype == reference.dtype
        np.testing.assert_allclose(result, reference, **{"rtol": 1e-5, "atol": 1e-6, **tolerance})
