# SPDX-License-Identifier: Apache-2.0
"""The documentation's code runs, and every public name is documented."""

import re
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import tvmgo
from tvmgo._core import vm_builtins

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "docs/deploy.md",
    "docs/model.md",
    "docs/serve.md",
    "docs/load.md",
    "docs/async.md",
    "docs/threads_and_forks.md",
    "docs/profile.md",
    "docs/command_line.md",
    "docs/graph_executor.md",
    "docs/old_artifacts.md",
)


def image_classifier() -> onnx.ModelProto:
    """Return a small network with the inputs and outputs of the one the pages talk about."""
    weights = np.random.default_rng(0).normal(size=(3, 1001)).astype("float32")
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 224, 224, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 1001])],
        [numpy_helper.from_array(weights, "weights")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def rows() -> onnx.ModelProto:
    """Return a model of any number of rows."""
    graph = helper.make_graph(
        [helper.make_node("Exp", ["x"], ["y"])],
        "rows",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


@pytest.fixture(scope="module")
def builtins():
    """What stays once it was used: functions for the virtual machine, and those of a Model."""
    vm_builtins.provide()
    tvmgo.Model  # its module is imported when it is asked for


@pytest.mark.slow
@pytest.mark.apache_tvm
@pytest.mark.usefixtures("builtins")
@pytest.mark.parametrize("page", PAGES)
def test_code_of_page_runs(page, tmp_path, monkeypatch):
    from tvmgo.compiler import export

    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert blocks
    monkeypatch.chdir(tmp_path)
    onnx.save(image_classifier(), "model.onnx")
    onnx.save(rows(), "rows.onnx")
    export("model.onnx", "deployed")
    shutil.copytree("deployed", ".", dirs_exist_ok=True)
    exec(compile("\n".join(blocks), page, "exec"), {})


@pytest.mark.parametrize("name", [name for name in tvmgo.__all__ if not name.startswith("__")])
def test_public_name_has_a_docstring(name):
    thing = getattr(tvmgo, name)
    if not isinstance(thing, str):
        assert thing.__doc__


@pytest.mark.parametrize(
    "cls",
    [
        tvmgo.Array,
        tvmgo.ByteArray,
        tvmgo.Device,
        tvmgo.DType,
        tvmgo.Function,
        tvmgo.Module,
        tvmgo.Value,
        tvmgo.graph_executor.GraphModule,
        tvmgo.debug_executor.GraphModuleDebug,
    ],
    ids=lambda cls: cls.__name__,
)
def test_public_members_have_docstrings(cls):
    members = [name for name in vars(cls) if not name.startswith("_")]
    assert [name for name in members if not getattr(cls, name).__doc__] == []


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *ROOT.glob("docs/*.md")]:
        prose = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.DOTALL)
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", prose):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
