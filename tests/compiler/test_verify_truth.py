# SPDX-License-Identifier: Apache-2.0
"""What a model computes, as the worker tells it: who says so, on which inputs, how sure it is."""

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.compiler.models import onnx_model
from tests.compiler.simplified import one_node
from tvmgo.compiler.simplify.truth.job import run
from tvmgo.compiler.tensor_files import read_tensors, write_tensors
from tvmgo.exceptions import TVMTypeError, TVMValueError

FLOAT, DOUBLE, INT64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64


def ask(model, directory, question="results", given=None, shapes=None, **details):
    path = directory / "model.onnx"
    onnx.save(onnx.shape_inference.infer_shapes(model), path)
    job = {
        "question": question,
        "model": str(path),
        "simple": str(path),
        "shapes": shapes or {},
        "directory": str(directory),
        **details,
    }
    if given is not None:
        write_tensors(directory / "given.npz", given)
        job["given"] = str(directory / "given.npz")
    return run(job, lambda line: None)


def values_of(answer):
    inputs, outputs = read_tensors(answer["inputs"]), read_tensors(answer["outputs"])
    return list(inputs.values()), list(outputs.values())


def operator(name, *inputs, **options):
    return one_node(name, [np.zeros(shape, dtype) for shape, dtype in inputs], **options)[0]


def test_onnx_runtime_is_asked_first(tmp_path):
    answer = ask(operator("Mul", ([3], "float32"), ([2, 3], "float32")), tmp_path)
    (a, b), (y,) = values_of(answer)
    assert answer["truth"].startswith("ONNX Runtime ")
    assert answer["quantised"] is False and answer["seconds"] >= 0
    np.testing.assert_array_equal(y, a * b)
    assert y.shape == (2, 3)


def test_where_it_has_no_kernel_the_reference_evaluator_answers(tmp_path):
    answer = ask(operator("Neg", ([4], ml_dtypes.bfloat16)), tmp_path)
    (x,), (y,) = values_of(answer)
    assert answer["truth"] == f"onnx {onnx.__version__}'s reference evaluator"
    assert y.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(y.astype("float32"), -x.astype("float32"))


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_short_floats_go_through_onnx_runtime(tmp_path, name):
    dtype = np.dtype(getattr(ml_dtypes, name))
    code = helper.np_dtype_to_tensor_dtype(dtype)
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=FLOAT),
        helper.make_node("Cast", ["f"], ["y"], to=code),
    ]
    model = onnx_model(nodes, {"x": (code, [9])}, {"f": (FLOAT, [9]), "y": (code, [9])})
    model.opset_import[0].version = 19
    model.ir_version = 9
    answer = ask(model, tmp_path)
    (x,), (f, y) = values_of(answer)
    assert answer["truth"].startswith("ONNX Runtime ")
    assert x.dtype == y.dtype == dtype
    np.testing.assert_array_equal(f, x.astype("float32"))
    assert y.tobytes() == x.tobytes()


def test_open_dimensions_have_the_given_sizes(tmp_path):
    model = onnx_model(
        [helper.make_node("Relu", ["x"], ["y"])],
        {"x": (FLOAT, ["batch", 3])},
        {"y": (FLOAT, ["batch", 3])},
    )
    (x,), _ = values_of(ask(model, tmp_path, shapes={"x": [5, 3]}))
    assert x.shape == (5, 3)


def test_dimensions_that_stay_open_get_a_size_that_the_model_takes(tmp_path):
    nodes = [helper.make_node("Reshape", ["x", "eighths"], ["y"])]
    model = onnx_model(
        nodes,
        {"x": (FLOAT, ["batch", "length"]), "z": (FLOAT, ["batch", 3])},
        {"y": (FLOAT, None)},
        {"eighths": np.array([-1, 8, 4])},
    )
    (x, z), (y,) = values_of(ask(model, tmp_path))
    assert x.shape == (32, 32) and z.shape == (32, 3) and y.shape == (32, 8, 4)
    (x, z), (y,) = values_of(ask(model, tmp_path, shapes={"z": [2, 3]}))
    assert x.shape == (2, 32) and z.shape == (2, 3) and y.shape == (2, 8, 4)


@pytest.mark.parametrize("name", ["Log", "Sqrt", "Acos", "Acosh"])
def test_inputs_are_such_that_all_results_are_finite(tmp_path, name):
    _, (y,) = values_of(ask(operator(name, ([50], "float32")), tmp_path))
    assert np.isfinite(y).all()


def test_inputs_are_such_that_the_model_can_take_them(tmp_path):
    """The bound of an index is not seen through arithmetic; only small ones fit."""
    nodes = [
        helper.make_node("Mul", ["i", "i"], ["square"]),
        helper.make_node("Gather", ["table", "square"], ["y"]),
    ]
    model = onnx_model(
        nodes, {"i": (INT64, [40])}, {"y": (FLOAT, [40])}, {"table": np.float32([4, 5])}
    )
    (i,), (y,) = values_of(ask(model, tmp_path))
    np.testing.assert_array_equal(y, np.float32([4, 5])[i])


