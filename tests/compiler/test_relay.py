# SPDX-License-Identifier: Apache-2.0
"""Exports by Relay, run beside ONNX Runtime and NumPy.

They need TVM 0.19 as ``tvmgo compiler install relay`` installs it, and are passed over without.
"""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import tvmgo
from tests.compiler import models
from tests.compiler.models import (
    FLOAT,
    UINT8,
    assert_same,
    normal,
    onnx_model,
    onnx_runtime,
    open_graph,
    read_graph,
    run,
)
from tests.compiler.simplified import one_node, simplified
from tvmgo.compiler import ExportError, export
from tvmgo.compiler.artifacts import artifacts_in
from tvmgo.compiler.environments import interpreter_of
from tvmgo.compiler.exporter import find_linker
from tvmgo.compiler.workers.client import run_job

pytestmark = pytest.mark.slow

X = normal(2, 3)
WITH_NAN = np.float32([np.nan, 1, -2, np.inf, -np.inf, 0.5])
SPEC = (FLOAT, [2, 3])


@pytest.fixture(scope="module")
def interpreter():
    try:
        return interpreter_of("relay")
    except tvmgo.TVMImportError as error:
        pytest.skip(str(error))


@pytest.fixture
def by_relay(interpreter, tmp_path):
    """Compile a model that is brought into normal form first; `lines` gets the progress."""

    def compile_model(model, target=None, directory=tmp_path, lines=None, simple=False):
        directory.mkdir(exist_ok=True)
        path = directory / "simple.onnx"
        onnx.save(model if simple else simplified(model), path)
        job = {"model": str(path), "target": target, "format": "graph", "directory": str(directory)}
        job["linker"] = find_linker()
        run_job("relay", interpreter, job, (lines if lines is not None else []).append)
        return artifacts_in(directory)

    return compile_model


@pytest.mark.parametrize(
    "make", [models.mlp, models.conv_batch_norm_relu, models.transformer_block]
)
@pytest.mark.parametrize("target", [None, "native"])
def test_models_compute_what_onnx_runtime_computes(make, target, by_relay):
    model, inputs = make()
    files = by_relay(model, target)
    assert_same(run(files, inputs), onnx_runtime(model, inputs), rtol=1e-4, atol=1e-5)


def test_two_exports_give_the_same_bytes(by_relay, tmp_path):
    model, _ = models.conv_batch_norm_relu()
    first, second = (by_relay(model, directory=tmp_path / name) for name in ("first", "second"))
    for name in ("library", "graph", "params"):
        assert getattr(first, name).read_bytes() == getattr(second, name).read_bytes()


def test_files_have_one_number_that_old_executors_pass_over(by_relay, tmp_path):
    first, second = (
        by_relay(one_node("Add", [X, weight], constants=[1])[0], directory=tmp_path / name)
        for name, weight in (("first", X), ("second", -X))
    )
    graph = read_graph(first)
    assert {kind for kind, _ in graph["attrs"].values()} <= {
        *("list_int", "size_t"),  # of these, any name is passed over
        *("list_shape", "list_str"),
    }
    upper, lower = graph["attrs"]["tvmgo_model_id"][1]
    assert tvmgo.load_module(first.library)["tvmgo_model_id"]() == upper << 31 | lower
    with pytest.raises(tvmgo.TVMValueError, match="the parameters are of another export"):
        open_graph(first).load_params(second.params.read_bytes())


def test_inputs_keep_their_names_and_parameters_take_no_name_of_theirs(by_relay):
    names = ["p0", "p1", "größe/1"]
    nodes = [
        helper.make_node("Add", ["p0", "w"], ["a"]),
        helper.make_node("Mul", ["a", "p1"], ["b"]),
        helper.make_node("Mul", ["b", "v"], ["y"]),
        helper.make_node("Identity", ["größe/1"], ["z"]),
    ]
    weights = {"w": normal(3), "v": normal(3)}
    model = onnx_model(nodes, dict.fromkeys(names, SPEC), {"y": SPEC, "z": SPEC}, weights)
    files = by_relay(model)
    inputs = {name: normal(2, 3) for name in names}
    assert_same(run(files, inputs), onnx_runtime(model, inputs))
    graph = read_graph(files)
    placeholders = [graph["nodes"][i]["name"] for i in graph["arg_nodes"]]
    assert placeholders[:3] == names
    assert len(set(placeholders)) == len(placeholders)


def test_outputs_come_in_order_also_those_that_no_kernel_computes(by_relay):
    nodes = [helper.make_node("Neg", ["x"], ["n"]), helper.make_node("Abs", ["x"], ["a"])]
    outputs = {"a": SPEC, "w": (FLOAT, [2]), "n": SPEC, "x": SPEC}
    model = onnx_model(nodes, {"x": SPEC}, outputs, {"w": np.array([1, 2], "float32")})
    model.opset_import[0].version = 18
    files = by_relay(model, simple=True)
    assert_same(run(files, {"x": X}), [abs(X), np.array([1, 2], "float32"), -X, X])


