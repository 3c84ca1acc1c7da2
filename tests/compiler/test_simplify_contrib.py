# SPDX-License-Identifier: Apache-2.0
"""Operators of com.microsoft, beside ONNX Runtime's own kernels."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.compiler.models import normal, onnx_runtime
from tests.compiler.simplified import one_node, operators
from tests.compiler.test_simplify_expansions import bytes_like, scale
from tvmgo.compiler import ExportError
from tvmgo.compiler.simplify.simplifier import simplify

X_BYTES, X_SCALE, X_ZERO = bytes_like(1, 2, 5, 6), scale(0.05), np.uint8(120)
QUANTIZED = [X_BYTES, X_SCALE, X_ZERO]
RESULT = [scale(0.04), np.uint8(100)]
OTHER = [bytes_like(1, 2, 5, 6)[..., ::-1].copy(), scale(0.03), np.uint8(90)]
IDS = np.array([[1, 5, 2], [3, 0, 4]], np.int32)
HIDDEN, HEADS, LENGTH = 8, 2, 3
TOKENS = normal(2, LENGTH, HIDDEN)
PROJECTIONS = [normal(HIDDEN, 3 * HIDDEN), normal(3 * HIDDEN)]
MASK = np.array([[1, 1, 0], [1, 1, 1]], np.int32)
EMBEDDINGS = [
    *(IDS, MASK, normal(9, HIDDEN), normal(5, HIDDEN), normal(2, HIDDEN)),
    *(normal(HIDDEN), normal(HIDDEN), MASK),
]
SKIP = [TOKENS, normal(2, LENGTH, HIDDEN), normal(HIDDEN), normal(HIDDEN), normal(HIDDEN)]
IMAGE, KERNEL = normal(1, 2, 5, 6), normal(3, 2, 3, 3)
Q_ATTENTION = [
    *(bytes_like(2, LENGTH, HIDDEN), bytes_like(HIDDEN, 3 * HIDDEN, dtype=np.int8)),
    *(normal(3 * HIDDEN), scale(0.01), scale(0.01), MASK, np.uint8(128), np.int8(0)),
]
Q_GEMM = [
    *(bytes_like(3, 4), scale(0.02), np.uint8(128), bytes_like(4, 5, dtype=np.int8)),
    *(scale(0.03, 0.01, 0.02, 0.05, 0.04), np.zeros(5, np.int8), np.arange(5, dtype=np.int32)),
]
TRANSPOSED_Q_GEMM = [
    *(*Q_GEMM[:3], Q_GEMM[3].T.copy(), Q_GEMM[4]),
    *(np.array([1, -2, 3, 0, 5], np.int8), Q_GEMM[6]),
]
PAST = 4
CACHE = [normal(2, HEADS, PAST, HIDDEN // HEADS) for _ in "kv"]
LONG_MASK = np.concatenate([np.ones((2, PAST), np.int32), MASK], axis=1)
OTHERS = [normal(2, 5, HIDDEN), normal(2, 5, 2 * HIDDEN)]  # keys, and values that are longer
THREE = [TOKENS, normal(2, LENGTH, HIDDEN), normal(2, LENGTH, HIDDEN)]
A_BYTES, B_BYTES = bytes_like(3, 4), bytes_like(4, 5)
COLUMNS = scale(0.03, 0.01, 0.02, 0.05, 0.04)
NBITS = {"K": 40, "N": 6, "bits": 4, "block_size": 16}  # three blocks, the last of them half empty
NBITS_INPUTS = [
    *(normal(2, 3, 40), bytes_like(6, 3, 8), scale(*np.linspace(0.01, 0.1, 18))),
    *(bytes_like(6, 2), np.arange(40, dtype=np.int32)[::-1] // 16, normal(6)),
]
COLUMN_ZEROS = np.array([1, 2, 3, 4, 5], np.uint8)

# Operator, inputs, how many of them the model is given when it runs, outputs, and attributes.
CASES = [
    ("Attention", [TOKENS, *PROJECTIONS], 1, 1, {"num_heads": HEADS}),
    ("Attention", [TOKENS, *PROJECTIONS, MASK], 1, 1, {"num_heads": HEADS}),
    ("Attention", [TOKENS, *PROJECTIONS], 1, 1, {"num_heads": HEADS, "unidirectional": 1}),
    ("Attention", [TOKENS, *PROJECTIONS], 1, 1, {"num_heads": HEADS, "scale": 0.3}),
    (
        *("Attention", [TOKENS, *PROJECTIONS, np.array([2, 3], np.int32)], 1, 1),
        {"num_heads": HEADS},
    ),
    (
        *("Attention", [TOKENS, *PROJECTIONS, LONG_MASK, np.stack(CACHE)], 1, 2),
        {"num_heads": HEADS, "unidirectional": 1},
    ),
    ("BiasGelu", [TOKENS, normal(HIDDEN)], 2, 1, {}),
    ("DynamicQuantizeMatMul", [normal(3, 4), B_BYTES, scale(0.02), np.uint8(120)], 1, 1, {}),
    ("DynamicQuantizeMatMul", [normal(3, 4), B_BYTES, COLUMNS, COLUMN_ZEROS], 1, 1, {}),
    (
        *("DynamicQuantizeMatMul", [normal(3, 4), B_BYTES, scale(0.02), np.uint8(9), normal(5)]),
        *(1, 1, {}),
    ),
    ("EmbedLayerNormalization", EMBEDDINGS, 2, 2, {"epsilon": 1e-6}),
    ("EmbedLayerNormalization", [IDS, None, *EMBEDDINGS[2:4], None, *EMBEDDINGS[5:7]], 1, 2, {}),
    ("FastGelu", [TOKENS], 1, 1, {}),
    ("FastGelu", [TOKENS, normal(HIDDEN)], 2, 1, {}),
    ("FusedConv", [IMAGE, KERNEL], 1, 1, {"activation": "Relu", "pads": [1, 1, 1, 1]}),
    (
        *("FusedConv", [IMAGE, KERNEL, normal(3)], 1, 1),
        {"activation": "LeakyRelu", "activation_params": [0.2]},
    ),
    (
        *("FusedConv", [IMAGE, KERNEL, normal(3)], 1, 1),
        {"activation": "Clip", "activation_params": [-0.5, 0.5], "strides": [2, 2]},
    ),
    ("FusedConv", [IMAGE, KERNEL, normal(3), normal(1, 3, 3, 4)], 1, 1, {"activation": "Relu"}),
    (
        *("FusedGemm", [normal(3, 4), normal(4, 5), normal(5)], 1, 1),
        {"activation": "LeakyRelu", "activation_alpha": 0.3, "alpha": 0.5},
    ),
    ("FusedMatMul", [normal(2, 4, 3), normal(2, 5, 4)], 2, 1, {"transA": 1, "transB": 1}),
    ("FusedMatMul", [normal(3, 4), normal(4, 5)], 2, 1, {"alpha": 0.25}),
    ("Gelu", [TOKENS], 1, 1, {}),
    ("MatMulNBits", NBITS_INPUTS[:3], 1, 1, NBITS),
    ("MatMulNBits", NBITS_INPUTS[:4], 1, 1, NBITS),
    ("MatMulNBits", [*NBITS_INPUTS[:3], normal(6, 3)], 1, 1, NBITS),  # zero points that are floats
    ("MatMulNBits", [*NBITS_INPUTS[:4], None, NBITS_INPUTS[5]], 1, 1, NBITS),
    ("MatMulNBits", [*NBITS_INPUTS[:3], None, NBITS_INPUTS[4]], 1, 1, NBITS),
    ("MatMulIntegerToFloat", [A_BYTES, B_BYTES, scale(0.02), scale(0.03)], 2, 1, {}),
    (
        "MatMulIntegerToFloat",
        [A_BYTES, B_BYTES, scale(0.02), COLUMNS, np.uint8(7), COLUMN_ZEROS, normal(5)],
        *(2, 1, {}),
    ),
    ("MultiHeadAttention", [TOKENS, *OTHERS], 3, 1, {"num_heads": HEADS, "scale": 0.3}),
    (
        "MultiHeadAttention",
        [TOKENS, *OTHERS, normal(4 * HIDDEN), np.array([[1, 1, 0, 1, 1]] * 2, np.int32)],
        *(3, 1, {"num_heads": HEADS, "mask_filter_value": -3.0}),
    ),
    (
        "MultiHeadAttention",
        [TOKENS, *OTHERS, None, np.array([3, 5], np.int32), normal(1, HEADS, LENGTH, 5)],
        *(3, 1, {"num_heads": HEADS}),
    ),
    ("MultiHeadAttention", [TOKENS, *CACHE, normal(3 * HIDDEN)], 3, 1, {"num_heads": HEADS}),
    ("MultiHeadAttention", THREE, 3, 3, {"num_heads": HEADS, "unidirectional": 1}),
    (
        *("MultiHeadAttention", [*THREE, normal(3 * HIDDEN), LONG_MASK, None, *CACHE], 3, 3),
        {"num_heads": HEADS, "unidirectional": 1},
    ),
    ("QAttention", Q_ATTENTION, 1, 1, {"num_heads": HEADS}),
    ("CDist", [normal(5, 4), normal(3, 4)], 2, 1, {"metric": "euclidean"}),
    ("CDist", [normal(5, 4), normal(3, 4)], 1, 1, {"metric": "sqeuclidean"}),
    ("QGemm", [*Q_GEMM, *RESULT], 1, 1, {}),
    ("QGemm", Q_GEMM, 1, 1, {"alpha": 2.0}),
    ("QGemm", TRANSPOSED_Q_GEMM, 1, 1, {"transB": 1}),
    ("QLinearAdd", [*QUANTIZED, *OTHER, *RESULT], 1, 1, {}),
    (
        *("QLinearAveragePool", [*QUANTIZED, *RESULT], 1, 1),
        {"kernel_shape": [2, 3], "strides": [2, 1], "pads": [1, 0, 0, 1]},
    ),
    ("QLinearConcat", [*RESULT, *QUANTIZED, *OTHER], 0, 1, {"axis": 1}),
    ("QLinearGlobalAveragePool", [*QUANTIZED, *RESULT], 1, 1, {}),
    ("QLinearLeakyRelu", [*QUANTIZED, *RESULT], 1, 1, {"alpha": 0.1}),
    ("QLinearMul", [*QUANTIZED, *OTHER, *RESULT], 1, 1, {}),
    ("QLinearSigmoid", [*QUANTIZED, scale(1 / 256), np.uint8(0)], 1, 1, {}),
    ("QLinearSoftmax", [*QUANTIZED, scale(1 / 256), np.uint8(0)], 1, 1, {"axis": -1}),
    ("QuickGelu", [TOKENS], 1, 1, {"alpha": 1.5}),
    ("SkipLayerNormalization", SKIP[:4], 2, 1, {"epsilon": 1e-6}),
    ("SkipLayerNormalization", SKIP, 2, 4, {"epsilon": 1e-6}),
]


def contrib(operator, inputs, free, outputs, attributes):
    constants = range(free, len(inputs))
    model, values = one_node(
        operator, inputs, outputs, constants=constants, domain="com.microsoft", **attributes
    )
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    if operator == "QLinearSoftmax":  # the name is one_node's own for something else
        model.graph.node[0].attribute.append(helper.make_attribute("opset", 13))
    if operator == "SkipLayerNormalization" and outputs == 4:  # in between are those of training
        node = model.graph.node[0]
        node.output[:] = [node.output[0], "", "", node.output[3]]
        del model.graph.output[1:3]
    return model, values


@pytest.mark.parametrize(("operator", "inputs", "free", "outputs", "attributes"), CASES)
def test_normal_form_of_contrib_operators(operator, inputs, free, outputs, attributes):
    model, values = contrib(operator, inputs, free, outputs, attributes)
    simple = simplify(model, {}, {})
    assert operator not in operators(simple)
    assert all(not node.domain for node in simple.graph.node)
    results, expected = onnx_runtime(simple, values), onnx_runtime(model, values)
    assert len(results) == len(expected)
    for result, reference in zip(results, expected):
        assert result.dtype == reference.dtype
        # A byte that lies in the middle may be rounded to either side.
        step = 1 if result.dtype.kind in "iu" else 1e-5
        np.testing.assert_allclose(
            result.astype(np.float64), reference.astype(np.float64), rtol=1e-4, atol=step
        )


@pytest.mark.parametrize(
    "operator, inputs, outputs, attributes, reason",
    [
        ("Attention", [TOKENS, *PROJECTIONS], 1, {"do_rotary": 1}, "do_rotary=1"),
        ("MultiHeadAttention", [normal(2, 3, HEADS, 3, 4)], 1, {}, "are packed"),
        ("MultiHeadAttention", [TOKENS, *OTHERS], 4, {}, "gives its scores"),
        (
            *("MultiHeadAttention", [TOKENS, OTHERS[0], OTHERS[0]], 1),
            *({"unidirectional": 1}, "of another sequence"),
        ),
    ],
)
def test_attention_that_is_more_is_refused(operator, inputs, outputs, attributes, reason):
    model, _ = contrib(operator, inputs, len(inputs), outputs, {"num_heads": HEADS, **attributes})
    with pytest.raises(ExportError, match=reason):
        simplify(model, {}, {})


def test_operators_that_read_one_anothers_results():
    """ONNX's inference tells nothing of what those of com.microsoft make."""
    attributes = {"num_heads": HEADS}
    model, values = contrib("Attention", [TOKENS, *PROJECTIONS], 1, 1, attributes)
    first = model.graph.node[0]
    scales = numpy_helper.from_array(normal(HIDDEN), "scales")
    model.graph.initializer.append(scales)
    inner = [
        ("SkipLayerNormalization", ["mixed", first.input[0], "scales"], "norm", {}),
        ("FastGelu", ["norm"], "gelu", {}),
        ("Attention", ["gelu", *first.input[1:]], first.output[0], attributes),
    ]
    first.output[0] = "mixed"
    for operator, inputs, output, given in inner:
        node = helper.make_node(operator, inputs, [output], domain="com.microsoft", **given)
        model.graph.node.append(node)
    simple = simplify(model, {}, {})
    assert all(not node.domain for node in simple.graph.node)
    (result,), (expected,) = onnx_runtime(simple, values), onnx_runtime(model, values)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_functions_that_read_results_of_contrib_operators(approximate):
    """ONNX's definition of Gelu asks for the type of what it reads."""
    attributes = {"transA": 1, "alpha": 0.5}
    model, values = contrib("FusedMatMul", [normal(4, 3), normal(4, 5)], 1, 1, attributes)
    model.opset_import[0].version, model.ir_version = 20, 9
    (first,) = model.graph.node
    (result,), first.output[0] = first.output, "product"
    gelu = helper.make_node("Gelu", ["product"], [result], approximate=approximate)
    model.graph.node.append(gelu)
    simple = simplify(model, {}, {})
    assert not {"FusedMatMul", "Gelu"} & set(operators(simple))
    (result,), (expected,) = onnx_runtime(simple, values), onnx_runtime(model, values)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def test_quantised_weights_stay_what_they_are():
    """ONNX Runtime would quantise anew, by a scale of its own, what it has made floats of."""
    weights = np.array([[100, -7, 3, 50], [-90, 20, 8, -1]], np.int8).reshape(2, 4, 1, 1)
    steps, zero = scale(0.033), np.int8(-7)
    x = bytes_like(1, 4, 1, 1)
    constants = {"w": weights, "s": steps, "z": zero, "xs": scale(0.02), "xz": np.uint8(112)}
    graph = helper.make_graph(
        [
            helper.make_node("DequantizeLinear", ["x", "xs", "xz"], ["a"]),
            helper.make_node("DequantizeLinear", ["w", "s", "z"], ["b"]),
            helper.make_node("Conv", ["a", "b"], ["c"]),
            helper.make_node("Relu", ["c"], ["r"]),
            helper.make_node("QuantizeLinear", ["r", "xs", "xz"], ["y"]),
            helper.make_node("Gelu", ["half"], ["gelu"], domain="com.microsoft"),
        ],
        "model",
        [
            helper.make_tensor_value_info("x", TensorProto.UINT8, x.shape),
            helper.make_tensor_value_info("half", TensorProto.FLOAT16, [3]),
        ],
        [onnx.ValueInfoProto(name=name) for name in ("r", "y", "gelu")],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 23), helper.make_opsetid("com.microsoft", 1)]
    simple = simplify(helper.make_model(graph, opset_imports=opsets, ir_version=10), {}, {})
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(simple.SerializeToString(), options)
    (result,) = session.run(["r"], {"x": x, "half": np.zeros(3, "float16")})
    sums = (weights.astype(int) + 7).reshape(2, 4) @ (x.astype(int) - 112).reshape(4)
    np.testing.assert_allclose(result.ravel(), np.maximum(sums * 0.033 * 0.02, 0), rtol=1e-5)


