# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN, whose steps one kernel goes through, beside ONNX Runtime."""

import numpy as np
import pytest
from onnx import helper

from tests.compiler.models import (
    FLOAT,
    assert_refused,
    assert_same,
    functions,
    normal,
    onnx_model,
    onnx_runtime,
    read_graph,
    run,
)
from tests.compiler.simplified import one_node
from tvmgo.compiler import ExportError, export

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
STEPS, BATCH, WIDTH, HIDDEN = 6, 3, 5, 20
BOTH = {"direction": "bidirectional"}
LENGTHS = np.array([4, 6, 0], np.int32)


def recurrent(operator, *, lengths=None, states=False, peepholes=False, biases=True, **attributes):
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    rows = GATES[operator] * HIDDEN
    state = (directions, BATCH, HIDDEN)
    inputs = [
        normal(STEPS, BATCH, WIDTH),
        normal(directions, rows, WIDTH) / 2,
        normal(directions, rows, HIDDEN) / 4,
        normal(directions, 2 * rows) / 2 if biases else None,
        lengths,
        normal(*state) if states else None,
    ]
    if operator == "LSTM":
        inputs.append(normal(*state) if states else None)
        inputs.append(normal(directions, 3 * HIDDEN) if peepholes else None)
    return one_node(
        *(operator, inputs, 3 if operator == "LSTM" else 2),
        constants=(1, 2, 3, 4),
        hidden_size=HIDDEN,
        **attributes,
    )


CASES = {
    "forward": ("LSTM", {"states": True}),
    "reverse": ("LSTM", {"direction": "reverse"}),
    "bidirectional": ("RNN", {"states": True, **BOTH}),
    "without biases": ("LSTM", {"biases": False}),
    "peepholes": ("LSTM", {"peepholes": True, "states": True, **BOTH}),
    "clip": ("LSTM", {"clip": 0.3}),
    "GRU's clip": ("GRU", {"clip": 0.3}),
    "forget gates are coupled": ("LSTM", {"input_forget": 1}),
    "reset before": ("GRU", {"linear_before_reset": 0, "states": True, **BOTH}),
    "reset behind": ("GRU", {"linear_before_reset": 1, "states": True, **BOTH}),
    "reset behind, without biases": ("GRU", {"linear_before_reset": 1, "biases": False}),
    "lengths": ("LSTM", {"lengths": LENGTHS, "states": True, **BOTH}),
    "GRU's lengths": ("GRU", {"lengths": LENGTHS, "states": True, **BOTH}),
    "RNN's lengths, backwards": ("RNN", {"lengths": LENGTHS, "direction": "reverse"}),
    "full lengths": ("LSTM", {"lengths": np.full(BATCH, STEPS, np.int32)}),
    "functions by name": ("LSTM", {"activations": ["hardsigmoid", "Relu", "Elu"]}),
    "functions with numbers": (
        "LSTM",
        {
            "activations": ["HardSigmoid", "Affine", "LeakyRelu"],
            "activation_alpha": [0.3, 0.5, 0.2],
            "activation_beta": [0.4, 0.1],
        },
    ),
    "other functions": (
        "LSTM",
        {
            "activations": ["Sigmoid", "ScaledTanh", "Softsign"],
            "activation_alpha": [0.7],
            "activation_beta": [0.6],
        },
    ),
    "functions of both directions": (
        "GRU",
        {"activations": ["HardSigmoid", "Elu"] * 2, "activation_alpha": [0.2, 0.8] * 2, **BOTH},
    ),
    "functions that differ": (
        "GRU",
        {"activations": ["Sigmoid", "Tanh", "Sigmoid", "Elu"], **BOTH},
    ),
    "thresholds": ("RNN", {"activations": ["ThresholdedRelu"], "activation_alpha": [0.3]}),
    "softplus": ("RNN", {"activations": ["Softplus"]}),
}


@pytest.mark.parametrize("name", CASES)
def test_operator_computes_what_onnx_runtime_computes(name, tmp_path):
    operator, options = CASES[name]
    model, values = recurrent(operator, **options)
    artifacts = export(model, tmp_path, compiler="relax", format="graph", target="native")
    assert_same(run(artifacts, values), onnx_runtime(model, values), atol=3e-6)
    differ = name == "functions that differ"  # which are computed step by step
    assert (f"tvmgen_default_{operator.lower()}" in functions(read_graph(artifacts))) != differ


