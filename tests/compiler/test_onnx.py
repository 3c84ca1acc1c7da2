# SPDX-License-Identifier: Apache-2.0
"""What an ONNX node says is done, or refused: nothing is passed over."""

import importlib
import warnings

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx.backend.test.case import node
from tvm import relax

from tests.compiler.models import FLOAT, assert_same, normal, onnx_model, onnx_runtime, run
from tvmgo.compiler import ExportError, export
from tvmgo.compiler.relax.importing.onnx_importer import from_onnx
from tvmgo.compiler.relax.importing.onnx_operators import CONVERTERS

pytestmark = pytest.mark.slow

INF = np.inf

# Cases of the standard's own test suite: those that once came out wrong, and what is near to them.
# The names of inputs that are constants in a model, as TVM needs them.
RIGHT = {
    "bitshift_left_int32_negative_shift": (),
    "bitshift_right_int32_shift_ge_width": (),
    "bitshift_right_uint8": (),
    "isinf": (),
    "isinf_negative": (),
    "isinf_positive": (),
    "mod_float_edge_cases_fmod_0_float32": (),
    "mod_mixed_sign_int64": (),
    "reduce_max_empty_set": ("axes",),
    "spacetodepth_crd_mode_example": (),
    "spacetodepth_dcr_mode_example": (),
    "split_1d_uneven_split_opset18": (),
    "thresholdedrelu": (),
}

# Case: constants, and a fragment of the reason
REFUSED = {
    "roialign_mode_max": ((), "mode=max takes the largest of weighted corners"),
    "training_dropout": ((), "would ignore input 2"),
}

# The files of the suite that define them; collecting all cases takes seconds.
FILES = (
    *("bitshift", "dropout", "isinf", "mod", "reducemax"),
    *("roialign", "spacetodepth", "split", "thresholdedrelu"),
)


@pytest.fixture(scope="module")
def cases():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the suite divides by zero
        for name in FILES:
            importlib.import_module(f"{node.__name__}.{name}")
    return {case.name: case for case in node._NodeTestCases}


def case_of(cases, name, constants):
    """Return the model with some of its inputs made constants, the other inputs, the outputs."""
    case = cases[f"test_{name}"]
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    inputs, outputs = case.data_sets[0]
    values = dict(zip([value.name for value in model.graph.input], map(np.asarray, inputs)))
    for value in list(model.graph.input):
        if value.name in constants:
            model.graph.input.remove(value)
            array = numpy_helper.from_array(values.pop(value.name), value.name)
            model.graph.initializer.append(array)
    return model, values, outputs


def assert_identical(results, expected):
    """NaN and the sign of zero included."""
    assert len(results) == len(expected)
    for result, reference in zip(results, expected):
        assert result.dtype == reference.dtype
        np.testing.assert_array_equal(result, reference)
        np.testing.assert_array_equal(np.signbit(result), np.signbit(reference))


@pytest.mark.parametrize("name", RIGHT)
def test_node_case_gives_the_results_of_the_standard(cases, name, tmp_path):
    model, inputs, expected = case_of(cases, name, RIGHT[name])
    assert_identical(run(export(model, tmp_path), inputs), expected)


@pytest.mark.parametrize("name", REFUSED)
def test_node_case_is_refused_with_the_reason(cases, name, tmp_path):
    constants, reason = REFUSED[name]
    model, _, _ = case_of(cases, name, constants)
    with pytest.raises(ExportError) as error:
        export(model, tmp_path)
    assert reason in str(error.value)


# Models of one operator

X = np.array([[-INF, -1.0, 0.0], [0.5, 2.0, INF]], "float32")


