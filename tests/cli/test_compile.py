# SPDX-License-Identifier: Apache-2.0
"""``tvmgo compile``, and what the other verbs say of what it writes."""

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

import tvmgo
from tests.helpers import output_of
from tests.package.test_docs import builtins, image_classifier, rows  # noqa: F401, a fixture
from tvmgo import Model, bundle, doctor
from tvmgo.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "command_line.md"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.apache_tvm,
    pytest.mark.usefixtures("builtins"),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with model.onnx and rows.onnx, and what is compiled of the second."""
    folder = tmp_path_factory.mktemp("models")
    onnx.save(image_classifier(), folder / "model.onnx")
    onnx.save(rows(), folder / "rows.onnx")
    words = ["--batch", "1,4", "--target", "native", "--no-verify"]
    assert main(["compile", str(folder / "rows.onnx"), "-o", str(folder / "rows"), *words]) == 0
    return folder


def test_compile_says_what_it_does(models, tvmgo_says, tmp_path):
    words = ["--shapes", "x=3,4", "--format", "vm", "--compiler", "relax", "--json"]
    said = tvmgo_says("compile", models / "rows.onnx", "-o", tmp_path / "out", *words)
    assert said.status == 0
    assert "reading the model" in said.err.splitlines()
    told = json.loads(said.out)
    assert told["files"] == [str(tmp_path / "out" / name) for name in ("deploy.so", "model.json")]
    assert (told["compiler"], told["format"]) == ("relax", "vm")
    assert told["verification"].startswith("agrees with ONNX Runtime")
    assert tvmgo_says("info", tmp_path / "out", "--json").document["parameters"] is None
    y = tvmgo_says("run", tmp_path / "out", "--json").document["outputs"][0]
    assert (y["name"], y["dtype"], y["shape"]) == ("y", "float32", [3, 4])


def test_compile_to_one_file(models, tvmgo_says, tmp_path):
    path = tmp_path / "new" / "rows.tvmgo"
    words = ["--batch", "1,4", "--target", "native", "--no-verify", "--json"]
    said = tvmgo_says("compile", models / "rows.onnx", "-o", path, *words)
    assert json.loads(said.out)["files"] == [str(path)]
    assert list(path.parent.iterdir()) == [path]
    assert bundle(models / "rows", tmp_path / "b.tvmgo").read_bytes() == path.read_bytes()
    assert tvmgo_says("info", path, "--json").document["batch_sizes"] == [1, 4]
    assert tvmgo_says("doctor", path, "--json").document["runs"]
    with tvmgo.Model.load(path) as model:
        x = np.arange(24, dtype="float32").reshape(6, 4) / 8
        np.testing.assert_allclose(model(x), np.exp(x), rtol=1e-5)
    before = path.read_bytes()
    said = tvmgo_says("compile", models / "rows.onnx", "-o", path, "--shapes", "z=1,4")
    assert said.status == 1 and path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_run_of_a_batch(models, tvmgo_says, tmp_path):
    x = np.arange(24, dtype="float32").reshape(6, 4) / 8
    np.save(tmp_path / "x.npy", x)
    words = ["--input", f"x={tmp_path / 'x.npy'}", "--output", f"y={tmp_path / 'y.npy'}"]
    assert tvmgo_says("run", models / "rows", *words).status == 0
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), np.exp(x), rtol=1e-5)
    [y] = tvmgo_says("run", models / "rows", "--json").document["outputs"]
    assert y["shape"] == [1, 4]


def test_info_of_a_batch(models, tvmgo_says):
    told = tvmgo_says("info", models / "rows", "--json").document
    assert told["inputs"] == [{"name": "x", "shape": ["batch", 4], "dtype": "float32"}]
    assert told["batch_sizes"] == [1, 4]
    assert told["made"]["compiler"] == "relax" and "onnx" in told["made"]["versions"]


def test_wrong_models_and_options(models, tvmgo_says, tmp_path):
    (tmp_path / "text.onnx").write_text("text")
    for words in (
        [tmp_path / "none.onnx"],
        [tmp_path / "text.onnx"],
        [models / "rows.onnx", "--shapes", "z=1"],
        [models / "rows.onnx", "--target", "nonsense"],
        [models / "rows.onnx", "--compiler", "gcc"],
    ):
        said = tvmgo_says("compile", *words, "-o", tmp_path / "out")
        assert (said.status, said.out) == (1, "")
        assert "tvmgo: " in said.err and "Traceback" not in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [["--shapes", "x"], ["--shapes", "x=a"], ["--batch", "1,"]])
def test_options_that_say_nothing(words, models, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["compile", str(models / "rows.onnx"), "-o", "out", *words])
    assert "expected" in capsys.readouterr().err


def test_doctor_of_an_export(models):
    report = doctor(models / "rows")
    assert report.runs and report.problems == ()
    found = {check.subject: check.found for check in report.checks}
    assert found["model.json: digests"] == "5 files are as exported"
    assert re.fullmatch("0x[0-9a-f]{16}, 0x[0-9a-f]{16}", found["model ids"])
    assert found["deploy.so: functions"] == "has all 1 that the graph calls"
    assert str(report.inputs[0]) == "x: float32 [batch, 4]"


def other_id(graph):
    """A graph with another number of its export."""
    return re.sub(rb'("tvmgo_model_id": \[\s*"list_int",\s*\[\s*)', rb"\g<1>1", graph)


@pytest.mark.parametrize(
    ("name", "change", "subjects"),
    [
        (
            "deploy.params",
            lambda data: data[:-1],
            {"deploy.params: contents", "model.json: digests"},
        ),
        ("deploy.so", lambda data: data + b"\0", {"model.json: digests"}),
        ("deploy_4.json", lambda data: b"{}", {"deploy_4.json: contents", "model.json: digests"}),
        ("deploy.json", other_id, {"model ids", "model.json: digests"}),
        ("deploy_4.json", other_id, {"model ids", "model.json: digests"}),
    ],
)
def test_doctor_of_changed_files(models, tmp_path, name, change, subjects):
    folder = shutil.copytree(models / "rows", tmp_path / "changed")
    data = (folder / name).read_bytes()
    assert change(data) != data
    (folder / name).write_bytes(change(data))
    report = doctor(folder)
    assert {check.subject for check in report.problems} == subjects
    assert all("export anew" in check.advice for check in report.problems)


def test_doctor_of_graph_and_library_of_two_models(models, tmp_path):
    other = tmp_path / "other"
    main(["compile", str(models / "model.onnx"), "-o", str(other), "--no-verify"])
    shutil.copy(models / "rows" / "deploy.so", other)
    (other / "model.json").unlink()
    problems = doctor(other).problems
    assert [check.subject for check in problems] == ["deploy.so: functions"]
    with pytest.raises(tvmgo.TVMError):
        tvmgo.Model.load(other)


def test_doctor_of_levels(models, tmp_path, monkeypatch):
    """What it says beforehand is what the library does."""
    main(["compile", str(models / "rows.onnx"), "-o", str(tmp_path), "--batch", "2"])
    monkeypatch.setenv("TVMGO_CPU_LEVEL", "v2")
    [kernels] = [check for check in doctor(tmp_path).checks if check.subject.endswith("kernels")]
    assert kernels.found == (
        "clones for x86-64-v2, x86-64-v3, x86-64-v4; x86-64-v2 would be chosen here"
    )
    monkeypatch.delenv("TVMGO_CPU_LEVEL")
    [kernels] = [check for check in doctor(tmp_path).checks if check.subject.endswith("kernels")]
    code = f"""
    import ctypes, tvmgo
    module = tvmgo.load_module({str(tmp_path / "deploy.so")!r}, private=False)
    library = ctypes.CDLL({str(tmp_path / "deploy.so")!r})
    print(ctypes.c_int.in_dll(library, "__tvmgo_cpu_level").value)
    """
    level = output_of(code).strip()
    assert kernels.found.endswith(f"x86-64-v{level} would be chosen here")


def test_commands_of_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    onnx.save(image_classifier(), "model.onnx")
    onnx.save(rows(), "rows.onnx")
    np.save("image.npy", np.zeros((1, 224, 224, 3), "float32"))
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if line[:6] == "tvmgo "]
    assert len(commands) > 5
    for command in commands:
        if command.startswith(("tvmgo serve", "tvmgo rpc server")):
            continue  # they serve until they are stopped: tests/serving and tests/rpc start them
        if command.startswith("tvmgo replay"):
            record("deployed", "recorded", np.load("image.npy"))
        assert main(shlex.split(command, comments=True)[1:]) == 0, command


def record(model, folder, image):
    """Write a recorded run of the page's model, as docs/guide/replay.md has it."""
    shutil.copytree(model, folder)
    np.save(f"{folder}/image.npy", image)
    np.save(f"{folder}/probabilities.npy", Model.load(model)(image))
    run = {"inputs": {"input": "image.npy"}, "outputs": ["probabilities.npy"]}
    files = {"library": "deploy.so", "graph": "deploy.json", "params": "deploy.params"}
    Path(folder, "recording.json").write_text(json.dumps({**files, "runs": [run]}))