@pytest.mark.parametrize("operator", GATES)
def test_batch_first_is_the_other_layout_transposed(operator, tmp_path):
    """ONNX Runtime does not know it."""
    first, values = recurrent(operator, states=True, **BOTH)
    expected = onnx_runtime(first, values)
    first.graph.node[0].attribute.append(helper.make_attribute("layout", 1))
    for value in first.graph.input:
        dims = value.type.tensor_type.shape.dim
        dims[0].dim_value, dims[1].dim_value = dims[1].dim_value, dims[0].dim_value
    for value in first.graph.output:
        value.type.tensor_type.ClearField("shape")
    values = {name: np.ascontiguousarray(each.swapaxes(0, 1)) for name, each in values.items()}
    artifacts = export(first, tmp_path, compiler="relax", target="native", verify=False)
    series, *last = run(artifacts, values)
    assert_same([series.transpose(1, 2, 0, 3)], expected[:1])
    assert_same([each.swapaxes(0, 1) for each in last], expected[1:])


def test_lengths_may_be_told_at_run_time(tmp_path):
    model, values = recurrent("LSTM", lengths=LENGTHS, **BOTH)
    lengths = next(each for each in model.graph.initializer if each.name == "x4")
    model.graph.initializer.remove(lengths)
    model.graph.input.append(
        helper.make_tensor_value_info("x4", lengths.data_type, list(lengths.dims))
    )
    artifacts = export(model, tmp_path, compiler="relax", format="graph", target="native")
    for each in (LENGTHS, np.array([6, 2, 3], np.int32)):
        inputs = {**values, "x4": each}
        assert_same(run(artifacts, inputs), onnx_runtime(model, inputs))


def test_half_floats_are_summed_up_as_floats(tmp_path):
    model, values = recurrent("LSTM", states=True)
    expected = onnx_runtime(model, values)
    model, halves = recurrent_in_half(model, values)
    artifacts = export(model, tmp_path, compiler="relax", target="native", verify=False)
    assert_same(
        run(artifacts, halves), [each.astype("float16") for each in expected], rtol=4e-3, atol=4e-3
    )


def recurrent_in_half(model, values):
    from onnx import TensorProto, numpy_helper

    for tensor in model.graph.initializer:
        content = numpy_helper.to_array(tensor).astype("float16")
        tensor.CopyFrom(numpy_helper.from_array(content, tensor.name))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.elem_type = TensorProto.FLOAT16
    return model, {name: value.astype("float16") for name, value in values.items()}


def test_many_steps_are_one_kernel(tmp_path):
    model = long_lstm(700)
    artifacts = export(model, tmp_path, compiler="relax")
    assert len(functions(read_graph(artifacts))) < 5
    assert artifacts.library.stat().st_size < 400_000
    assert "recurrence" in [each.template for each in artifacts.report.kernels]
    x = {"x": normal(700, 1, 8)}
    assert_same(run(artifacts, x), onnx_runtime(model, x))


def long_lstm(steps):
    weights = {"w": normal(1, 64, 8) / 3, "r": normal(1, 64, 16) / 4}
    nodes = [helper.make_node("LSTM", ["x", *weights], ["y"], hidden_size=16)]
    inputs, outputs = {"x": (FLOAT, (steps, 1, 8))}, {"y": (FLOAT, (steps, 1, 1, 16))}
    return onnx_model(nodes, inputs, outputs, weights)


def test_weights_that_are_computed_are_taken_step_by_step(tmp_path):
    weights = {"w": normal(1, 16, 3), "r": normal(1, 16, 4)}
    nodes = [
        helper.make_node("Neg", ["s"], ["r"]),
        helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=4),
    ]
    inputs = {"x": (FLOAT, (3, 1, 3)), "s": (FLOAT, (1, 16, 4))}
    model = onnx_model(nodes, inputs, {"y": (FLOAT, (3, 1, 1, 4))}, {"w": weights["w"]})
    values = {"x": normal(3, 1, 3), "s": weights["r"]}
    artifacts = export(model, tmp_path, compiler="relax", format="graph")
    assert_same(run(artifacts, values), onnx_runtime(model, values))


def test_function_that_nobody_knows_is_refused(tmp_path):
    model, _ = recurrent("RNN", activations=["Sine"])
    with pytest.raises(ExportError) as error:
        export(model, tmp_path, compiler="relax", format="graph")
    assert_refused(error, "RNN", "its activation Sine is not known")
