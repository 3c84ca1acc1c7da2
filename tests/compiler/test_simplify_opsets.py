# SPDX-License-Identifier: Apache-2.0
"""Operators of every opset in the normal one."""

import numpy as np
import pytest
from onnx import helper, numpy_helper

from tests.compiler.models import normal, onnx_runtime
from tests.compiler.simplified import assert_computes, one_node, simplified
from tvmgo.compiler import ExportError
from tvmgo.compiler.simplify.simplifier import simplify

INTS = np.int64
X = normal(2, 3, 4, 5)
POSITIVE = np.abs(normal(2, 3, 4)) + 0.1
REDUCTIONS = (
    *("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean"),
    *("ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"),
)


def ints(*values):
    return np.array(values, INTS)


@pytest.mark.parametrize("opset", [7, 9, 11, 12])
@pytest.mark.parametrize("operator", ["Squeeze", "Unsqueeze"])
def test_axes_that_were_an_attribute(operator, opset):
    assert_computes(*one_node(operator, [normal(1, 3, 1)], opset=opset, axes=[0, 2]))


@pytest.mark.parametrize("opset", [7, 11, 13, 17, 18, 20, 23])
@pytest.mark.parametrize("operator", REDUCTIONS)
def test_reductions(operator, opset):
    as_input = opset >= 18 or (opset >= 13 and operator == "ReduceSum")
    axes = {} if as_input else {"axes": [0, 2]}
    inputs = [POSITIVE, ints(0, 2)] if as_input else [POSITIVE]
    assert_computes(*one_node(operator, inputs, opset=opset, constants=(1,), keepdims=0, **axes))
    assert_computes(*one_node(operator, [POSITIVE], opset=opset))


@pytest.mark.parametrize("axes", [{}, {"axes": [0, -1]}])
def test_slice_by_attributes(axes):
    assert_computes(*one_node("Slice", [X], opset=9, starts=[0, -4], ends=[1, 9], **axes))


def test_top_k_by_an_attribute_and_by_an_input():
    assert_computes(*one_node("TopK", [X], 2, opset=9, k=2, axis=1))
    assert_computes(*one_node("TopK", [X, ints(2)], 2, opset=10, constants=(1,), axis=1))


@pytest.mark.parametrize("limits", [{}, {"min": -0.5}, {"max": 0.5}, {"min": -0.5, "max": 0.5}])
def test_clip_by_attributes(limits):
    assert_computes(*one_node("Clip", [X], opset=7, **limits))


@pytest.mark.parametrize("opset", [7, 10, 12, 13])
def test_dropout_drops_nothing(opset):
    assert_computes(*one_node("Dropout", [X], opset=opset), [X], gone=["Dropout"])


@pytest.mark.parametrize(
    "opset, dtype", [(7, np.float32), (10, np.bool_), (12, np.bool_), (22, np.bool_)]
)
def test_mask_of_dropout_is_of_its_times_type(opset, dtype):
    expected = [X, np.ones(X.shape, dtype)]
    assert_computes(*one_node("Dropout", [X], 2, opset=opset), expected, gone=["Dropout"])


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
def test_pad_by_attributes(mode):
    pads = [0, 1, 2, 0, 0, 0, 1, 3]
    assert_computes(*one_node("Pad", [X], opset=7, mode=mode, pads=pads, value=1.5))


@pytest.mark.parametrize("opset", [7, 11, 13, 18])
def test_split(opset):
    sizes = ints(1, 4, 1)
    x = normal(2, 6)
    if opset < 13:
        assert_computes(*one_node("Split", [x], 3, opset=opset, axis=1, split=list(sizes)))
    else:
        assert_computes(*one_node("Split", [x, sizes], 3, opset=opset, constants=(1,), axis=1))
    parts = {"num_outputs": 3} if opset >= 18 else {}
    assert_computes(*one_node("Split", [x], 3, opset=opset, axis=1, **parts))