def test_given_inputs_are_used_and_the_others_made_up(tmp_path):
    model = operator("Add", ([3], "float32"), ([3], "float32"))
    given = {"x1": np.float32([1, 2, 3])}
    (a, b), (y,) = values_of(ask(model, tmp_path, given=given))
    np.testing.assert_array_equal(b, given["x1"])
    np.testing.assert_array_equal(y, a + b)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"z": np.zeros(3)}, TVMValueError, "inputs: the model has no input 'z'; it has ['x0']"),
        ({"x0": np.zeros(3, "c8")}, TVMTypeError, "inputs['x0']: expected element type float32, g"),
        ({"x0": np.float32([1])}, TVMValueError, "inputs['x0']: expected shape [3], got [1]"),
        ({"x0": np.float32(1)}, TVMValueError, "inputs['x0']: expected shape [3], got []"),
    ],
)
def test_inputs_that_are_not_the_models_are_refused(tmp_path, given, error, message):
    with pytest.raises(error) as raised:
        ask(operator("Relu", ([3], "float32")), tmp_path, given=given)
    assert str(raised.value).startswith(message)


def test_integers_that_do_not_fit_are_refused(tmp_path):
    model = operator("Neg", ([2], "int32"))
    (x,), _ = values_of(ask(model, tmp_path, given={"x0": np.array([1, 2**31 - 1])}))
    assert x.dtype == np.int32
    with pytest.raises(TVMTypeError, match=r"inputs\['x0'\]: expected element type int32"):
        ask(model, tmp_path, given={"x0": np.array([1, 2**31])})


def test_given_inputs_fix_open_dimensions(tmp_path):
    spec = (FLOAT, ["batch", 3])
    model = onnx_model([helper.make_node("Relu", ["x"], ["y"])], {"x": spec}, {"y": spec})
    given = {"x": np.ones((5, 3))}
    (x,), (y,) = values_of(ask(model, tmp_path, given=given))
    assert x.dtype == np.float32 and y.shape == (5, 3)
    with pytest.raises(
        TVMValueError, match=r"inputs\['x'\]: expected shape \(4, 3\), got \(5, 3\)"
    ):
        ask(model, tmp_path, given=given, shapes={"x": [4, 3]})


def test_inputs_that_the_model_cannot_take_are_refused(tmp_path):
    model = operator("Gather", ([3], "float32"), ([1], "int64"))
    given = {"x0": np.zeros(3, "float32"), "x1": np.array([9])}
    with pytest.raises(TVMValueError, match="inputs: the model cannot take them.*out of"):
        ask(model, tmp_path, given=given)


def inside_branches(node):
    branch = helper.make_graph([node], "branch", [], [onnx.ValueInfoProto(name=node.output[0])])
    return helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)


DRAWING = helper.make_node("RandomNormal", [], ["r"], shape=[3])


@pytest.mark.parametrize(
    "node", [helper.make_node("RandomNormal", [], ["y"], shape=[3]), inside_branches(DRAWING)]
)
def test_random_numbers_are_no_truth(tmp_path, node):
    model = onnx_model([node], {"c": (TensorProto.BOOL, [])}, {"y": (FLOAT, None)})
    answer = ask(model, tmp_path)
    assert answer == {"unknown": "the model draws random numbers (operator RandomNormal)"}


def test_results_that_say_nothing_are_no_truth(tmp_path):
    model = onnx_model(
        [helper.make_node("Div", ["x", "zero"], ["y"])],
        {"x": (FLOAT, [3])},
        {"y": (FLOAT, [3])},
        {"zero": np.float32(0)},
    )
    assert "NaN or infinite" in ask(model, tmp_path)["unknown"]


def test_unknown_operators_are_no_truth(tmp_path):
    node = helper.make_node("Nothing", ["x"], ["y"], domain="nobody")
    model = onnx_model([node], {"x": (FLOAT, [3])}, {"y": (FLOAT, [3])})
    model.opset_import.append(helper.make_opsetid("nobody", 1))
    reason = ask(model, tmp_path)["unknown"]
    assert "ONNX Runtime cannot load the model" in reason and "reference evaluator" in reason


# ---------------------------------------------------------------- how sure it is


def spread_of(model, directory, inputs):
    write_tensors(directory / "inputs.npz", inputs)
    answer = ask(model, directory, "spread", inputs=str(directory / "inputs.npz"))
    return [next(iter(read_tensors(path).values())) for path in answer["runs"]]


