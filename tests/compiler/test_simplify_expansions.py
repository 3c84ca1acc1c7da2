# SPDX-License-Identifier: Apache-2.0
"""Operators that are expanded, beside ONNX Runtime's own kernels and arithmetic in float64."""

import math

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx.reference import ReferenceEvaluator

from tests.compiler.models import normal, onnx_runtime
from tests.compiler.simplified import assert_computes, one_node, operators, simplified
from tvmgo.compiler import ExportError
from tvmgo.compiler.simplify.simplifier import simplify

FLOATS, INTS = np.float32, np.int64
STEPS, BATCH, WIDTH, HIDDEN = 5, 2, 3, 4
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def weights_of(operator, directions):
    rows = GATES[operator] * HIDDEN
    return [
        normal(STEPS, BATCH, WIDTH),
        normal(directions, rows, WIDTH) / 2,
        normal(directions, rows, HIDDEN) / 2,
        normal(directions, 2 * rows) / 2,
        None,
        normal(directions, BATCH, HIDDEN),
    ]


def recurrent(operator, inputs, **attributes):
    outputs = 3 if operator == "LSTM" else 2
    constants = (1, 2, 3)
    return one_node(
        operator, inputs, outputs, constants=constants, hidden_size=HIDDEN, **attributes
    )


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("operator", GATES)
def test_recurrent_operators(operator, direction):
    inputs = weights_of(operator, 2 if direction == "bidirectional" else 1)
    assert_computes(*recurrent(operator, inputs, direction=direction), gone=[operator])
    short = inputs[:3]  # neither biases nor a first state
    assert_computes(*recurrent(operator, short, direction=direction), gone=[operator])


def test_lstm_with_a_first_cell_and_peepholes():
    inputs = [*weights_of("LSTM", 1), normal(1, BATCH, HIDDEN), normal(1, 3 * HIDDEN)]
    assert_computes(*recurrent("LSTM", inputs), gone=["LSTM"])


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_lstm_with_quantised_weights(dtype, direction):
    """ONNX Runtime's own operator: its weights are not transposed, its inputs are quantised too.

    One sequence: it quantises several in as many parts as it has threads.
    """
    count = 2 if direction == "bidirectional" else 1
    limits = np.iinfo(dtype)
    random = np.random.default_rng(0)

    def integers(*shape):
        return random.integers(limits.min, limits.max, shape, dtype)

    inputs = [
        normal(STEPS, 1, WIDTH),
        integers(count, WIDTH, 4 * HIDDEN),
        integers(count, HIDDEN, 4 * HIDDEN),
        normal(count, 8 * HIDDEN),
        None,
        normal(count, 1, HIDDEN),
        None,
        None,
        *([random.uniform(0.001, 0.01, count).astype("float32"), integers(count)] * 2),
    ]
    model, values = one_node(
        "DynamicQuantizeLSTM",
        inputs,
        3,
        constants=(1, 2, 3, 8, 9, 10, 11),
        domain="com.microsoft",
        direction=direction,
        hidden_size=HIDDEN,
    )
    expected = onnx_runtime(model, values)
    simple = simplify(model, {}, {"com.microsoft": ["DynamicQuantizeLSTM"]})
    assert "DynamicQuantizeLSTM" not in operators(simple)
    for result, reference in zip(onnx_runtime(simple, values), expected):
        np.testing.assert_allclose(result, reference, rtol=1e-5, atol=1e-6)


def test_lstm_with_quantised_weights_after_another():
    """ONNX's inference knows nothing of the first one's result."""
    inputs = [normal(STEPS, 1, WIDTH), *([np.ones((1, WIDTH, 4 * WIDTH), "int8")] * 2)]
    scale = np.float32([0.01])
    inputs += [None, None, None, None, None, scale, np.int8([0]), scale, np.int8([0])]
    model, values = one_node(
        "DynamicQuantizeLSTM", inputs, constants=range(1, 12), domain="com.microsoft", hidden_size=3
    )
    (first,) = model.graph.node
    second = helper.make_node("DynamicQuantizeLSTM", ["z", *first.input[1:]], ["y0"])
    second.MergeFrom(onnx.NodeProto(domain="com.microsoft", attribute=first.attribute))
    first.output[:] = ["a"]
    squeeze = helper.make_node("Squeeze", ["a", "axis"], ["z"])
    model.graph.node.extend([squeeze, second])
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1]), "axis"))
    simple = simplify(model, {}, {})
    assert "DynamicQuantizeLSTM" not in operators(simple)
    np.testing.assert_allclose(
        *(onnx_runtime(each, values)[0] for each in (simple, model)), atol=1e-6
    )


