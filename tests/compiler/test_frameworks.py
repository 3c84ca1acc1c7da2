# SPDX-License-Identifier: Apache-2.0
"""Models of frameworks: how they are recognised, who is asked, and what a report or an error says.

No framework is needed here: a function does what the worker would; `make test-frameworks` has the real ones.
"""

import sys
import zipfile
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.compiler.models import onnx_model, run
from tvmgo import TVMImportError, TVMValueError
from tvmgo.compiler import ExportError, export
from tvmgo.compiler.convert.request import OPSET
from tvmgo.compiler.environments.needs import NEEDS
from tvmgo.compiler.frameworks import converting
from tvmgo.compiler.frameworks.files import kind_of
from tvmgo.compiler.frameworks.objects import Examples
from tvmgo.compiler.frameworks.table import FRAMEWORKS
from tvmgo.compiler.sources import source_of
from tvmgo.compiler.tensor_files import read_tensors, write_tensors

TFLITE = b"\x1c\x00\x00\x00TFL3" + bytes(24)
HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(24)


def archive(path, *names):
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, "")
    return path


def written(path, content):
    path.write_bytes(content)
    return path


def exponential():
    value = (TensorProto.FLOAT, [2, 3])
    return onnx_model([helper.make_node("Exp", ["x"], ["y"])], {"x": value}, {"y": value})


def test_content_says_what_a_file_is(tmp_path):
    assert kind_of(written(tmp_path / "a.tflite", TFLITE)) == "tflite"
    assert kind_of(written(tmp_path / "without", TFLITE)) == "tflite"
    assert kind_of(written(tmp_path / "a.h5", HDF5)) == "keras"
    names = ("metadata.json", "config.json", "model.weights.h5")
    assert kind_of(archive(tmp_path / "a.keras", *names)) == "keras"
    # A GraphDef begins with a node, an ONNX file, which may be called so, with its version.
    assert kind_of(written(tmp_path / "graph.pb", b"\x0a\x05\x0a\x01xhi")) == "tensorflow"
    assert (
        kind_of(written(tmp_path / "onnx.pb", exponential().SerializeToString(deterministic=True)))
        == "onnx"
    )
    assert kind_of(written(tmp_path / "model.onnx", b"")) == "onnx"


def test_archives_of_pytorch(tmp_path):
    assert kind_of(archive(tmp_path / "a.pt2", "a/models/model.json", "a/version")) == "pytorch"
    assert kind_of(archive(tmp_path / "a.pt", "a/code/__torch__.py", "a/data.pkl")) == "pytorch"
    with pytest.raises(TVMValueError, match="weights or a pickled module, not the program; save"):
        kind_of(archive(tmp_path / "b.pt", "b/data.pkl", "b/data/0"))


def test_files_of_paddle(tmp_path):
    assert kind_of(written(tmp_path / "a.json", b'{"base_code":{"magic":"pir"}}')) == "paddle"
    assert kind_of(written(tmp_path / "a.pdmodel", b"\x0a\x05")) == "paddle"
    assert kind_of(written(tmp_path / "a.pdiparams", bytes(8))) == "paddle"
    assert kind_of(written(tmp_path / "other.json", b"{}")) == "onnx"


def test_files_of_mxnet(tmp_path):
    assert kind_of(written(tmp_path / "a-symbol.json", b'{"nodes": []}')) == "mxnet"
    begin = b"\x12\x01" + bytes(14)
    assert kind_of(written(tmp_path / "a-0003.params", begin)) == "mxnet"
    assert kind_of(written(tmp_path / "other.params", bytes(16))) == "onnx"


def test_files_of_darknet(tmp_path):
    assert kind_of(written(tmp_path / "a.cfg", b"# made\n[net]\nwidth=4\n")) == "darknet"
    assert kind_of(written(tmp_path / "a.weights", bytes(20))) == "darknet"
    for path in (written(tmp_path / "b.cfg", b"[section]\n"), written(tmp_path / "c.weights", b"")):
        with pytest.raises(TVMValueError, match="model: expected .* Darknet.*, as its name says"):
            kind_of(path)


