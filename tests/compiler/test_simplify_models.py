# SPDX-License-Identifier: Apache-2.0
"""Whole models in the normal form: shapes, domains, functions, and what folds."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.compiler.models import normal, onnx_model, onnx_runtime
from tests.compiler.simplified import assert_computes, operators, simplified
from tvmgo.compiler import ExportError
from tvmgo.compiler.simplify.reference import fold_by_reference
from tvmgo.compiler.simplify.simplifier import simplify
from tvmgo.exceptions import TVMValueError

FLOAT = TensorProto.FLOAT
node = helper.make_node


def relu(shape):
    return onnx_model([node("Relu", ["x"], ["y"])], {"x": (FLOAT, shape)}, {"y": (FLOAT, None)})


def shape_of(value):
    return [dim.dim_value for dim in value.type.tensor_type.shape.dim]


@pytest.mark.parametrize("open_dimension", ["batch", "?", None, -1])
def test_open_dimensions_however_they_are_written(open_dimension):
    simple = simplified(relu([open_dimension, 3]), {"x": (2, 3)})
    assert shape_of(simple.graph.input[0]) == [2, 3]
    assert shape_of(simple.graph.output[0]) == [2, 3]


def test_two_unnamed_dimensions_are_two():
    simple = simplified(relu(["?", "?"]), {"x": (2, 3)})
    assert shape_of(simple.graph.input[0]) == [2, 3]


def test_one_name_is_one_size_in_all_inputs():
    model = onnx_model(
        [node("Add", ["a", "b"], ["y"])],
        {"a": (FLOAT, ["n"]), "b": (FLOAT, ["n"])},
        {"y": (FLOAT, None)},
    )
    assert shape_of(simplified(model, {"a": (4,)}).graph.input[1]) == [4]
    with pytest.raises(TVMValueError, match="expected 4 for dimension n, got 5"):
        simplify(model, {"a": (4,), "b": (5,)}, {})


def test_wrong_declarations_of_outputs_do_not_matter():
    model = relu([2, 3])
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("y", FLOAT, [7]))
    assert shape_of(simplified(model).graph.output[0]) == [2, 3]


def test_shapes_are_computed_through_to_constants():
    model = onnx_model(
        [
            node("Shape", ["x"], ["s"]),
            node("Gather", ["s", "zero"], ["rows"]),
            node("Unsqueeze", ["rows", "first"], ["u"]),
            node("Concat", ["u", "rest"], ["shape"], axis=0),
            node("Reshape", ["x", "shape"], ["y"]),
        ],
        {"x": (FLOAT, ["n", 3, 4])},
        {"y": (FLOAT, None)},
        {"zero": np.int64(0), "first": np.array([0]), "rest": np.array([-1])},
    )
    simple = simplified(model, {"x": (2, 3, 4)})
    assert operators(simple) == ["Reshape"]
    assert shape_of(simple.graph.output[0]) == [2, 12]


def branch(operator, *inputs):
    return helper.make_graph(
        [node(operator, list(inputs), ["r"])],
        "branch",
        [],
        [helper.make_tensor_value_info("r", FLOAT, None)],
    )


@pytest.mark.parametrize("rows, wanted", [(1, "Neg"), (2, "Abs")])
def test_a_branch_whose_condition_is_a_shape_is_taken(rows, wanted):
    model = onnx_model(
        [
            node("Shape", ["x"], ["s"], end=1),
            node("Equal", ["s", "one"], ["c"]),
            node("Squeeze", ["c"], ["condition"]),
            node(
                *("If", ["condition"], ["y"]),
                then_branch=branch("Neg", "x"),
                else_branch=branch("Abs", "x"),
            ),
        ],
        {"x": (FLOAT, [rows, 3])},
        {"y": (FLOAT, None)},
        {"one": np.array([1])},
    )
    assert operators(simplified(model)) == [wanted]


@pytest.mark.parametrize("operator", ["NonZero", "Unique"])
def test_what_data_gives_its_shape_is_folded_if_the_data_is_constant(operator):
    model = onnx_model(
        [node(operator, ["c"], ["i"]), node("Cast", ["i"], ["f"], to=FLOAT)]
        + [node("Add", ["x", "f"], ["y"])],
        {"x": (FLOAT, [1])},
        {"y": (FLOAT, None)},
        {"c": np.array([3.0, 0, 3], np.float32)},
    )
    assert_computes(model, {"x": normal(1)}, gone=[operator])


@pytest.mark.parametrize(
    "attribute, value",
    [("value_float", 2.5), ("value_int", 3), ("value_ints", [3, 2]), ("value_floats", [1.0, 2.0])],
)
def test_constants_of_all_kinds(attribute, value):
    model = onnx_model(
        [
            node("Constant", [], ["c"], **{attribute: value}),
            node("Cast", ["c"], ["f"], to=FLOAT),
            node("Mul", ["x", "f"], ["y"]),
        ],
        {"x": (FLOAT, [2])},
        {"y": (FLOAT, None)},
    )
    x = normal(2)
    assert_computes(model, {"x": x}, [x * np.float32(value)], gone=["Constant", "Cast"])


def custom(operator, functions=(), domain="my"):
    model = onnx_model(
        [helper.make_node(operator, ["x"], ["y"], domain=domain, name="here")],
        {"x": (FLOAT, [3])},
        {"y": (FLOAT, None)},
    )
    model.opset_import.append(helper.make_opsetid(domain, 1))
    model.functions.extend(functions)
    return model


def test_what_takes_maps_is_refused_with_advice():
    with pytest.raises(
        ExportError, match=r"domain is 'ai\.onnx\.ml'.*Instead, let the model begin"
    ):
        simplified(custom("DictVectorizer", domain="ai.onnx.ml"))


def test_an_operator_is_what_its_domain_says():
    with pytest.raises(ExportError, match="node `here`, operator Relu: its domain is 'my'"):
        simplified(custom("Relu"))
    body = [node("Neg", ["a"], ["b"])]
    function = helper.make_function("my", "Relu", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    simple = simplify(custom("Relu", [function]), {}, {})
    x = normal(3)
    np.testing.assert_array_equal(onnx_runtime(simple, {"x": x})[0], -x)
    assert operators(simplify(custom("Relu"), {}, {"my": {"Relu"}})) == ["Relu"]


def called_function(body_opset, body):
    """A model of opset 18 that calls a function, which calls another one, of another opset."""
    opset = helper.make_opsetid("", body_opset)
    inner = helper.make_function("my", "Clip", ["a"], ["b"], body, [opset])
    calls = [node("Clip", ["a"], ["t"], domain="my"), node("Clip", ["t"], ["b"], domain="my")]
    outer = helper.make_function(
        "my", "Twice", ["a"], ["b"], calls, [opset, helper.make_opsetid("my", 1)]
    )
    model = onnx_model(
        [node("Twice", ["x"], ["y"], domain="my")], {"x": (FLOAT, [3])}, {"y": (FLOAT, [3])}
    )
    model.opset_import[0].version = 18
    model.opset_import.append(helper.make_opsetid("my", 1))
    model.functions.extend([inner, outer])
    return model


def test_functions_of_another_opset_that_means_the_same():
    body = [node("Constant", [], ["c"], value_float=2.0), node("Mul", ["a", "c"], ["b"])]
    x = normal(3)
    (result,) = onnx_runtime(simplified(called_function(16, body)), {"x": x})
    np.testing.assert_allclose(result, 4 * x)


def test_functions_of_an_opset_that_means_something_else_are_refused_by_name():
    body = [node("ReduceSum", ["a"], ["s"], axes=[0]), node("Mul", ["a", "s"], ["b"])]
    with pytest.raises(ExportError, match="the model's functions") as error:
        simplified(called_function(12, body))
    assert "own opset" in error.value.instead


def test_outputs_that_no_node_makes_have_the_types_of_what_they_are():
    """An input, of a size given later, and a weight; neither says its type as an output."""
    graph = helper.make_graph(
        [],
        "model",
        [helper.make_tensor_value_info("x", FLOAT, ["n", 3])],
        [onnx.ValueInfoProto(name="x"), onnx.ValueInfoProto(name="w")],
        [numpy_helper.from_array(np.arange(4), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    simple = simplify(model, {"x": (2, 3)}, {})
    x, w = simple.graph.output
    assert (x.type.tensor_type.elem_type, shape_of(x)) == (FLOAT, [2, 3])
    assert (w.type.tensor_type.elem_type, shape_of(w)) == (TensorProto.INT64, [4])


def test_the_long_name_of_the_standard_domain():
    model = relu([3])
    model.graph.node[0].domain = "ai.onnx"
    model.opset_import[0].domain = "ai.onnx"
    assert operators(simplified(model)) == ["Relu"]


def test_weights_that_are_inputs_as_well_are_weights():
    model = onnx_model(
        [node("Add", ["x", "w"], ["y"])],
        {"x": (FLOAT, [3]), "w": (FLOAT, [3])},
        {"y": (FLOAT, [3])},
    )
    weight = normal(3)
    model.graph.initializer.append(numpy_helper.from_array(weight, "w"))
    simple = simplified(model)
    assert [value.name for value in simple.graph.input] == ["x"]
    x = normal(3)
    np.testing.assert_allclose(onnx_runtime(simple, {"x": x})[0], x + weight)


def test_what_onnx_runtime_cannot_load_is_left_to_the_compiler():
    """It has no kernel for the arc cosine of this type."""
    model = onnx_model(
        [node("Acos", ["x"], ["y"])],
        {"x": (TensorProto.DOUBLE, [3])},
        {"y": (TensorProto.DOUBLE, [3])},
    )
    with pytest.raises(Exception, match="NOT_IMPLEMENTED"):
        onnx_runtime(model, {})
    assert operators(simplified(model)) == ["Acos"]


def test_large_weights_survive_if_onnx_runtime_cannot_load_them(monkeypatch):
    monkeypatch.setattr("tvmgo.compiler.simplify.weights.LARGE", 1024)
    double = TensorProto.DOUBLE
    model = onnx_model(
        [node("Acos", ["x"], ["a"]), node("Add", ["a", "w"], ["y"])],
        {"x": (double, [500])},
        {"y": (double, [500])},
        {"w": normal(500, dtype="float64")},
    )
    (weight,) = simplified(model).graph.initializer
    np.testing.assert_array_equal(
        numpy_helper.to_array(weight), numpy_helper.to_array(model.graph.initializer[0])
    )


def test_names_of_inputs_and_outputs_are_kept():
    model = onnx_model(
        [node("Identity", ["in put"], ["a/b"]), node("Neg", ["in put"], ["c:0"])],
        {"in put": (FLOAT, [3])},
        {"a/b": (FLOAT, [3]), "c:0": (FLOAT, [3])},
    )
    simple = simplified(model)
    assert [value.name for value in simple.graph.input] == ["in put"]
    assert [value.name for value in simple.graph.output] == ["a/b", "c:0"]
    assert onnx.checker.check_model(simple) is None


def test_shapes_are_folded_to_the_end_where_onnx_runtime_cannot_load_the_model():
    """It has no convolution of float64, and of the second shape nothing is known before the first is."""
    nodes = [
        node("Conv", ["x", "w"], ["y"]),
        node("CenterCropPad", ["h", "size"], ["z"], axes=[0]),
    ]
    weights = {"w": normal(1, 1, 2, 2, dtype="float64"), "size": np.array([3])}
    inputs = {"x": (11, [1, 1, 4, 4]), "h": (10, [31])}
    model = onnx_model(nodes, inputs, {"y": (11, [1, 1, 3, 3]), "z": (10, [3])}, weights)
    model.opset_import[0].version = 18
    assert "Shape" not in operators(simplified(model))


@pytest.mark.parametrize("is_input", [False, True])
def test_casts_that_onnx_runtime_writes_after_it_has_folded(is_input):
    """Whatever reads them may have to know the constant, as Pad its value."""
    half = TensorProto.FLOAT16
    model = onnx_model(
        [node("Cast", ["half"], ["value"], to=FLOAT), node("Pad", ["x", "pads", "value"], ["y"])],
        {"x": (FLOAT, (3,)), **({"half": (half, ())} if is_input else {})},
        {"y": (FLOAT, (6,))},
        {"pads": np.array([2, 1]), "half": np.array(1.5, "float16")},
    )
    assert operators(fold_by_reference(model)) == ["Cast", "Pad"][not is_input :]
    if not is_input:
        (result,) = onnx_runtime(model, {"x": np.ones(3, "float32")})
        assert result.tolist() == [1.5, 1.5, 1, 1, 1, 1.5]


def test_models_whose_weights_do_not_fit_a_file(monkeypatch):
    """As if a file could have 1 KiB; the weights are folded, kept apart, and found again."""
    monkeypatch.setattr("tvmgo.compiler.simplify.weights.LARGE", 1024)
    monkeypatch.setattr("tvmgo.compiler.simplify.weights.LARGE_WEIGHT", 1024)
    weights = {"w": normal(64, 32), "factor": np.full(32, 2, np.float32), "b": normal(64, 32)}
    model = onnx_model(
        [
            node("Mul", ["w", "factor"], ["folded"]),
            node("MatMul", ["x", "folded"], ["m"]),
            node("Mish", ["m"], ["mish"]),
            node("Concat", ["mish", "b"], ["y"], axis=0),
        ],
        {"x": (FLOAT, [3, 64])},
        {"y": (FLOAT, [67, 32])},
        weights,
    )
    model.opset_import[0].version = 18
    assert_computes(model, {"x": normal(3, 64)}, gone=["Mish"])
    simple = simplified(model)
    assert operators(simple).count("MatMul") == 1
    constants = [numpy_helper.to_array(tensor) for tensor in simple.graph.initializer]
    product = weights["w"] * weights["factor"]
    assert any(value.shape == product.shape and (value == product).all() for value in constants)