def test_parameters_of_all_types_arrive(by_relay):
    mask, bytes_ = np.array([True, False, True]), np.array([1, 2, 255], "uint8")
    nodes = [
        helper.make_node("Where", ["mask", "x", "bytes"], ["y"]),
        helper.make_node("Cast", ["x"], ["z"], to=TensorProto.DOUBLE),
        helper.make_node("Mul", ["z", "wide"], ["w"]),
    ]
    weights = {"mask": mask, "bytes": bytes_, "wide": normal(3, dtype="float64")}
    outputs = {"y": (UINT8, [2, 3]), "w": (TensorProto.DOUBLE, [2, 3])}
    model = onnx_model(nodes, {"x": (UINT8, [2, 3])}, outputs, weights)
    inputs = {"x": np.arange(6, dtype="uint8").reshape(2, 3)}
    assert_same(run(by_relay(model), inputs), onnx_runtime(model, inputs))


def indices(*values):
    return np.array(values, "int64")


# What TVM's own converters get wrong: a node, its result.
CURED = {
    "clip by one constant bound": (
        one_node("Clip", [X, np.float32(0.5)], constants=[1]),
        np.maximum(X, np.float32(0.5)),
    ),
    "clip by a last bound": (
        one_node("Clip", [X, None, np.float32(0.5)], constants=[2]),
        np.minimum(X, np.float32(0.5)),
    ),
    "reduction of two axes": (
        one_node("ReduceMax", [normal(2, 3, 4)], axes=[0, -1], keepdims=0),
        None,
    ),
    "reduction that need not be one": (
        one_node("ReduceSum", [X, indices(1)], constants=[1], noop_with_empty_axes=1, keepdims=0),
        None,
    ),
    "largest of infinities": (
        one_node("ReduceMax", [np.float32([[-np.inf, -np.inf], [1, -np.inf]])], axes=[1]),
        np.float32([[-np.inf], [1]]),
    ),
    "softmax far from 0": (
        one_node("LogSoftmax", [np.array([[-200, 0, 100]], "float32")]),
        np.array([[-300, -100, 0]], "float32"),
    ),
    "halves": (
        one_node(
            "QuantizeLinear",
            [np.array([0.5, 1.5, 2.5, -0.5, 300, -300], "float32"), np.float32(1), np.int8(0)],
            constants=[1, 2],
        ),
        np.array([0, 2, 2, 0, 127, -128], "int8"),
    ),
    "axes from the end": (
        one_node("Unsqueeze", [normal(1, 3), indices(-1, 1)], constants=[1]),
        None,
    ),
    "indices from the end of the last axis": (
        one_node("Gather", [X, indices(-1, 0)], axis=-1),
        X[:, [-1, 0]],
    ),
    "elements from the end of the last axis": (
        one_node("GatherElements", [X, indices([-1, 0], [1, -3])], axis=-1),
        None,
    ),
    "coordinates from the end": (
        one_node("GatherND", [X, indices([-1, -2], [0, 1])]),
        X[[-1, 0], [-2, 1]],
    ),
    **{
        f"NaN in {operator} of {len(arrays)}": (one_node(operator, arrays, **words), None)
        for operator, arrays, words in (
            ("Relu", [WITH_NAN], {"opset": 14}),
            ("Clip", [WITH_NAN, np.float32(-1), np.float32(0.6)], {"constants": [1, 2]}),
            ("Max", [WITH_NAN, WITH_NAN[::-1].copy()], {}),
            ("Min", [WITH_NAN, WITH_NAN[::-1].copy(), np.float32([0, 0, 0, np.nan, 0, 0])], {}),
            ("Sign", [WITH_NAN], {}),
            ("Cast", [WITH_NAN], {"to": TensorProto.BOOL}),
        )
    },
    "NaN in a comparison that is negated": (
        (
            onnx_model(
                [
                    helper.make_node("Less", ["x", "x"], ["c"]),
                    helper.make_node("Not", ["c"], ["y"]),
                ],
                {"x": (FLOAT, [6])},
                {"y": (TensorProto.BOOL, [6])},
            ),
            {"x": WITH_NAN},
        ),
        np.full(6, True),
    ),
    "NaN in Clip by one bound": (
        one_node("Clip", [WITH_NAN, np.float32(-1)], constants=[1]),
        np.maximum(WITH_NAN, -1),
    ),
    "product of vectors": (one_node("MatMul", [normal(4), normal(3, 4, 2)]), None),
    "product of stacks": (one_node("MatMul", [normal(2, 1, 2, 4), normal(3, 4, 5)]), None),
    "product of an odd number of rows": (
        one_node("MatMul", [normal(13, 4), normal(4, 5)], constants=[1]),
        None,
    ),
    "product of doubles": (
        one_node("MatMul", [normal(2, 3, dtype="float64"), np.full((3, 4), 0.1)], constants=[1]),
        None,
    ),
    "product with a stack of one": (
        one_node("MatMul", [normal(2, 3, 4), normal(4, 5)], constants=[1]),
        None,
    ),
}


