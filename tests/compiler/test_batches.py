# SPDX-License-Identifier: Apache-2.0
"""Exports for several numbers of rows, beside ONNX Runtime."""

import json
import zipfile

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import tvmgo
from tvmgo._core import vm_builtins
from tvmgo.compiler import ExportError, export, sources
from tvmgo.compiler.environments import interpreter_of
from tvmgo.compiler.verify import job as verify_job

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]


def model_of(nodes, shape, weights=(), outputs=("y",)):
    tensors = [
        numpy_helper.from_array(np.asarray(value), name) for name, value in dict(weights).items()
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        tensors,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def mlp():
    """Two layers of random weights, for any number of rows."""
    numbers = np.random.default_rng(0)
    weights = {
        "w": numbers.normal(size=(20, 30)).astype("float32"),
        "v": numbers.normal(size=(30, 7)).astype("float32"),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Tanh", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "v"], ["y"]),
    ]
    return model_of(nodes, ["N", 20], weights)


def check(folder, original, counts, shape):
    session = onnxruntime.InferenceSession(original.SerializeToString())
    numbers = np.random.default_rng(1)
    with tvmgo.Model.load(folder) as model:
        for count in counts:
            x = numbers.normal(size=(count, *shape)).astype("float32")
            np.testing.assert_allclose(model(x), session.run(None, {"x": x})[0], 1e-4, 1e-5)
        x = numbers.normal(size=(40, *shape)).astype("float32")
        together = model(x)
        for row in (0, 17, 39):
            assert model(x[row : row + 1])[0].tobytes() == together[row].tobytes()


def test_an_open_first_dimension_gets_three_sizes(mlp, tmp_path):
    artifacts = export(mlp, tmp_path)
    assert list(artifacts.sizes) == [1, 8, 32]
    assert artifacts.sizes[1] == (artifacts.library, artifacts.graph)
    assert "1, 8, 32 rows, which are independent" in str(artifacts.report)
    manifest = json.loads(artifacts.manifest.read_text())
    assert manifest["rows_independent"] is True
    assert [tensor["shape"] for tensor in manifest["inputs"]] == [["batch", 20]]
    check(tmp_path, mlp, (1, 2, 8, 9, 33), (20,))


def test_a_model_is_written_once_for_all_sizes(mlp, tmp_path, monkeypatch):
    written = []
    write = sources.write_onnx

    def count(model, folder):
        written.append(write(model, folder))
        return written[-1]

    monkeypatch.setattr(sources, "write_onnx", count)
    monkeypatch.chdir(tmp_path)
    export(mlp, "here", batch=(1, 2), target="native", verify=False)
    assert len(written) == 1 and written[0].is_absolute()  # a worker may be in another folder


def test_weights_are_in_memory_once_for_all_sizes(tmp_path):
    """In the layouts that kernels for these sizes have in common."""
    weights = {"w": np.random.default_rng(0).normal(size=(512, 512)).astype("float32") / 30}
    model = model_of([helper.make_node("MatMul", ["x", "w"], ["y"])], ["N", 512], weights)
    bundle = export(model, tmp_path / "net.tvmgo", batch=(1, 8, 32), target="native")
    assert bundle.library == bundle.graph == bundle.params == bundle.manifest
    assert bundle.sizes[8] == (tmp_path / "net.tvmgo",) * 2
    check(bundle.manifest, model, (1, 8, 33), (512,))
    with tvmgo.Model.load(bundle.manifest) as loaded:
        stored = zipfile.ZipFile(bundle.manifest).getinfo("deploy.params").file_size
        assert 0.97 * stored < loaded.memory()["parameters"] < stored


def test_named_sizes_and_equal_parameters_once(mlp, tmp_path):
    artifacts = export(mlp, tmp_path, batch=(4, 2), target="native", verify=False)
    assert list(artifacts.sizes) == [2, 4]
    alone = export(mlp, tmp_path / "alone", shapes={"x": (2, 20)}, target="native", verify=False)
    assert alone.sizes == {}
    own = alone.params.stat().st_size
    assert own <= artifacts.params.stat().st_size < 1.1 * own
    check(tmp_path, mlp, (1, 2, 3, 4, 11), (20,))
    export(mlp, tmp_path, shapes={"x": (2, 20)}, target="native", verify=False)
    assert sorted(path.name for path in tmp_path.glob("deploy*")) == [
        *("deploy.json", "deploy.params", "deploy.so")
    ]


def test_two_exports_give_the_same_files(mlp, tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        export(mlp, folder, batch=(1, 3), target="native")
    names = sorted(path.name for path in folders[0].iterdir())
    assert names == sorted(path.name for path in folders[1].iterdir())
    for name in names:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


@pytest.fixture(scope="module")
def builtins():
    """Functions that stay registered once a library for the virtual machine was loaded."""
    vm_builtins.provide()


@pytest.fixture
def mixing(builtins):
    """Rows less their mean, which depend on each other."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["x", "m"], ["y"]),
    ]
    return model_of(nodes, ["N", 4])


def test_rows_that_depend_on_each_other(mixing, tmp_path):
    artifacts = export(mixing, tmp_path / "vm", target="native")
    assert artifacts.report.format == "vm"
    x = np.arange(12, dtype="float32").reshape(3, 4)
    with tvmgo.Model.load(tmp_path / "vm") as model:
        np.testing.assert_allclose(model(x), x - x.mean(0), 1e-5, 1e-6)
        assert not model.rows_independent
    artifacts = export(mixing, tmp_path / "sizes", batch=(1, 3), target="native")
    assert "1, 3 rows, which depend on each other" in str(artifacts.report)
    with tvmgo.Model.load(tmp_path / "sizes") as model:
        np.testing.assert_allclose(model(x), x - x.mean(0), 1e-5, 1e-6)
        with pytest.raises(ValueError, match="expected 1 or 3 rows"):
            model(x[:2])
    with pytest.raises(ExportError, match="rows depend on each other"):
        export(mixing, tmp_path / "graph", format="graph", target="native")


def test_rows_that_depend_on_each_other_are_nothing_for_relay_alone(mixing, tmp_path):
    try:
        interpreter_of("relay")
    except tvmgo.TVMImportError as error:
        pytest.skip(str(error))
    with pytest.raises(ExportError, match="the first dimension: it is open, and rows depend"):
        export(mixing, tmp_path / "deployed", compiler="relay", target="native")


def test_batches_that_cannot_be(mlp, tmp_path):
    fixed = model_of([helper.make_node("Relu", ["x"], ["y"])], [2, 3])
    two_open = model_of([helper.make_node("Relu", ["x"], ["y"])], ["N", "M"])
    for model, arguments, kind, text in (
        (fixed, {"batch": (1, 2)}, ValueError, "no input has an open one"),
        (two_open, {"batch": (1, 2)}, ValueError, "input 'x' has others"),
        (mlp, {"batch": (0, 1)}, ValueError, "expected ints, 1 or more each"),
        (mlp, {"batch": 8}, TypeError, "expected a sequence of ints, got int"),
        (mlp, {"batch": ()}, ValueError, "expected ints, 1 or more each"),
        (mlp, {"batch": (1,), "format": "vm"}, ValueError, 'expected format="graph"'),
    ):
        with pytest.raises(kind, match=text):
            export(model, tmp_path, target="native", **arguments)
    assert not list(tmp_path.iterdir())


def test_rows_are_not_compared_where_files_are_for_other_machines(tmp_path):
    library = tmp_path / "deploy.so"
    library.write_bytes(b"\x7fELF of another machine")
    sizes = [[1, str(library), None, None]]
    job = {"sizes": sizes, "inputs": "rows.npz", "directory": str(tmp_path)}
    assert "deploy.so" in verify_job.run(job, print)["unloadable"]


def test_a_name_whose_size_another_input_tells_is_not_open(tmp_path):
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["y"])],
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 2]) for name in "ab"],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    artifacts = export(model, tmp_path, shapes={"a": (3, 2)}, target="native")
    assert artifacts.sizes == {}
    assert artifacts.report.format == "graph"
    with tvmgo.Model.load(tmp_path) as loaded:
        assert loaded.inputs[1].shape == (3, 2)


def test_several_inputs_and_integers(tmp_path):
    table = np.random.default_rng(0).normal(size=(10, 6)).astype("float32")
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["t", "i"], ["a"]),
            helper.make_node("Mul", ["a", "s"], ["y"]),
        ],
        "g",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, ["N"]),
            helper.make_tensor_value_info("s", TensorProto.FLOAT, ["N", 1]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(table, "t")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    export(model, tmp_path, target="native")
    i = np.arange(10)[::-1].copy()
    s = np.linspace(-1, 1, 10, dtype="float32")[:, None]
    with tvmgo.Model.load(tmp_path) as loaded:
        np.testing.assert_array_equal(loaded(i, s), table[i] * s)
        with pytest.raises(ValueError, match="input 's'.*batch of 10, as in input 'i'"):
            loaded(i, s[:9])
