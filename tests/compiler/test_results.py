# SPDX-License-Identifier: Apache-2.0
"""Results of exported models, against ONNX Runtime and NumPy."""

import ml_dtypes
import mobilenet
import numpy as np
import onnx
import pytest
from onnx import helper

import tvmgo
from tests.compiler.models import (
    DOUBLE,
    FLOAT,
    ONNX_MODELS,
    X,
    assert_same,
    functions,
    mlp,
    normal,
    onnx_model,
    onnx_runtime,
    open_graph,
    read_graph,
    relax_module,
    run,
    storage_bytes,
)
from tvmgo.compiler import export

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("make", ONNX_MODELS, ids=lambda make: make.__name__)
def test_export_onnx_gives_the_results_of_onnx_runtime(make, tmp_path):
    model, inputs = make()
    assert_same(run(export(model, tmp_path), inputs), onnx_runtime(model, inputs))


def test_export_of_a_file_equals_export_of_the_model_in_memory(tmp_path):
    model, _ = mlp()
    onnx.save(model, tmp_path / "mlp.onnx")
    from_file = export(tmp_path / "mlp.onnx", tmp_path / "file")
    in_memory = export(model, str(tmp_path / "memory"))
    assert from_file.graph.read_bytes() == in_memory.graph.read_bytes()
    assert from_file.params.read_bytes() == in_memory.params.read_bytes()


# MobileNet


@pytest.fixture(scope="module")
def mobilenet_model():
    return mobilenet.mobilenet_v1()


@pytest.fixture(scope="module")
def exported_mobilenet(mobilenet_model, tmp_path_factory):
    lines = []
    artifacts = export(mobilenet_model, tmp_path_factory.mktemp("mobilenet"), progress=lines.append)
    assert len(lines) >= 4 and all(isinstance(line, str) for line in lines)
    return artifacts


@pytest.mark.parametrize("seed", [1, 2])
def test_mobilenet_matches_onnx_runtime(mobilenet_model, exported_mobilenet, seed):
    picture = np.random.RandomState(seed).rand(*mobilenet.IMAGE).astype("float32")
    (result,) = run(exported_mobilenet, {"input": picture})
    (expected,) = onnx_runtime(mobilenet_model, {"input": picture})
    assert result.shape == (1, mobilenet.CLASSES)
    assert np.abs(result - expected).max() < 1e-5
    assert result.sum() == pytest.approx(1, abs=1e-5)
    assert result.argmax() == expected.argmax()


def test_mobilenet_weights_give_a_prediction_that_depends_on_the_picture(mobilenet_model):
    def top(picture):
        (probabilities,) = onnx_runtime(mobilenet_model, {"input": picture})
        return probabilities.argmax(), probabilities.max()

    (one, first), (other, second) = (
        top(np.ones(mobilenet.IMAGE, "float32")),
        top(
            np.linspace(0, 1, int(np.prod(mobilenet.IMAGE)), dtype="float32").reshape(
                mobilenet.IMAGE
            )
        ),
    )
    assert one != other
    for probability in (first, second):
        assert 5 / mobilenet.CLASSES < probability < 0.99


def test_mobilenet_folds_batch_norm_and_shares_constants_and_storage(exported_mobilenet):
    graph = read_graph(exported_mobilenet)
    # 27 convolutions, pooling, classifier, reshape, softmax
    assert len(functions(graph)) == 31
    # weights and bias per convolution; the 0 and 6 of ReLU6 are in the kernels
    assert len(graph["arg_nodes"]) == 1 + 2 * 28
    pools, entries = storage_bytes(graph)
    parameters = exported_mobilenet.params.stat().st_size
    assert pools - parameters < (entries - parameters) / 3


# Relax modules: body, inputs, expected results