def test_files_of_core_ml(tmp_path):
    """A specification begins with its version, as an ONNX file does: the name says which it is."""
    assert kind_of(written(tmp_path / "a.mlmodel", b"\x08\x01\x12\x00")) == "coreml"
    assert kind_of(written(tmp_path / "a.onnx", b"\x08\x01\x12\x00")) == "onnx"
    inside = tmp_path / "a.mlpackage" / "Data" / "com.apple.CoreML"
    inside.mkdir(parents=True)
    (inside / "model.mlmodel").touch()
    assert kind_of(tmp_path / "a.mlpackage") == "coreml"


def test_folder_is_a_saved_model_or_nothing(tmp_path):
    with pytest.raises(
        TVMValueError, match=r"model: expected a file, or a folder with saved_model"
    ):
        kind_of(tmp_path)
    (tmp_path / "saved_model.pb").touch()
    assert kind_of(tmp_path) == "tensorflow"


@pytest.mark.parametrize("suffix", [".tflite", ".keras", ".h5", ".pt", ".pt2", ".mlmodel"])
def test_name_that_promises_what_is_not_there(suffix, tmp_path):
    path = written(tmp_path / f"a{suffix}", b"something else, sixteen bytes and more")
    with pytest.raises(TVMValueError, match="model: expected an? .*, as its name says, got"):
        export(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_each_framework_has_its_converter_and_environment():
    folder = Path(converting.__file__).parents[1] / "convert"
    for name, framework in FRAMEWORKS.items():
        assert (folder / f"{name}.py").is_file()
        assert framework.environment in NEEDS
    assert OPSET <= 18  # of the normal form


def test_missing_environment_is_said_with_its_command(tmp_path, monkeypatch):
    monkeypatch.setenv("TVMGO_COMPILERS", str(tmp_path / "none"))
    program = archive(tmp_path / "a.pt2", "a/models/model.json", "a/version")
    # onnxscript is in no environment of the tests; torch may be.
    lacking = r"pytorch needs .*onnxscript>=.*: pip install numpy onnx torch onnxscript$"
    with pytest.raises(TVMImportError, match=lacking):
        export(program, tmp_path / "out")
    path = written(tmp_path / "a.tflite", TFLITE)
    with pytest.raises(TVMImportError, match=r"tf2onnx.*: tvmgo compiler install tensorflow$"):
        export(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def framework(monkeypatch):
    """Return what a made-up framework is asked; its results are `compute`'s."""
    jobs = []

    def answer(kind, interpreter, job, progress):
        assert (kind, interpreter) == ("convert", Path("python"))
        jobs.append(job)
        if "values" not in job:
            onnx.save(exponential(), job["made"])
            return {"versions": {"made-up": "1.0"}}
        if answer.compute is None:
            return {"unknown": "it cannot run it"}
        values = read_tensors(job["values"])
        write_tensors(job["results"], {"0": answer.compute(values["x"])})
        return {"truth": "Made-up 1.0", "seconds": 1.0}

    answer.compute, answer.jobs = np.exp, jobs
    monkeypatch.setattr(converting, "run_job", answer)
    monkeypatch.setattr(converting, "interpreter_of", lambda kind, path: Path("python"))
    return answer


@pytest.mark.slow
def test_framework_is_the_truth(framework, tmp_path):
    path = written(tmp_path / "a.tflite", TFLITE)
    files = export(path, tmp_path / "out", target="native", verify=True)
    assert files.report.verification.startswith("agrees with Made-up 1.0; the largest error")
    assert files.report.versions["made-up"] == "1.0"
    assert framework.jobs[0]["model"] == str(path)
    x = np.ones((2, 3), "float32")
    np.testing.assert_allclose(run(files, {"x": x})[0], np.exp(x), rtol=1e-5)


@pytest.mark.slow
def test_converter_that_is_wrong_is_noticed_and_named(framework, tmp_path):
    framework.compute = np.cos
    path = written(tmp_path / "a.tflite", TFLITE)
    reason = (
        "the exported model.* and Made-up 1.0 compute different results: .*; ONNX Runtime .*, which ran "
        "what tf2onnx made, differs from it as well"
    )
    with pytest.raises(ExportError, match=reason):
        export(path, tmp_path / "out", compiler="relax", format="graph", verify=True)


@pytest.mark.slow
def test_report_says_that_the_framework_did_not_run(framework, tmp_path):
    framework.compute = None
    path = written(tmp_path / "a.tflite", TFLITE)
    files = export(path, tmp_path / "out", target="native", verify=True)
    assert "ran what tf2onnx made (it cannot run it)" in files.report.verification


# ---------------------------------------------------------------- objects, of packages that are made up


class Program:
    training = False

    def forward(self, image, scale=None):
        pass


@pytest.fixture
def torch(monkeypatch):
    """A package that is called torch, and what it was asked to save."""
    package = ModuleType("torch")
    package.nn = SimpleNamespace(Module=Program)
    package.jit = SimpleNamespace(ScriptModule=type("ScriptModule", (), {}))
    package.export = SimpleNamespace(
        ExportedProgram=type("ExportedProgram", (), {}),
        save=lambda program, path: path.write_text(repr(program)),
        export=lambda module, args, kwargs, dynamic_shapes: [*kwargs],
    )
    package.from_numpy, package.no_grad = np.asarray, nullcontext
    monkeypatch.setitem(sys.modules, "torch", package)
    return package


def test_module_is_saved_as_the_program_of_its_examples(torch, tmp_path):
    source = source_of(Program(), Examples({"image": [2, 3]}))
    assert source.kind == "pytorch"
    assert source.write(tmp_path).read_text() == "['image']"
    assert source_of(torch.jit.ScriptModule(), Examples()).kind == "pytorch"


@pytest.mark.parametrize(
    ("training", "examples", "reason"),
    [
        (True, Examples({"image": [2]}), "training mode.*call model.eval"),
        (False, Examples(), r"expected examples for image, scale, .*, got \[\]"),
        (False, Examples({"image": [2], "x": [2]}), r"got \['image', 'x'\]"),
    ],
    ids=["training", "no examples", "no such input"],
)
def test_module_that_cannot_be_saved(training, examples, reason, torch, tmp_path):
    module = Program()
    module.training = training
    with pytest.raises(ExportError, match=reason):
        source_of(module, examples).write(tmp_path)


def test_what_a_framework_says_when_it_cannot_save(torch, tmp_path):
    def fail(program, path):
        raise RuntimeError("a node is odd")

    torch.export.save = fail
    with pytest.raises(
        ExportError, match="saving the ExportedProgram of PyTorch: RuntimeError: a node"
    ):
        source_of(torch.export.ExportedProgram(), Examples()).write(tmp_path)


class Layer(Program):
    pass


@pytest.fixture
def paddle(monkeypatch):
    """A package that is called paddle, which writes what it was asked to save."""
    package = ModuleType("paddle")
    package.nn = SimpleNamespace(Layer=Layer)
    package.static = SimpleNamespace(InputSpec=lambda *given: given)

    def save(layer, path, specs):
        Path(f"{path}.pdiparams").touch()
        Path(f"{path}.json").write_text(repr(specs))

    package.jit = SimpleNamespace(save=save)
    monkeypatch.setitem(sys.modules, "paddle", package)


@pytest.mark.parametrize(("batched", "rows"), [(True, None), (False, 2)])
def test_layer_is_saved_as_the_program_of_its_examples(batched, rows, paddle, tmp_path):
    examples = Examples({"scale": [2, 4]}, {"image": np.zeros((2, 3), "int64")}, batched)
    source = source_of(Layer(), examples)
    assert source.kind == "paddle"
    written = source.write(tmp_path)
    assert written.name == "model.json"
    specs = [([rows, 3], "int64", "image"), ([rows, 4], "float32", "scale")]
    assert written.read_text() == repr(specs)


def test_layer_that_is_a_program_knows_its_inputs(paddle, tmp_path):
    layer = Layer()
    layer.forward = type("StaticFunction", (), {"concrete_program": property(lambda self: 1 / 0)})()
    assert source_of(layer).write(tmp_path).read_text() == "None"


def test_layer_in_training_mode_is_refused(paddle, tmp_path):
    layer = Layer()
    layer.training = True
    with pytest.raises(ExportError, match="PaddlePaddle: the module: .*training mode"):
        source_of(layer, Examples({"image": [2]})).write(tmp_path)