def test_zero_points_beside_an_order_of_groups_are_refused():
    model, _ = contrib("MatMulNBits", NBITS_INPUTS[:5], 1, 1, NBITS)
    with pytest.raises(ExportError, match="passes over its zero points"):
        simplify(model, {}, {})


def test_an_activation_that_is_not_known_is_refused():
    model, _ = contrib("FusedConv", [IMAGE, KERNEL], 1, 1, {"activation": "Softplus"})
    with pytest.raises(ExportError, match="activation Softplus is not known"):
        simplify(model, {}, {})


@pytest.mark.parametrize("opset", [17, 21])
def test_what_follows_on_an_operator_without_a_type(opset):
    """As ONNX Runtime's quantiser writes models of opset 21: their bytes are read by ONNX's operator."""
    inputs = [*Q_GEMM, scale(0.04), np.uint8(100)]
    model, values = one_node(
        "QGemm", inputs, opset=opset, constants=range(1, 9), domain="com.microsoft"
    )
    read = helper.make_node("DequantizeLinear", ["y0", "x7", "x8"], ["z"])
    model.graph.node.append(read)
    model.graph.output[0].CopyFrom(onnx.ValueInfoProto(name="z"))
    (expected,) = onnx_runtime(model, values)
    simple = simplify(model, {}, {})
    assert "QGemm" not in operators(simple)
    np.testing.assert_allclose(onnx_runtime(simple, values)[0], expected, atol=0.041)
    assert np.abs(expected).max() > 1
