# SPDX-License-Identifier: Apache-2.0
"""`export` to the virtual machine: when it is chosen, what it writes and says."""

import json

import numpy as np
import pytest
from onnx import TensorProto, helper

import tvmgo
from tests.compiler.models import onnx_model, onnx_runtime, relax_module
from tests.compiler.vm import run, start
from tests.graphs import document, var
from tests.helpers import output_of
from tvmgo.compiler import ExportError, export

pytestmark = pytest.mark.slow

FLOAT = TensorProto.FLOAT


def model_of(*nodes, shape=("n", "m"), outputs=("y",)):
    return onnx_model(
        list(nodes),
        {"x": (FLOAT, list(shape))},
        {name: (FLOAT if name == "y" else TensorProto.INT64, None) for name in outputs},
    )


DOUBLE = helper.make_node("Add", ["x", "x"], ["y"])
WHERE = helper.make_node("NonZero", ["x"], ["places"])
X = np.array([[1, 0, 2, 0], [0, 0, 3, 4]], "float32")


def test_auto_takes_the_machine_for_open_dimensions_and_says_so(tmp_path):
    lines = []
    artifacts = export(model_of(DOUBLE), tmp_path, progress=lines.append)
    assert (artifacts.graph, artifacts.params) == (None, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deploy.so", "model.json"]
    assert artifacts.report.format == "vm"
    (reason,) = (why for who, why in artifacts.report.refusals.items() if who.startswith("graph"))
    assert "open dimensions" in reason
    assert any("virtual machine" in line for line in lines)
    machine = start(artifacts.library)
    for n in (1, 3):
        (result,) = run(machine, [X[:1].repeat(n, 0)])
        assert result.tolist() == (2 * X[:1].repeat(n, 0)).tolist()


def test_auto_takes_the_graph_where_shapes_are_given(tmp_path):
    export(model_of(DOUBLE), tmp_path, format="vm")
    artifacts = export(model_of(DOUBLE), tmp_path, shapes={"x": (2, 4)})
    assert artifacts.report.format == "graph"
    assert artifacts.graph.exists()
    again = export(model_of(DOUBLE), tmp_path, format="vm", shapes={"x": (2, 4)})
    assert again.report.refusals == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "deploy.so",
        "model.json",
    ]  # no graph of before
    with pytest.raises(tvmgo.TVMError):
        run(start(again.library), [X[:1]])  # the shape is fixed now


def test_results_of_a_size_that_data_decides(tmp_path):
    model = model_of(DOUBLE, WHERE, shape=(2, 4), outputs=("y", "places"))
    artifacts = export(model, tmp_path)
    assert artifacts.report.format == "vm"
    machine = start(artifacts.library)
    assert machine["output_names"]() == ["y", "places"]
    for result, expected in zip(run(machine, [X]), onnx_runtime(model, {"x": X})):
        np.testing.assert_array_equal(result, expected)


def test_a_graph_that_was_asked_for_is_refused(tmp_path):
    with pytest.raises(ExportError, match="open dimensions"):
        export(model_of(DOUBLE), tmp_path / "deployed", format="graph")
    assert not (tmp_path / "deployed").exists()


def test_what_no_format_holds_is_refused_with_each_reason(tmp_path):
    node = helper.make_node("GridSample", ["x", "g"], ["y"])
    model = onnx_model(
        [node],
        {"x": (FLOAT, ["n", 1, "h", 4]), "g": (FLOAT, ["n", 2, 2, 2])},
        {"y": (FLOAT, None)},
    )
    with pytest.raises(ExportError, match=r"(?s)open dimensions.*GridSample"):
        export(model, tmp_path)


def test_a_relax_module_with_open_dimensions(tmp_path):
    module = relax_module(
        """
class Module:
    @R.function
    def main(x: R.Tensor(("n", 4), "float32")) -> R.Tensor(("n", 4), "float32"):
        return R.exp(x)
"""
    )
    artifacts = export(module, tmp_path, format="vm")
    (result,) = run(start(artifacts.library), [X])
    np.testing.assert_allclose(result, np.exp(X), rtol=1e-6)


def test_running_needs_no_compiler(tmp_path):
    """Nor does it need apache-tvm's Python, for functions of Python that the library calls."""
    model = model_of(WHERE, outputs=("places",))
    artifacts = export(model, tmp_path, format="vm")
    script = f"""
import sys
import numpy as np
from tests.compiler.vm import run, start
machine = start({str(artifacts.library)!r})
print(run(machine, [np.array([[0, 1, 0, 2]], "float32")])[0].tolist())
print({{"tvm", "onnx", "onnxruntime", "tvm_ffi"}} & set(sys.modules))
"""
    assert output_of(script) == "[[0, 0], [1, 3]]\nset()\n"


def test_the_same_model_gives_the_same_library(tmp_path):
    for name in "ab":
        model = model_of(DOUBLE, WHERE, outputs=("y", "places"))
        export(model, tmp_path / name, format="vm")
    a, b = ((tmp_path / name / "deploy.so").read_bytes() for name in "ab")
    assert a == b


def test_the_executor_is_not_taken_for_compiled_code_after_a_machine_was(tmp_path):
    """Functions that work on tensors are given copies of those that kernels cannot work on."""
    start(export(model_of(DOUBLE), tmp_path, format="vm").library)["main"](tvmgo.array(X))
    graph = tvmgo.graph_executor.create(json.dumps(document([var("x")], ["x"])), None)
    unaligned = np.zeros(9, "uint8")[1:].view("float32")
    with pytest.raises(ValueError, match="aligned"):
        graph.set_input_zero_copy("x", unaligned)