RELAX_MODULES = {
    "output_is_input": (
        """class Module:
    @R.function
    def main(x: R.Tensor((2, 3), "float32"), unused: R.Tensor((1,), "int32")):
        return x
""",
        [X],
    ),
    "output_is_constant": (
        """class Module:
    @R.function
    def main(x: R.Tensor((2, 3), "float32")):
        with R.dataflow():
            y = R.exp(x)
            R.output(y)
        return (R.const([1.5, 2.5], "float32"), y)
""",
        [np.array([1.5, 2.5], "float32"), np.exp(X)],
    ),
    "outputs_nested_and_repeated": (
        """class Module:
    @R.function
    def main(x: R.Tensor((2, 3), "float32")):
        with R.dataflow():
            y = R.exp(x)
            z = R.negative(y)
            R.output(y, z)
        return ((y, (z, y)), x)
""",
        [np.exp(X), -np.exp(X), np.exp(X), X],
    ),
    "output_reshaped_twice": (
        """class Module:
    @R.function
    def main(x: R.Tensor((2, 3), "float32")):
        with R.dataflow():
            y = R.permute_dims(x)
            z = R.reshape(y, (6,))
            t = (y, z)
            R.output(t)
        return t
""",
        [X.T, X.T.reshape(6)],
    ),
    "private_function": (
        """class Module:
    @R.function(private=True)
    def square(v: R.Tensor((2, 3), "float32")) -> R.Tensor((2, 3), "float32"):
        w: R.Tensor((2, 3), "float32") = R.multiply(v, v)
        return w
    @R.function
    def main(x: R.Tensor((2, 3), "float32")) -> R.Tensor((2, 3), "float32"):
        cls = Module
        y: R.Tensor((2, 3), "float32") = cls.square(x)
        z: R.Tensor((2, 3), "float32") = cls.square(y)
        return z
""",
        [X**4],
    ),
    "match_cast_to_the_known_shape": (
        """class Module:
    @R.function
    def main(x: R.Tensor((2, 3), "float32")):
        with R.dataflow():
            y = R.match_cast(R.exp(x), R.Tensor((2, 3), "float32"))
            z = R.add(y, y)
            R.output(z)
        return z
""",
        [2 * np.exp(X)],
    ),
    "shape_as_tensor": (
        """class Module:
    @R.function
    def main(x: R.Tensor((2, 3), "float32")):
        with R.dataflow():
            s = R.shape_of(x)
            t = R.shape_to_tensor(s)
            R.output(s, t)
        return (s, t)
""",
        [np.array([2, 3]), np.array([2, 3])],
    ),
    "sort_and_argsort": (
        """class Module:
    @R.function
    def main(x: R.Tensor((2, 3), "float32")):
        with R.dataflow():
            s = R.sort(x, axis=1)
            a = R.argsort(x, axis=1, dtype="int64")
            c = R.cumsum(x, axis=1)
            R.output(s, a, c)
        return (s, a, c)
""",
        [np.sort(X, 1), np.argsort(X, 1), np.cumsum(X, 1)],
    ),
}


@pytest.mark.parametrize("name", RELAX_MODULES)
def test_export_relax_gives_the_results_of_numpy(name, tmp_path):
    body, expected = RELAX_MODULES[name]
    assert_same(run(export(relax_module(body), tmp_path), {"x": X}), expected)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float16", "float32", "float64"])
def test_export_keeps_element_types(dtype, tmp_path):
    x = np.arange(6).reshape(2, 3).astype(dtype)
    module = relax_module(DOUBLE.format(dtype=dtype, constant=3))
    assert_same(run(export(module, tmp_path), {"x": x}), [(x + x.dtype.type(3)) ** 2], rtol=1e-3)


def test_export_keeps_bfloat16(tmp_path):
    x = np.arange(6).reshape(2, 3).astype(ml_dtypes.bfloat16)
    artifacts = export(relax_module(DOUBLE.format(dtype="bfloat16", constant=3)), tmp_path)
    assert_same(run(artifacts, {"x": x}), [(x + 3) ** 2], rtol=1e-2)