@pytest.mark.parametrize("axis", [{}, {"axis": 0}, {"axis": 1}, {"axis": 2}, {"axis": 3}])
@pytest.mark.parametrize("opset", [7, 11, 12, 13])
@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax", "Hardmax"])
def test_softmax_of_flattened_and_of_single_axes(operator, opset, axis):
    assert_computes(*one_node(operator, [X], opset=opset, **axis))


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("factor", [2.0, 3.0])
def test_upsample_and_the_first_resize(mode, factor):
    scales = np.array([1, 1, factor, factor], np.float32)
    x = normal(1, 2, 3, 4)
    tolerance = {"gone": ["Upsample"]}
    assert_computes(
        *one_node("Upsample", [x], opset=7, mode=mode, scales=list(scales)), **tolerance
    )
    for operator, opset in (("Upsample", 9), ("Resize", 10)):
        model = one_node(operator, [x, scales], opset=opset, constants=(1,), mode=mode)
        assert_computes(*model, **tolerance)


@pytest.mark.parametrize("factors", [(0.6, 0.6), (0.5, 1.5), (2.6, 0.3), (0.77, 1)])
def test_the_first_resize_rounds_up_where_it_takes_away(factors):
    scales = np.array([1, 1, *factors], np.float32)
    inputs = [normal(1, 2, 7, 9), scales]
    for constants in ((1,), ()):
        assert_computes(*one_node("Resize", inputs, opset=10, constants=constants))


def test_padding_that_goes_around():
    expected = np.pad(X, ((0, 0), (0, 0), (1, 9), (2, 4)), mode="wrap")
    pads = ints(0, 0, 1, 2, 0, 0, 9, 4)
    model = one_node("Pad", [X, pads], opset=19, constants=(1,), mode="wrap")
    assert_computes(*model, [expected])


