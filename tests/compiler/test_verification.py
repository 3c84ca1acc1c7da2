# SPDX-License-Identifier: Apache-2.0
"""What `export` does with what verification finds."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.compiler.models import assert_same, mlp, onnx_model, open_graph, relax_module, run
from tvmgo.compiler import ExportError, attempts, export
from tvmgo.exceptions import TVMTypeError, TVMValueError

pytestmark = pytest.mark.slow

FLOAT = TensorProto.FLOAT


@pytest.fixture
def spoil(monkeypatch):
    """Return a function after which a compiler gets a model with other weights."""
    run_job = attempts.run_job

    def spoil(compiler):
        def run_spoiled(kind, interpreter, job, progress):
            if kind == compiler:
                model = onnx.load(job["model"])
                for tensor in model.graph.initializer:
                    value = numpy_helper.to_array(tensor) * np.float32(1.01)
                    tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
                onnx.save(model, job["model"])
            return run_job(kind, interpreter, job, progress)

        monkeypatch.setattr(attempts, "run_job", run_spoiled)

    return spoil


def test_report_says_what_the_results_agree_with(tmp_path):
    model, inputs = mlp()
    artifacts = export(model, tmp_path, verify="auto")
    assert artifacts.report.verification.startswith("agrees with ONNX Runtime ")
    assert artifacts.report.verification in str(artifacts.report)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "deploy.json",
        "deploy.params",
        "deploy.so",
        "model.json",
    ]
    open_graph(artifacts)(inputs)


def test_wrong_results_are_refused_and_nothing_is_written(tmp_path, spoil):
    spoil("relax")
    model, _ = mlp()
    with pytest.raises(ExportError) as raised:
        export(model, tmp_path / "new", verify="auto", compiler="relax", format="graph")
    assert raised.value.where.startswith(f"output `{model.graph.output[0].name}` at [")
    assert "times the tolerance" in raised.value.reason
    assert not (tmp_path / "new").exists()


def test_wrong_results_pass_where_nobody_looks(tmp_path, spoil):
    spoil("relax")
    artifacts = export(mlp()[0], tmp_path, verify=False)
    assert artifacts.report.verification == "not verified: verify=False"


def test_inputs_are_given_and_fix_open_dimensions(tmp_path):
    spec = (FLOAT, ["batch", 2])
    model = onnx_model([helper.make_node("Neg", ["x"], ["y"])], {"x": spec}, {"y": spec})
    x = [[1, 2], [3, 4], [5, 6]]
    artifacts = export(model, tmp_path, inputs={"x": x}, verify=True)
    assert_same(run(artifacts, {"x": np.float32(x)}), [-np.float32(x)])


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ({"z": [1]}, TVMValueError, r"inputs: the model has no input 'z'"),
        ({"x": [[1]]}, TVMValueError, r"inputs\['x'\]: expected shape \[batch, 2\], got \[1, 1\]"),
        ({"x": [[1j, 2j]]}, TVMTypeError, r"inputs\['x'\]: expected element type float32"),
        ({"x": [["a", "b"]]}, TVMTypeError, r"inputs\['x'\]: expected numbers"),
        ({"x": [[1, 2], [3]]}, TVMTypeError, r"inputs\['x'\]: expected numbers"),
        ([1, 2], TVMTypeError, r"inputs: expected a mapping"),
    ],
)
def test_inputs_that_are_not_the_models_are_refused(tmp_path, inputs, error, message):
    spec = (FLOAT, ["batch", 2])
    model = onnx_model([helper.make_node("Neg", ["x"], ["y"])], {"x": spec}, {"y": spec})
    with pytest.raises(error, match=message):
        export(model, tmp_path / "new", inputs=inputs, verify="auto")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("verify", ["yes", None, 2])
def test_other_choices_are_refused(tmp_path, verify):
    with pytest.raises(TVMValueError, match="verify: expected 'auto', True or False"):
        export(mlp()[0], tmp_path, verify=verify)


def test_relax_modules_are_not_verified(tmp_path):
    module = relax_module(
        """
class Module:
    @R.function
    def main(x: R.Tensor((2,), "float32")):
        return R.negative(x)
"""
    )
    artifacts = export(module, tmp_path, verify="auto")
    assert artifacts.report.verification == "not verified: nothing else runs a Relax module"
    with pytest.raises(ExportError, match="verification: not verified"):
        export(module, tmp_path, verify=True)
