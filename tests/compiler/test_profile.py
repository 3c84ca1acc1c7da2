# SPDX-License-Identifier: Apache-2.0
"""Profiles of exported models: what the export knew of kernels, and what the machine calls."""

import json
import re

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.compiler.models import normal, onnx_model
from tests.compiler.vm_models import branch
from tvmgo import Model
from tvmgo.compiler import export

pytestmark = pytest.mark.slow

FLOAT = TensorProto.FLOAT
X = np.ones((3, 8), "float32")


def two_layers(rows):
    return onnx_model(
        [
            helper.make_node("MatMul", ["x", "w"], ["h"]),
            helper.make_node("Softmax", ["h"], ["y"], axis=1),
        ],
        {"x": (FLOAT, [rows, 8])},
        {"y": (FLOAT, [rows, 16])},
        {"w": normal(8, 16)},
    )


def test_templates_are_the_reports(tmp_path):
    artifacts = export(two_layers("rows"), tmp_path, batch=(1, 4))
    reported = {kernel.name: kernel for kernel in artifacts.report.kernels}
    with Model.load(tmp_path) as model, model.profile() as profile:
        for rows in (1, 4, 4):
            model(np.ones((rows, 8), "float32"))
    assert {(op.batch, op.calls) for op in profile.operators} == {(1, 1), (4, 2)}
    ones = [operator for operator in profile.operators if operator.batch == 1]
    assert len(ones) == len(reported) == 2
    for operator in ones:
        kernel = reported[operator.kernel.removeprefix("tvmgen_default_")]
        assert (operator.template, operator.bound) == (kernel.template, kernel.bound)
        assert operator.operations == (kernel.operations or None)
        assert operator.bytes == kernel.bytes
    [product] = [op for op in profile.operators if op.batch == 4 and op.template == "product"]
    assert product.operations == 2 * 4 * 8 * 16
    document = json.loads(artifacts.manifest.read_text())
    assert [len(size["kernels"]) for size in document["sizes"]] == [2, 2]


def test_every_call_of_the_virtual_machine(tmp_path):
    export(two_layers("rows"), tmp_path, format="vm")
    with Model.load(tmp_path) as model:
        before = model(X)
        with model.profile() as profile:
            binding = model.bind({"x": X})
            for _ in range(2):
                model(X)
                binding.run()
            model.submit({"x": X}).result()
            model(X[:1])
        assert np.array_equal(model(X), before)
        assert "vm.builtin" not in model.dot()
    assert profile.runs == 6
    kernels = {(op.name, op.inputs): op for op in profile.operators if "matmul" in op.name}
    shapes = sorted((inputs, op.calls, op.bytes) for (_, inputs), op in kernels.items())
    weights = "float32 [8, 16]"
    assert shapes == [
        (("float32 [1, 8]", weights, "float32 [1, 16]"), 1, 4 * (8 + 128 + 16)),
        (("float32 [3, 8]", weights, "float32 [3, 16]"), 5, 4 * (24 + 128 + 48)),
    ]
    builtins = [op for op in profile.operators if op.name.startswith("vm.builtin.")]
    assert builtins and {op.template for op in builtins} == {"virtual machine"}
    assert sum(op.seconds for op in profile.operators) <= profile.seconds
    profile.write_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert sum("matmul" in event["name"] for event in events) == 6
    assert sum(event["name"] == "run" for event in events) == 6


def test_time_of_a_branch_is_counted_once(tmp_path):
    """A function of the machine's that calls kernels has only the rest for itself."""
    then = branch("then", [helper.make_node("Add", ["x", "x"], ["t"])], ["t"])
    other = branch("else", [helper.make_node("Mul", ["x", "x"], ["e"])], ["e"])
    model = onnx_model(
        [helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other)],
        {"c": (TensorProto.BOOL, []), "x": (FLOAT, ["n", 8])},
        {"y": (FLOAT, ["n", 8])},
    )
    export(model, tmp_path, format="vm")
    with Model.load(tmp_path) as model, model.profile() as profile:
        assert np.array_equal(model(np.array(True), X * 3), X * 6)
        assert np.array_equal(model(np.array(False), X * 3), X * 9)
    assert profile.runs == 2
    profile.write_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    spans = [
        (event["ts"], event["ts"] + event["dur"])
        for event in events
        if event.get("cat") == "operator"
    ]
    outer = [
        (start, end)
        for start, end in spans
        if not any(a <= start and end <= b and (a, b) != (start, end) for a, b in spans)
    ]
    assert len(outer) < len(spans)
    spent = sum(op.seconds for op in profile.operators)
    assert spent == pytest.approx(sum(end - start for start, end in outer) / 1e6)
    called = " ".join(op.name for op in profile.operators)
    assert "add" in called and "mul" in called


def test_graph_of_a_program_with_branches_and_tuples(tmp_path):
    then = branch("then", [helper.make_node("Add", ["x", "x"], ["t"])], ["t"])
    other = branch("else", [helper.make_node("Mul", ["x", "x"], ["e"])], ["e"])
    nodes = [
        helper.make_node("If", ["c"], ["h"], then_branch=then, else_branch=other),
        helper.make_node("NonZero", ["h"], ["p"]),
        helper.make_node("Exp", ["h"], ["y"]),
    ]
    inputs = {"c": (TensorProto.BOOL, []), "x": (FLOAT, ["n", 8])}
    outputs = {"y": (FLOAT, ["n", 8]), "p": (TensorProto.INT64, [2, "m"])}
    export(onnx_model(nodes, inputs, outputs), tmp_path, format="vm")
    with Model.load(tmp_path) as model:
        bare = edges_of(model.dot())
        with model.profile() as profile:
            model(np.array(True), X)
            model(np.array(True), X)
        timed = model.dot()
        with pytest.raises(ValueError, match="has one graph"):
            model.dot(batch=2)
    assert edges_of(timed).keys() == bare.keys() and len(profile.operators) > 4
    into = {target: sources for target, sources in bare.items() if len(sources) == 2}
    nonzero, exp = sorted(into)  # of either side of the branch
    assert nonzero == "relax.run.nonzero" and "exp" in exp
    assert into[exp] == into[nonzero]
    for side in into[exp]:
        assert bare[side] == {"x"}
    assert (bare["y"], bare["p"]) == ({exp}, {nonzero})
    labels = re.findall(r'label="([^"]*)"', timed)
    assert sum(" us, " in label for label in labels) == 4  # the other side has not run


def edges_of(dot):
    """Return by first line of a node's label those of its sources."""
    name = dict(re.findall(r'^  (\w+) \[label="([^"\\ ]*)', dot, re.MULTILINE))
    edges = {}
    for source, target in re.findall(r"(\w+) -> (\w+)", dot):
        edges.setdefault(name[target], set()).add(name[source])
    return edges