@pytest.mark.parametrize("places", [[1, 5], [[0, 1], [1, 2]]])
@pytest.mark.parametrize("kind", ["node", "initializer"])
def test_sparse_constants(places, kind):
    values = numpy_helper.from_array(np.array([2, -3], np.float32), "c")
    sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(np.array(places)), [2, 3])
    nodes = [helper.make_node("Constant", [], ["c"], sparse_value=sparse)] * (kind == "node")
    x = helper.make_tensor_value_info("x", 1, [2, 3])
    graph = helper.make_graph(
        [*nodes, helper.make_node("Add", ["x", "c"], ["y"])],
        "sparse",
        [x],
        [helper.make_tensor_value_info("y", 1, None)],
        sparse_initializer=[] if nodes else [sparse],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    dense = np.array([[0, 2, 0], [0, 0, -3]], np.float32)
    simple = simplify(model, {}, {})
    (result,) = onnx_runtime(simple, {"x": dense})
    assert result.tolist() == (2 * dense).tolist()


@pytest.mark.parametrize("opset", [7, 9, 14, 15])
def test_batch_normalization(opset):
    weights = [normal(3), normal(3), normal(3), np.abs(normal(3)) + 0.5]
    assert_computes(
        *one_node("BatchNormalization", [X, *weights], opset=opset, constants=(1, 2, 3, 4))
    )


def test_batch_normalization_in_training_is_refused():
    weights = [normal(3)] * 4
    model, _ = one_node("BatchNormalization", [X, *weights], 3, opset=9)
    with pytest.raises(ExportError, match="in training"):
        simplified(model)


@pytest.mark.parametrize("opset", [10, 16])
def test_roi_align_shifts_by_half_a_pixel_since_opset_16(opset):
    x, rois = normal(1, 2, 8, 8), np.array([[0, 0, 5, 4], [1, 2, 7, 7]], np.float32)
    batches = np.zeros(2, INTS)
    shape = {"output_height": 2, "output_width": 3}
    assert_computes(*one_node("RoiAlign", [x, rois, batches], opset=opset, **shape))


def test_scatter_became_scatter_elements():
    indices, updates = np.array([[1, 0, 2]], INTS), normal(1, 3)
    model = one_node("Scatter", [normal(3, 3), indices, updates], opset=9, axis=0)
    assert_computes(*model, gone=["Scatter"])


@pytest.mark.parametrize("mode, old", [("linear", "bilinear"), ("nearest", "nearest")])
def test_grid_sample_had_other_names_for_its_modes(mode, old):
    x, grid = normal(1, 2, 4, 4), normal(1, 3, 3, 2)
    assert_computes(*one_node("GridSample", [x, grid], opset=20, mode=mode))
    assert_computes(*one_node("GridSample", [x, grid], opset=17, mode=old))


def test_dft_has_its_axis_as_an_attribute():
    x = normal(1, 6, 3, 1)
    model = one_node("DFT", [x, None, np.array(1, INTS)], opset=20, constants=(2,))
    expected = np.fft.fft(x[..., 0], axis=1)
    expected = np.stack([expected.real, expected.imag], -1).astype(np.float32)
    assert_computes(*model, [expected], atol=1e-5)


def test_a_type_without_a_zero_point():
    model = one_node(
        *("QuantizeLinear", [normal(4, 4), np.array(0.1, np.float32)]),
        opset=21,
        constants=(1,),
        output_dtype=3,
    )
    assert_computes(*model)


@pytest.mark.parametrize(
    "operator, opset", [("Gelu", 20), ("Mish", 18), ("Mish", 22), ("Swish", 24), ("Celu", 17)]
)
def test_operators_that_are_functions_are_expanded(operator, opset):
    x = np.linspace(-20, 20, 200, dtype=np.float32)
    erf = np.vectorize(__import__("math").erf)
    wide = x.astype(np.float64)
    expected = {
        "Celu": np.where(wide > 0, wide, np.expm1(wide)),
        "Gelu": wide * (1 + erf(wide / np.sqrt(2))) / 2,
        "Mish": wide * np.tanh(np.logaddexp(0, wide)),
        "Swish": wide / (1 + np.exp(-wide)),
    }[operator]
    model = one_node(operator, [x], opset=opset)
    assert_computes(*model, [expected.astype(np.float32)], gone=[operator], atol=1e-5)


@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_celu_of_a_number_is_a_number(alpha):
    """ONNX's own definition, and so its inference, makes an array of one of it."""
    model, values = one_node("Celu", [np.float32(-0.4)], opset=17, alpha=alpha)
    del model.graph.output[0].type.tensor_type.shape.dim[:]
    (result,) = onnx_runtime(simplify(model, {}, {}), values)
    assert result.shape == ()
    assert abs(result - alpha * np.expm1(-0.4 / alpha)) < 1e-6


@pytest.mark.parametrize(
    "operator, inputs, opset, attributes, reason",
    [
        ("Pad", [X, ints(*[-1] * 8)], 19, {"mode": "wrap"}, "a negative padding"),
        ("BitCast", [X], 26, {"to": 6}, "no such operator"),
        ("ImageDecoder", [ints(1).astype(np.uint8)], 20, {}, "no such operator"),
    ],
)
def test_what_the_normal_opset_cannot_say_is_refused(operator, inputs, opset, attributes, reason):
    model, _ = one_node(operator, inputs, opset=opset, constants=(1,), **attributes)
    with pytest.raises(ExportError, match=reason) as error:
        simplified(model)
    assert operator in str(error.value)


@pytest.mark.parametrize("opset", [6, 9])
def test_slopes_of_prelu(opset):
    """One for each channel before opset 7, broadcast as NumPy does since."""
    x, slope = normal(2, 3, 4), normal(3) if opset < 7 else normal(3, 1)
    expected = np.where(x < 0, x * slope.reshape(3, 1), x)
    for constants in ((), (1,)):
        model, values = one_node("PRelu", [x, slope], opset=opset, constants=constants)
        assert_computes(model, values, [expected], gone=["PRelu"])