def test_numbers_that_nearly_tie_change_places(tmp_path):
    model = operator("ArgMax", ([8], "float32"), axis=0, keepdims=0)
    near = np.float32([0, 1, 1 + 1e-7, 0, 0, 0, 0, 0])
    assert set(map(int, spread_of(model, tmp_path, {"x0": near}))) == {1, 2}
    far = np.float32([0, 1, 2, 0, 0, 0, 0, 0])
    assert set(map(int, spread_of(model, tmp_path, {"x0": far}))) == {2}


def test_weights_change_as_well(tmp_path):
    weights = np.random.default_rng(0).standard_normal((20, 30)).astype("float32")
    model = onnx_model(
        [helper.make_node("Gather", ["table", "i"], ["y"])],
        {"i": (INT64, [2])},
        {"y": (FLOAT, [2, 30])},
        {"table": weights},
    )
    for run_ in spread_of(model, tmp_path, {"i": np.array([3, 4])}):
        apart = np.abs(run_ / weights[3:5] - 1).max()
        assert 1e-7 < apart < 3e-6


def test_scales_of_quantised_numbers_change_as_well(tmp_path):
    model = onnx_model(
        [helper.make_node("DequantizeLinear", ["x", "scale"], ["y"])],
        {"x": (TensorProto.INT8, [3])},
        {"y": (FLOAT, [3])},
        {"scale": np.float32(0.1)},
    )
    runs = spread_of(model, tmp_path, {"x": np.int8([1, 2, 3])})
    assert len({run_.tobytes() for run_ in runs}) > 2


def test_numbers_change_where_float64_is_made_shorter(tmp_path):
    """By as much as float32 rounds them, and elsewhere by as much as float64 does."""
    nodes = [
        helper.make_node("Cast", ["x"], ["short"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["short"], ["long"], to=TensorProto.DOUBLE),
        helper.make_node("Concat", ["long", "x"], ["y"], axis=0),
    ]
    model = onnx_model(nodes, {"x": (DOUBLE, [50])}, {"y": (DOUBLE, [100])})
    x = np.random.default_rng(0).standard_normal(50)
    runs = spread_of(model, tmp_path, {"x": x})
    assert len({run_.tobytes() for run_ in runs}) == len(runs)
    for run_ in runs:
        short, long = np.abs(run_.reshape(2, 50) / x - 1).max(axis=1)
        assert 1e-7 < short < 3e-6
        assert 1e-16 < long < 6e-15


def test_sizes_do_not_change(tmp_path):
    nodes = [helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="nearest")]
    model = onnx_model(
        nodes,
        {"x": (FLOAT, [1, 1, 4, 4])},
        {"y": (FLOAT, [1, 1, 8, 8])},
        {"scales": np.float32([1, 1, 2, 2])},
    )
    inputs = {"x": np.ones((1, 1, 4, 4), "float32")}
    assert {run_.shape for run_ in spread_of(model, tmp_path, inputs)} == {(1, 1, 8, 8)}


def test_second_opinion_is_the_reference_evaluators(tmp_path):
    model = operator("Relu", ([3], "float32"))
    write_tensors(tmp_path / "inputs.npz", {"x0": np.float32([-1, 0, 2])})
    answer = ask(model, tmp_path, "second", inputs=str(tmp_path / "inputs.npz"))
    assert "reference evaluator" in answer["truth"]
    (y,) = read_tensors(answer["outputs"]).values()
    np.testing.assert_array_equal(y, [0, 0, 2])


# ---------------------------------------------------------------- files


def test_tensors_come_back_as_they_were(tmp_path):
    tensors = {
        "file": np.float32([[1, 2], [3, 4]]),
        "a/b:0": np.array(True),
        "": np.zeros((0, 3), "int8"),
        "names": np.array([1, 2, 3]).astype(ml_dtypes.bfloat16),
        "0": np.array(0.5).astype(ml_dtypes.float8_e5m2),
        "z": np.array([1 + 2j]),
    }
    write_tensors(tmp_path / "x", tensors)
    found = read_tensors(tmp_path / "x")
    assert list(found) == list(tensors)
    for name, value in tensors.items():
        assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape)
        assert found[name].tobytes() == value.tobytes()


def test_reference_evaluator_normalises_every_channel(tmp_path):
    """ONNX Runtime has no window of an even size; onnx's own evaluator stops after one channel."""
    x = np.arange(1, 5, dtype="float32").reshape(1, 4, 1, 1)
    model = one_node("LRN", [x], opset=13, size=2, alpha=2.0, beta=1.0, bias=0.0)[0]
    _, (y,) = values_of(ask(model, tmp_path, given={"x0": x}))
    squares = x.ravel() ** 2
    expected = x.ravel() / (squares + np.append(squares[1:], 0))
    np.testing.assert_allclose(y.ravel(), expected, rtol=1e-6)
