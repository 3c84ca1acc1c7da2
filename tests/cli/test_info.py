# SPDX-License-Identifier: Apache-2.0
"""``tvmgo info``"""

import json

import numpy as np
import pytest

from tests.blobs import params_blob
from tests.classic.conftest import compile_embedded  # noqa: F401, a fixture
from tests.classic.models import FACTORY
from tests.graphs import document, op, var
from tests.model.conftest import PREFIX
from tvmgo import Model
from tvmgo.model.inspection.outline import describe


def test_of_files(two_inputs, tvmgo_says):
    told = tvmgo_says("info", two_inputs, "--json").document
    tensor = {"shape": [3], "dtype": "int64"}
    assert told["inputs"] == [{"name": name, **tensor} for name in "xw"]
    assert told["outputs"] == [{"name": name, **tensor} for name in "yz"]
    assert told["parameters"] == {"tensors": 1, "bytes": 24}
    assert told["kernels"] == 2  # add is called twice
    assert {file["name"]: file["bytes"] for file in told["files"]} == {
        path.name: path.stat().st_size for path in two_inputs.iterdir()
    }
    assert (told["model_id"], told["made"]) == (None, {})


def test_in_words(two_inputs, tvmgo_says):
    said = tvmgo_says("info", two_inputs)
    assert said.status == 0
    lines = [line.split() for line in said.out.splitlines()]
    assert ["x", "[3]", "int64"] in lines and ["z", "[3]", "int64"] in lines
    assert ["tensors", "1"] in lines and ["bytes", "24", "bytes"] in lines


def test_the_manifest_has_the_first_word(two_inputs, tvmgo_says):
    tensor = {"shape": ["rows", 3], "dtype": "int64"}
    manifest = {
        "format": 1,
        "model_id": 255,
        "inputs": [{"name": "mine", **tensor}],
        "outputs": [{"name": "yours", **tensor}],
        "rows_independent": True,
        "sizes": [{"batch": 3, "library": "deploy.so", "graph": "deploy.json"}],
        "params": "deploy.params",
        "files": {},
        "made": {"compiler": "relax", "versions": {"onnx": "1.23.2"}},
    }
    (two_inputs / "model.json").write_text(json.dumps(manifest))
    told = tvmgo_says("info", two_inputs, "--json").document
    assert told["inputs"] == [{"name": "mine", **tensor}]
    assert told["batch_sizes"] == [3] and told["rows_independent"] is True
    assert told["model_id"] == "0x00000000000000ff"
    assert told["made"]["versions"] == {"onnx": "1.23.2"}


def test_same_as_the_model_that_is_loaded(write):
    nodes = [
        var("a", (2, 3)),
        var("weights", (4,), "int8"),
        var("a b=c", (), "bool"),
        op("two", ["a"], outs=[((2,), "float16", None), ((5, 1), "uint8", None)], prefix=PREFIX),
    ]
    nodes[3]["attrs"]["func_name"] = PREFIX + "double"
    weights = {"weights": np.zeros(4, "int8")}
    folder = write(nodes, [(PREFIX + "two", 1), "a", (PREFIX + "two", 0)], weights)
    told, model = describe(folder), Model.load(folder)
    for kind in ("inputs", "outputs"):
        assert [tuple(each.values()) for each in told[kind]] == [
            (info.name, list(info.shape), str(info.dtype)) for info in getattr(model, kind)
        ]
    assert told["parameters"]["bytes"] == model.memory()["parameters"]
    model.close()


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("deploy.json", b"{", "deploy.json: not a graph of TVM: JSONDecodeError"),
        ("deploy.json", b"[" * 100000, "deploy.json: not a graph of TVM: RecursionError"),
        ("model.json", b"[" * 100000, "model.json: not a model's manifest: "),
        ("deploy.json", b"[]", "deploy.json: not a graph of TVM"),
        ("deploy.json", b"\xff", "deploy.json: not a graph of TVM"),
        ("deploy.json", json.dumps({"nodes": 3}).encode(), "deploy.json: not a graph of TVM"),
        ("deploy.params", params_blob([])[:-1], "deploy.params: "),
        ("model.json", b"{}", "model.json: format: expected int, got None"),
    ],
)
def test_malformed_files_are_one_line(write_one, tvmgo_says, name, content, text):
    folder = write_one("double")
    (folder / name).write_bytes(content)
    said = tvmgo_says("info", folder)
    assert (said.status, said.out) == (1, "")
    assert text in said.err and len(said.err.splitlines()) == 1


def test_factory(compile_embedded, tvmgo_says):  # noqa: F811
    """A library with its graph inside is opened for it."""
    told = tvmgo_says("info", compile_embedded(FACTORY), "--json").document
    assert [info["name"] for info in told["inputs"]] == ["x"]
    assert told["parameters"]["bytes"] > 0 and told["kernels"] is None


def test_factory_in_a_bundle(compile_embedded, tvmgo_says, tmp_path):  # noqa: F811
    path = tmp_path / "net.tvmgo"
    assert tvmgo_says("bundle", compile_embedded(FACTORY), "-o", path).status == 0
    told = tvmgo_says("info", path, "--json").document
    assert [info["name"] for info in told["inputs"]] == ["x"] and len(told["files"]) == 1
    assert tvmgo_says("run", path, "--json").document["outputs"]


def test_heads_out_of_range(write_one, tvmgo_says):
    folder = write_one("double")
    broken = document([var("x")], ["x"])
    broken["heads"] = [[7, 0, 0]]
    (folder / "deploy.json").write_text(json.dumps(broken))
    assert "not a graph of TVM: IndexError" in tvmgo_says("info", folder).err