def test_export_calls_registered_functions_by_name(tmp_path):
    module = relax_module(
        """class Module:
    @R.function
    def main(x: R.Tensor((2, 3), "float32")):
        with R.dataflow():
            y = R.call_dps_packed("test_compiler.triple", (x,), out_ty=R.Tensor((2, 3), "float32"))
            z = R.negative(y)
            R.output(z)
        return z
"""
    )

    def triple(source, result):
        result.copy_from(3 * source.numpy())

    tvmgo.register_function(triple, "test_compiler.triple")
    try:
        assert_same(run(export(module, tmp_path), {"x": X}), [-3 * X])
    finally:
        tvmgo.remove_global_function("test_compiler.triple")


def test_export_binds_the_params_a_frontend_attached(tmp_path):
    from tvm.relax.frontend.onnx import from_onnx

    model, inputs = mlp()
    module = from_onnx(model, keep_params_in_input=True)
    artifacts = export(module, tmp_path)
    assert open_graph(artifacts).get_input_index("w1") == -1
    assert_same(run(artifacts, inputs), onnx_runtime(model, inputs))


# Shapes


def batch_model():
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Add", ["h", "bias"], ["y"]),
    ]
    return onnx_model(
        nodes,
        {"x": (FLOAT, ["batch", 4]), "bias": (FLOAT, ["batch", 3])},
        {"y": (FLOAT, ["batch", 3])},
        {"w": normal(4, 3)},
    )


def test_export_fixes_a_symbolic_dimension_wherever_it_occurs(tmp_path):
    model = batch_model()
    artifacts = export(model, tmp_path, shapes={"x": (5, 4)})
    inputs = {"x": normal(5, 4), "bias": normal(5, 3)}
    assert_same(run(artifacts, inputs), onnx_runtime(model, inputs))


SYMBOLIC = """class Module:
    @R.function
    def main(
        x: R.Tensor(("n", 4), "float32"),
        y: R.Tensor(("n",), "float32"),
        z: R.Tensor(("n * 2",), "float32"),
    ):
        with R.dataflow():
            total = R.add(R.sum(x, axis=1), y)
            twice = R.add(z, z)
            R.output(total, twice)
        return (total, twice)
"""


def test_export_fixes_symbolic_dimensions_of_relax(tmp_path):
    artifacts = export(relax_module(SYMBOLIC), tmp_path, shapes={"x": (3, 4)})
    x, y, z = normal(3, 4), normal(3), normal(6)
    assert_same(run(artifacts, {"x": x, "y": y, "z": z}), [x.sum(1) + y, z + z])


def test_export_gives_a_shape_to_an_input_without_one(tmp_path):
    module = relax_module(
        """class Module:
    @R.function
    def main(x: R.Tensor(ndim=2, dtype="float32")):
        with R.dataflow():
            y = R.exp(x)
            R.output(y)
        return y
"""
    )
    assert_same(run(export(module, tmp_path, shapes={"x": (2, 3)}), {"x": X}), [np.exp(X)])


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"q": (3, 4)}, "no input 'q'"),
        ({"x": (3,)}, "expected 2 dimensions, got 1"),
        ({"x": (3, 5)}, "expected 4"),
        ({"x": (-3, 4)}, "negative"),
        ({"x": (3, 4), "y": (2,)}, "expected 3 for dimension n, got 2"),
        ({"x": (3, 4), "z": (5,)}, "expected (6,), got (5,)"),
    ],
    ids=["unknown input", "rank", "fixed size", "negative", "two sizes", "computed size"],
)
def test_export_with_shapes_that_do_not_fit_raises_value_error(shapes, message, tmp_path):
    with pytest.raises(tvmgo.TVMValueError) as error:
        export(relax_module(SYMBOLIC), tmp_path, shapes=shapes)
    assert message in str(error.value)


@pytest.mark.parametrize("shape", [3, None, ("a", 4), (2.5, 4)], ids=str)
def test_export_with_a_shape_that_is_none_raises_type_error(shape, tmp_path):
    with pytest.raises(tvmgo.TVMTypeError, match=r"shapes\['x'\]: expected a sequence of integers"):
        export(relax_module(SYMBOLIC), tmp_path, shapes={"x": shape})
