# SPDX-License-Identifier: Apache-2.0
"""The three files: what the graph says, and how they come into a directory."""

import dataclasses

import pytest
import tvm
from onnx import helper

import tvmgo
from tests.compiler.models import (
    DOUBLE,
    FLOAT,
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
    reshapes,
    run,
    storage_bytes,
    transformer_block,
)
from tvmgo.compiler import Artifacts, export

pytestmark = pytest.mark.slow


def test_graph_is_well_formed(tmp_path):
    model, _ = transformer_block()
    artifacts = export(model, tmp_path)
    graph = read_graph(artifacts)
    assert set(graph) == {"nodes", "arg_nodes", "heads", "node_row_ptr", "attrs"}
    nodes, rows = graph["nodes"], graph["node_row_ptr"]
    counts = [int(node.get("attrs", {}).get("num_outputs", 1)) for node in nodes]
    assert rows == [sum(counts[:i]) for i in range(len(nodes) + 1)]
    assert graph["arg_nodes"] == [i for i, node in enumerate(nodes) if node["op"] == "null"]
    assert {tag for tag, _ in graph["attrs"].values()} == {"list_shape", "list_str", "list_int"}
    del graph["attrs"]["tvmgo_model_id"]
    assert all(len(values) == rows[-1] for _, values in graph["attrs"].values())
    for number, node in enumerate(nodes):
        assert all(
            source < number and 0 <= index < counts[source] for source, index, _ in node["inputs"]
        )
        if node["op"] == "tvm_op":
            assert all(isinstance(value, str) for value in node["attrs"].values())
            assert node["attrs"]["num_inputs"] == str(len(node["inputs"]))
    kernels = {name for name in functions(graph) if not name.startswith("__")}
    assert all(name.startswith("tvmgen_default_") for name in kernels)
    library = tvmgo.load_module(artifacts.library)
    assert all(name in library for name in kernels)


def test_graph_keeps_input_names_and_gives_output_names(tmp_path):
    names = {"input.1:0": (FLOAT, [2]), "p0": (FLOAT, [2])}
    nodes = [
        helper.make_node("Add", ["input.1:0", "p0"], ["a"]),
        helper.make_node("Mul", ["a", "weight"], ["été"]),
    ]
    model = onnx_model(nodes, names, {"été": (FLOAT, [2])}, {"weight": normal(2)})
    artifacts = export(model, tmp_path)
    graph = read_graph(artifacts)
    inputs = [graph["nodes"][i]["name"] for i in graph["arg_nodes"]]
    assert inputs[:2] == list(names)
    assert len(set(inputs)) == 3  # the parameter found another name than p0
    assert graph["nodes"][graph["heads"][0][0]]["name"] == "été"
    values = {"input.1:0": normal(2), "p0": normal(2)}
    assert_same(run(artifacts, values), onnx_runtime(model, values))


def test_reshapes_share_storage_only_inside_the_graph(tmp_path):
    model, _ = reshapes()
    graph = read_graph(export(model, tmp_path))
    storage, rows = graph["attrs"]["storage_id"][1], graph["node_row_ptr"]
    calls = {
        node["attrs"]["func_name"]: i for i, node in enumerate(graph["nodes"]) if "attrs" in node
    }
    assert functions(graph).count("__nop") == functions(graph).count("__copy") == 1

    def source_of(function):
        ((node, index, _),) = graph["nodes"][calls[function]]["inputs"]
        return node, rows[node] + index

    copied, copied_entry = source_of("__copy")
    assert copied in graph["arg_nodes"]
    assert storage[rows[calls["__copy"]]] != storage[copied_entry]
    viewed, viewed_entry = source_of("__nop")
    assert viewed not in graph["arg_nodes"]
    assert storage[rows[calls["__nop"]]] == storage[viewed_entry]
    assert graph["heads"][0][0] not in (viewed, calls["__nop"])


def test_storage_is_reused_along_a_chain(tmp_path):
    nodes, value = [], "x"
    for i in range(8):
        nodes.append(helper.make_node("MatMul", [value, "w"], [f"v{i}"]))
        value = f"v{i}"
    model = onnx_model(
        nodes, {"x": (FLOAT, [8, 8])}, {value: (FLOAT, [8, 8])}, {"w": normal(8, 8) / 4}
    )
    artifacts = export(model, tmp_path)
    pools, entries = storage_bytes(read_graph(artifacts))
    assert entries == 10 * 256
    assert pools <= 5 * 256  # input, weight, and two or three in turn
    inputs = {"x": normal(8, 8)}
    assert_same(run(artifacts, inputs), onnx_runtime(model, inputs))


def test_export_replaces_files_and_the_old_library_stays_usable(tmp_path):
    first = export(relax_module(DOUBLE.format(dtype="float32", constant=1)), tmp_path)
    inode = first.library.stat().st_ino
    old = open_graph(first)
    second = export(relax_module(DOUBLE.format(dtype="float32", constant=2)), tmp_path)
    assert (
        second
        == first
        == Artifacts(
            *(tmp_path / f"deploy.{end}" for end in ("so", "json", "params")),
            tmp_path / "model.json",
        )
    )
    assert second.library.stat().st_ino != inode
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "deploy.json",
        "deploy.params",
        "deploy.so",
        "model.json",
    ]
    old.set_input("x", X)
    old.run()
    assert_same([old.get_output(0).numpy()], [(X + 1) ** 2])
    assert_same(run(second, {"x": X}), [(X + 2) ** 2])


def test_artifacts_can_get_more_files_later(tmp_path):
    artifacts = export(relax_module(DOUBLE.format(dtype="float32", constant=1)), tmp_path)
    with pytest.raises(TypeError, match="cannot unpack"):
        _library, _graph, _params = artifacts
    with pytest.raises(dataclasses.FrozenInstanceError):
        artifacts.library = tmp_path


@pytest.mark.parametrize(
    "target",
    [
        "llvm",
        "native",
        "llvm -opt-level=2",
        {"kind": "llvm", "fast-math": True},
        tvm.target.Target("llvm"),
    ],
    ids=str,
)
def test_export_for_a_target_runs_here(target, tmp_path):
    artifacts = export(
        relax_module(DOUBLE.format(dtype="float32", constant=1)), tmp_path, target=target
    )
    assert_same(run(artifacts, {"x": X}), [(X + 1) ** 2])


def test_a_library_for_instructions_that_no_processor_of_today_has_is_refused(tmp_path):
    module = relax_module(DOUBLE.format(dtype="float32", constant=1))
    artifacts = export(module, tmp_path, target="llvm -mcpu=bdver4")
    with pytest.raises(tvmgo.TVMError, match="was compiled for processors with (fma4|xop), which"):
        tvmgo.load_module(artifacts.library)


def test_export_prints_nothing(tmp_path, capfd):
    export(mlp()[0], tmp_path)
    assert capfd.readouterr() == ("", "")