@pytest.mark.parametrize("values", [[-1, 0, 3.5], [1, 2, 3], [-3, -2, -1], [0, 0, 0]])
def test_dynamic_quantization(values):
    model = one_node("DynamicQuantizeLinear", [np.float32(values)], 3)
    assert_computes(*model, gone=["DynamicQuantizeLinear"])


@pytest.mark.parametrize("before", [0, 1])
def test_gru_resets_before_or_after_its_matrix(before):
    model = recurrent("GRU", weights_of("GRU", 1), linear_before_reset=before)
    assert_computes(*model, gone=["GRU"])


def test_clip_of_recurrent_operators():
    assert_computes(*recurrent("LSTM", weights_of("LSTM", 1), clip=0.3), gone=["LSTM"])


@pytest.mark.parametrize(
    "names, numbers",
    [
        (["Relu"], {}),
        (["LeakyRelu"], {"activation_alpha": [0.2]}),
        (["HardSigmoid"], {"activation_alpha": [0.3], "activation_beta": [0.4]}),
        (["Elu"], {"activation_alpha": [0.7]}),
        (["Softsign"], {}),
    ],
)
def test_activations_of_recurrent_operators(names, numbers):
    model = recurrent("RNN", weights_of("RNN", 1), activations=names, **numbers)
    assert_computes(*model, gone=["RNN"])


def test_batch_first_is_the_other_layout_transposed():
    inputs = weights_of("GRU", 2)
    expected = recurrent("GRU", inputs, direction="bidirectional")
    series, last = onnx_runtime(*expected)
    inputs[0], inputs[5] = inputs[0].transpose(1, 0, 2), inputs[5].transpose(1, 0, 2)
    model = recurrent("GRU", inputs, direction="bidirectional", layout=1)
    assert_computes(*model, [series.transpose(2, 0, 1, 3), last.transpose(1, 0, 2)])