@pytest.mark.parametrize("name", CURED)
def test_what_tvms_importer_gets_wrong_is_right(name, by_relay):
    (model, inputs), expected = CURED[name]
    expected = onnx_runtime(model, inputs) if expected is None else [expected]
    digits = 12 if expected[0].dtype == "float64" else 5
    assert_same(run(by_relay(model), inputs), expected, rtol=10.0**-digits, atol=0.1**digits)


@pytest.mark.parametrize("operator", ["Gather", "GatherElements", "ScatterElements"])
def test_indices_out_of_range_at_run_time_are_clamped(operator, by_relay):
    more = [np.zeros((1, 2), "float32")] if operator == "ScatterElements" else []
    rows = 1 if more else 2
    model, inputs = one_node(operator, [X, indices(*rows * [[0, 1]]), *more], axis=1)
    inputs["x1"] = indices(*rows * [[10**9, -(10**9)]])
    [result] = run(by_relay(model), inputs)
    if operator == "ScatterElements":
        np.testing.assert_array_equal(result, [[0, X[0, 1], 0], X[1]])
    else:
        np.testing.assert_array_equal(result.reshape(-1)[:2], X[0, [2, 0]])


WORDS = {
    "mode": "TF",
    "min_gram_length": 1,
    "max_gram_length": 1,
    "max_skip_count": 0,
    "ngram_counts": [0],
    "ngram_indexes": [0, 1],
    "pool_int64s": [2, 3],
}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            one_node(
                "Resize",
                [normal(1, 1, 4, 4), None, np.float32([1, 1, 2, 2])],
                constants=[2],
                nearest_mode="ceil",
                opset=18,
            ),
            "operator Resize: TVM rounds up what is whole",
        ),
        (one_node("NonZero", [X]), "operator NonZero: the shape of `y0` depends on data"),
        (
            one_node("TfIdfVectorizer", [indices(3)], **WORDS),
            "operator TfIdfVectorizer: TVM's importer has no such operator",
        ),
        (
            one_node("Gather", [X, indices(3)], constants=[1], axis=1),
            "operator Gather: an index is out of range of 3",
        ),
        (
            one_node(
                "Resize",
                [normal(1, 1, 4, 4), None, np.float32([1, 1, 2, 2])],
                constants=[2],
                antialias=1,
                mode="linear",
                opset=18,
            ),
            "TVM's importer would ignore antialias=1",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_relay_cannot_do_right_is_refused(model, message, by_relay):
    with pytest.raises(ExportError, match=message):
        # The normal form may say in other words what is in its opset already.
        by_relay(model[0], simple=model[0].opset_import[0].version == 18)


def test_an_output_that_onnx_infers_otherwise_is_refused(by_relay):
    model = simplified(one_node("Relu", [X])[0])
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 3
    with pytest.raises(
        ExportError, match=r"output `y0` is float32\[3, 3\] by ONNX, TVM's importer"
    ):
        by_relay(model, simple=True)


def test_another_opset_is_refused(by_relay):
    with pytest.raises(ExportError, match="its opset is 17, not 18"):
        by_relay(one_node("Relu", [X])[0], simple=True)


@pytest.mark.parametrize(
    "target",
    ["llvm -mcpu=skylake", "llvm -mcpu skylake -opt-level=2", {"kind": "llvm", "num-cores": 4}],
    ids=str,
)
def test_targets_of_the_past_are_understood(target, by_relay):
    model, inputs = one_node("Relu", [X])
    assert_same(run(by_relay(model, target), inputs), [np.maximum(X, 0)])


def test_a_library_names_the_instructions_that_it_needs(by_relay):
    files = by_relay(one_node("Relu", [X])[0], "llvm -mcpu=skylake-avx512")
    assert b",avx512f," in files.library.read_bytes()
    tvmgo.load_module(by_relay(one_node("Relu", [X])[0], "native").library)
    assert b",avx512f," not in by_relay(one_node("Relu", [X])[0]).library.read_bytes()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("llvm -no-such-option=1", "target: .*no-such-option"),
        ("llvm -mcpu=nosuch", "target: LLVM knows no CPU 'nosuch' for "),
        ("nosuch", 'target: .*"nosuch" is not defined'),
        (3, "target: "),
        ("", "target: "),
        ("vulkan", "target 'vulkan': kernels of a deployed graph run on the CPU"),
    ],
    ids=str,
)
def test_targets_that_make_no_sense_are_refused(target, message, by_relay):
    with pytest.raises(tvmgo.TVMValueError, match=message):
        by_relay(one_node("Relu", [X])[0], target)


def test_progress_names_the_steps(by_relay):
    lines = []
    by_relay(models.mlp()[0], lines=lines)
    steps = ["importing", "compiling for llvm", "optimising", "fusing", "compiling the", "linking"]
    found = [next(i for i, line in enumerate(lines) if line.startswith(step)) for step in steps]
    assert found == sorted(found)


def test_export_by_relay_says_so(interpreter, tmp_path):
    model, inputs = models.mlp()
    files = export(model, tmp_path, compiler="relay")
    assert files.report.compiler == "relay"
    assert files.report.versions["tvm"].startswith("0.19.")
    assert_same(run(files, inputs), onnx_runtime(model, inputs), rtol=1e-4, atol=1e-5)