def model_of(operator, inputs=None, outputs=("y",), weights=None, name="", **attributes):
    inputs = {"x": X} if inputs is None else inputs
    names = [*inputs, *(weights or {})]
    specs = {
        key: (helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for key, value in inputs.items()
    }
    call = helper.make_node(operator, names, outputs, name, **attributes)
    return onnx_model([call], specs, {"y": (FLOAT, X.shape)}, weights)


def refusal(model, path):
    with pytest.raises(ExportError) as error:
        export(model, path)
    return error.value


def test_failure_of_a_converter_names_node_and_operator(monkeypatch):
    def fail(bb, inputs, attributes, where):
        raise ValueError("of no use")

    monkeypatch.setitem(CONVERTERS, "Softmax", fail)
    with pytest.raises(ExportError) as error:
        from_onnx(model_of("Softmax", name="last"), {"x": list(X.shape)})
    assert error.value.where == "node `last`, operator Softmax"
    assert "ValueError: of no use" in error.value.reason
    assert "rewrite the operator" in error.value.instead


def test_attribute_that_nobody_looks_at_is_refused_with_node_operator_and_attribute(monkeypatch):
    def over_the_last_axis(bb, inputs, attributes, where):
        return relax.op.nn.softmax(inputs[0], -1)

    monkeypatch.setitem(CONVERTERS, "Softmax", over_the_last_axis)
    shapes = {"x": list(X.shape)}
    from_onnx(model_of("Softmax", axis=-1), shapes)
    with pytest.raises(ExportError) as error:
        from_onnx(model_of("Softmax", name="last", axis=0), shapes)
    assert error.value.where == "node `last`, operator Softmax"
    assert error.value.reason.startswith("TVM's importer would ignore axis=0")


def test_attribute_with_the_default_is_no_reason_to_refuse(tmp_path):
    model = model_of("Dropout", weights={"ratio": np.float32(0.5), "training": np.False_}, seed=3)
    assert_identical(run(export(model, tmp_path), {"x": X}), [X])


def test_element_type_that_shares_a_byte_is_refused():
    cast = helper.make_node("Cast", ["x"], ["y"], to=FLOAT)
    model = onnx_model([cast], {"x": (onnx.TensorProto.UINT4, [4])}, {"y": (FLOAT, [4])})
    with pytest.raises(ExportError, match="value `x`: a graph has no element type 'uint4'"):
        from_onnx(model, {"x": [4]})


def test_value_that_comes_out_otherwise_than_inferred_is_refused(monkeypatch):
    """Between nodes as well: here TVM's importer takes a sum over an axis for one over all."""
    nodes = [
        helper.make_node("ReduceSum", ["x", "axis"], ["total"], "sum"),
        helper.make_node("Mul", ["x", "total"], ["y"]),
    ]
    spec = (FLOAT, [2, 3])
    model = onnx_model(nodes, {"x": spec}, {"y": spec}, {"axis": np.array([1])})
    model = onnx.shape_inference.infer_shapes(model)
    from_onnx(model, {"x": [2, 3]})

    def total(bb, inputs, attributes, where):
        x, _ = inputs
        return relax.op.sum(x, keepdims=True)

    monkeypatch.setitem(CONVERTERS, "ReduceSum", total)
    with pytest.raises(ExportError) as error:
        from_onnx(model, {"x": [2, 3]})
    assert error.value.where == "node `sum`, operator ReduceSum"
    assert "`total` float32 of shape [1, 1], where ONNX infers float32 of shape [2, 1]" in str(
        error.value
    )


@pytest.mark.parametrize("operator", ["Gather", "GatherElements", "GatherND"])
def test_constant_index_out_of_range_is_refused(operator, tmp_path):
    error = refusal(model_of(operator, weights={"i": np.array([[2]])}), tmp_path)
    assert "an index is out of range of [2]" in error.reason


@pytest.mark.parametrize("axis", [0, 1])
def test_scatter_elements_with_fewer_rows_or_columns_are_right(axis, tmp_path):
    inputs = {"x": X, "i": np.array([[1, -1]]), "u": np.array([[3, 4]], "float32")}
    model = model_of("ScatterElements", inputs, axis=axis)
    assert_same(run(export(model, tmp_path), inputs), onnx_runtime(model, inputs))


@pytest.mark.slow
@pytest.mark.parametrize("place", [None, -3, -1, 0, 1, 3])
def test_tensors_are_inserted_where_a_list_has_them(place, tmp_path):
    """Negative places count from the last tensor, as in Python."""
    inputs = {name: normal(2) for name in "xyzw"}
    nodes = [
        helper.make_node("SequenceConstruct", ["x", "y", "z"], ["s"]),
        helper.make_node("SequenceInsert", ["s", "w", "place"][: 2 + (place is not None)], ["t"]),
        helper.make_node("ConcatFromSequence", ["t"], ["r"], axis=0),
    ]
    specs = {name: (FLOAT, [2]) for name in inputs}
    weights = {} if place is None else {"place": np.int64(place)}
    model = onnx_model(nodes, specs, {"r": (FLOAT, [8])}, weights)
    expected = [inputs[name] for name in "xyz"]
    expected.insert(3 if place is None else place, inputs["w"])
    assert_identical(run(export(model, tmp_path), inputs), [np.concatenate(expected)])