@pytest.mark.parametrize("operator", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("lengths", [[STEPS, STEPS], [STEPS, STEPS - 1], [1, STEPS]])
@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
def test_sequences_have_lengths(operator, lengths, direction):
    inputs = weights_of(operator, 1 + (direction == "bidirectional"))
    inputs[4] = np.array(lengths, np.int32)
    for constants in ((1, 2, 3, 4), (1, 2, 3)):
        model = one_node(
            *(operator, inputs, 3 if operator == "LSTM" else 2),
            constants=constants,
            hidden_size=HIDDEN,
            direction=direction,
        )
        assert_computes(*model, gone=[operator])


def test_forget_gates_that_are_what_input_gates_leave():
    assert_computes(*recurrent("LSTM", weights_of("LSTM", 1), input_forget=1), gone=["LSTM"])


def bytes_like(*shape, dtype=np.uint8):
    limits = np.iinfo(dtype)
    return np.random.RandomState(1).randint(limits.min, limits.max + 1, shape).astype(dtype)


def scale(*values):
    return np.array(values[0] if len(values) == 1 else values, FLOATS)


@pytest.mark.parametrize("per_channel", [False, True])
def test_q_linear_conv(per_channel):
    weights = bytes_like(3, 2, 3, 3, dtype=np.int8)
    w_scale = scale(0.02, 0.03, 0.01) if per_channel else scale(0.02)
    zeros = np.zeros(w_scale.shape, np.int8)
    bias = np.array([100, -200, 300], np.int32)
    inputs = [
        *(bytes_like(1, 2, 6, 6), scale(0.1), np.uint8(128)),
        *(weights, w_scale, zeros, scale(0.5), np.uint8(100), bias),
    ]
    model = one_node("QLinearConv", inputs, constants=range(1, 9), pads=[1, 1, 1, 1])
    assert_computes(*model, gone=["QLinearConv"], rtol=0, atol=0)


@pytest.mark.parametrize("per_column", [False, True])
def test_q_linear_matmul(per_column):
    b_scale = scale(0.02, 0.03, 0.01) if per_column else scale(0.02)
    b_zero = np.array([3, 4, 5] if per_column else 3, np.uint8)
    inputs = [
        *(bytes_like(4, 6), scale(0.1), np.uint8(120)),
        *(bytes_like(6, 3), b_scale, b_zero, scale(0.9), np.uint8(90)),
    ]
    model = one_node("QLinearMatMul", inputs, constants=range(1, 8))
    assert_computes(*model, gone=["QLinearMatMul"], rtol=0, atol=0)


def test_conv_integer():
    """ONNX Runtime has no kernel for what it becomes, a convolution of float64."""
    inputs = [bytes_like(1, 2, 6, 6), bytes_like(3, 2, 3, 3), np.uint8(3), np.uint8(7)]
    model, values = one_node("ConvInteger", inputs, constants=(1, 2, 3), strides=[2, 2])
    (result,) = ReferenceEvaluator(simplified(model)).run(None, values)
    np.testing.assert_array_equal(result, *onnx_runtime(model, values))


@pytest.mark.parametrize("mean", [0, 100, 1e3, 1e4])
@pytest.mark.parametrize("opset", [18, 21])
def test_variance_of_group_normalization_keeps_its_digits(mean, opset):
    """Of values around 100 ONNX Runtime's result is off by more than 1e-3."""
    x = (normal(2, 4, 8, 8) + mean).astype(FLOATS)
    channels = 4 if opset >= 21 else 2
    factor, shift = normal(channels), normal(channels)
    model = one_node(
        "GroupNormalization", [x, factor, shift], opset=opset, constants=(1, 2), num_groups=2
    )
    wide = x.astype(np.float64).reshape(2, 2, -1)
    wide = (wide - wide.mean(2, keepdims=True)) / np.sqrt(wide.var(2, keepdims=True) + 1e-5)
    wide = wide.reshape(x.shape)
    by_channel = (np.repeat(value, 4 // channels)[:, None, None] for value in (factor, shift))
    factor, shift = by_channel
    expected = (wide * factor + shift).astype(FLOATS)
    assert_computes(*model, [expected], gone=["GroupNormalization"], atol=2e-6 + 5e-7 * mean)


@pytest.mark.parametrize("size", [2, 4, 12])
@pytest.mark.parametrize("shape", [(3, 7), (1, 7, 2, 2), (2, 5, 2, 2, 2)])
def test_response_normalization_over_an_even_number_of_channels(size, shape):
    x = normal(*shape)
    squares = np.zeros(shape)
    for i in range(shape[1]):
        first, last = i - (size - 1) // 2, i + math.ceil((size - 1) / 2)
        squares[:, i] = (x[:, max(first, 0) : last + 1].astype(float) ** 2).sum(1)
    expected = (x / (2.0 + 0.5 / size * squares) ** 0.6).astype(FLOATS)
    model = one_node("LRN", [x], opset=13, size=size, alpha=0.5, beta=0.6, bias=2.0)
    assert_computes(*model, [expected], gone=["LRN"])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_batch_normalization_in_training_takes_the_statistics_of_its_batch(dtype):
    x = (normal(4, 3, 2, 5) + 30).astype(dtype)
    scale, bias, mean, variance = (normal(3) for _ in range(4))
    inputs = [x, scale.astype(dtype), bias.astype(dtype), mean, variance]
    wide, axes = x.astype(float), (0, 2, 3)
    y = (wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + 1e-3)
    expected = [
        (y * scale[:, None, None] + bias[:, None, None]).astype(dtype),
        (mean * 0.7 + wide.mean(axes) * 0.3).astype(FLOATS),
        (variance * 0.7 + wide.var(axes) * 0.3).astype(FLOATS),
    ]
    model = one_node(
        "BatchNormalization", inputs, 3, opset=15, training_mode=1, momentum=0.7, epsilon=1e-3
    )
    rounding = 4e-3 if dtype == np.float16 else 2e-5
    assert_computes(*model, expected, gone=["BatchNormalization"], atol=rounding)


def test_variance_of_mean_variance_normalization_keeps_its_digits():
    x = (normal(2, 3, 4, 4) + 1e3).astype(FLOATS)
    wide, axes = x.astype(np.float64), (0, 2, 3)
    wide = (wide - wide.mean(axes, keepdims=True)) / wide.std(axes, keepdims=True)
    model = one_node("MeanVarianceNormalization", [x], opset=13)
    assert_computes(*model, [wide.astype(FLOATS)], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("operator", ["Softplus", "Mish"])
def test_activations_keep_their_digits_far_from_zero(operator):
    x = np.array([-80, -30, -17, -12, -8, -3, 0, 2, 20, 90], FLOATS)
    wide = x.astype(np.float64)
    expected = np.logaddexp(0, wide)
    if operator == "Mish":
        expected = wide * np.tanh(expected)
    model = one_node(operator, [x], opset=18)
    assert_computes(*model, [expected.astype(FLOATS)], gone=[operator], rtol=1e-6, atol=0)


@pytest.mark.parametrize("function", [np.cosh, np.sinh])
def test_hyperbolic_functions_overflow_no_earlier_than_their_values(function):
    x = [-89.3, -20, -1, -0.99, -1e-3, -1e-30, -0.0, 0, 0.5, 1, 3, 88.8, 89.4, 90, np.inf, -np.inf]
    with np.errstate(over="ignore"):
        expected = function(np.array(x)).astype(FLOATS)
    assert np.isfinite(expected[:-3]).all()
    operator = function.__name__.capitalize()
    model = one_node(operator, [np.array(x, FLOATS)], opset=18)
    assert_computes(*model, [expected], gone=[operator], rtol=1e-5, atol=0)


def test_layer_normalization_in_float64():
    x, scale, bias = (normal(*shape).astype(np.float64) for shape in ((3, 5), (5,), (5,)))
    mean, deviation = x.mean(1, keepdims=True), np.sqrt(x.var(1, keepdims=True) + 1e-5)
    model = one_node("LayerNormalization", [x, scale, bias], opset=18)
    expected = (x - mean) / deviation * scale + bias
    assert_computes(*model, [expected], gone=["LayerNormalization"], rtol=1e-6, atol=1e-12)


def test_rms_normalization_in_float64():
    """By default the standard's has the digits of float32; ONNX Runtime's has all."""
    x, factor = normal(3, 5).astype(np.float64), normal(5).astype(np.float64)
    expected = x / np.sqrt((x * x).mean(1, keepdims=True) + 1e-5) * factor
    model = one_node("RMSNormalization", [x, factor], opset=23)
    # Its epsilon is a float32.
    assert_computes(*model, [expected], gone=["RMSNormalization"], rtol=1e-11, atol=0)


@pytest.mark.parametrize("p", [1, 2])
def test_a_row_of_zeros_stays_one_when_it_is_normalised(p):
    x = normal(3, 4)
    x[1] = 0
    norm = np.linalg.norm(x, p, axis=1, keepdims=True)
    expected = np.where(norm == 0, 0, x / np.where(norm == 0, 1, norm)).astype(FLOATS)
    assert_computes(*one_node("LpNormalization", [x], p=p, axis=1), [expected])


@pytest.mark.parametrize("words", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("size", [(10, 7), (7, 8), (9, 9)])
@pytest.mark.parametrize("strides", [[1, 1], [2, 3]])
@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool", "Conv"])
def test_padding_by_words(operator, strides, size, words):
    inputs = [normal(1, 2, *size)]
    if operator == "Conv":
        inputs.append(normal(2, 2, 3, 3))
    model = one_node(
        *(operator, inputs), constants=(1,), kernel_shape=[3, 3], strides=strides, auto_pad=words
    )
    assert_computes(*model)
    if words != "VALID":
        (node,) = simplified(model[0]).graph.node
        assert "auto_pad" not in {each.name for each in node.attribute}


@pytest.mark.parametrize("opset", [11, 18, 22])
@pytest.mark.parametrize("size", [(8, 9), (9, 7), (8, 8)])
@pytest.mark.parametrize(
    "kernel, strides, pads",
    [
        ([3, 2], [2, 3], [1, 0, 1, 1]),
        ([3, 3], [2, 2], [1, 1, 1, 1]),
        ([2, 2], [2, 2], [1, 1, 1, 1]),
        ([1, 1], [2, 2], [0, 0, 0, 0]),
    ],
)
@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool", "LpPool"])
def test_pools_rounded_up_have_no_windows_in_the_padding(
    operator, kernel, strides, pads, size, opset
):
    """Shapes before opset 22 are inferred wrongly by ONNX; they are ONNX Runtime's here."""
    if operator == "LpPool" and opset < 18:
        return  # it is not rounded up
    options = {"kernel_shape": kernel, "strides": strides, "pads": pads, "ceil_mode": 1}
    if operator == "AveragePool":
        options["count_include_pad"] = 1
    model, values = one_node(operator, [normal(1, 2, *size)], opset=opset, **options)
    # Another one, whose sizes come of the first.
    second = helper.make_node("MaxPool", ["y0"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
    second.attribute.append(helper.make_attribute("ceil_mode", 1))
    model.graph.node.append(second)
    model.graph.output.append(onnx.ValueInfoProto(name="y"))
    expected = onnx_runtime(model, values)
    assert_computes(model, values, expected)
    for value, result in zip(simplified(model).graph.output, expected, strict=True):
        sizes = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        assert sizes == list(result.shape)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32"])
def test_reductions_of_integers_give_integers(dtype):
    x = np.array([[3, 4, 0], [1, 2, 8], [7, 7, 6]], dtype)
    axes = np.array([1])
    whole = x.astype("float64")
    truths = {
        "ReduceL2": np.sqrt((whole**2).sum(1)),
        "ReduceLogSum": np.log(whole.sum(1)),
        "ReduceLogSumExp": np.log(np.exp(whole).sum(1)),
        "ReduceMean": whole.mean(1),
    }
    for operator, truth in truths.items():
        model = one_node(operator, [x, axes], opset=18, constants=(1,), keepdims=0)
        assert_computes(*model, [np.trunc(truth).astype(dtype)])


@pytest.mark.parametrize("size, pad", [(1, 1), (4, 4), (4, 9)])
def test_reflecting_more_than_there_is_is_refused(size, pad):
    pads = np.array([0, pad, 0, 0], INTS)
    model, _ = one_node("Pad", [normal(2, size), pads], constants=(1,), mode="reflect")
    with pytest.raises(ExportError, match=f"reflects {pad} elements .* has {size}"):
        simplified(model)


def test_reflecting_all_but_the_edge_is_right():
    pads = np.array([0, 3, 0, 3], INTS)
    assert_computes(*one_node("Pad", [normal(2, 4), pads], constants=(1,), mode="reflect"))


@pytest.mark.parametrize("opset", [11, 13, 18])
def test_an_empty_input_of_resize_is_none(opset):
    empty = np.zeros(0, FLOATS)
    inputs = [normal(1, 2, 5, 6), empty, empty, np.array([1, 2, 10, 12], INTS)]
    model = one_node("Resize", inputs, opset=opset, constants=(1, 2, 3), mode="linear")
    (node,) = simplified(model[0]).graph.node
    assert list(node.input)[1:3] == ["", ""]
    assert_computes(*model)


@pytest.mark.parametrize("by", [1.7, 0.6, 1.25, 3])
@pytest.mark.parametrize("coordinates", ["asymmetric", "half_pixel", "align_corners"])
def test_the_nearest_of_two_equally_far_is_onnx_runtimes(by, coordinates):
    """What float32 makes of the border between two elements decides."""
    empty, scales = np.zeros(0, FLOATS), np.array([1, 1, by], FLOATS)
    for nearest in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil"):
        model = one_node(
            "Resize",
            [normal(1, 1, 20), empty, scales],
            opset=18,
            constants=(1, 2),
            coordinate_transformation_mode=coordinates,
            nearest_mode=nearest,
        )
        assert_computes(*model, gone=["Resize"])


def test_empty_results_are_constants():
    x = normal(3, 5)
    starts, ends = np.array([4], INTS), np.array([2], INTS)
    model = one_node("Slice", [x, starts, ends, np.array([1], INTS)], constants=(1, 2, 3))
    assert_computes(*model, [np.zeros((3, 0), FLOATS)], gone=["Slice"])
    sizes = np.array([0, 2, 3], INTS)
    model = one_node("Split", [x, sizes], 3, constants=(1,), axis=1)
    assert_computes(*model, [x[:, :0], x[:, :2], x[:, 2:]])
    assert "Split" in operators(simplified(model[0]))


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 5, 5), (2, 2, 9, 9)])
def test_determinant(shape):
    x = normal(*shape)
    x[..., 0, 0] = 0  # rows must change their places
    expected = np.linalg.det(x.astype(float)).astype(FLOATS)
    assert_computes(*one_node("Det", [x]), [expected], gone=["Det"], rtol=1e-4)


def test_determinant_of_a_matrix_without_one_of_its_dimensions():
    x = np.array([[0, 1, 2], [0, 3, 4], [0, 5, 6]], FLOATS)
    assert_computes(*one_node("Det", [x]), [np.array(0, FLOATS)])
    with pytest.raises(ExportError, match="65 rows"):
        simplify(one_node("Det", [normal(65, 65)])[0], {}, {})
