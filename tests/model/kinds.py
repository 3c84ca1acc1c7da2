# SPDX-License-Identifier: Apache-2.0
"""A small model of each kind that `Model` loads, with requests whose answers are known exactly."""

import json
from pathlib import Path

import numpy as np

from tests.blobs import LIBRARY, import_tree, module_blob, params_blob
from tests.classic.models import FACTORY, GRAPH, PARAMS
from tests.graphs import document, op, var
from tests.libraries import compile_library, compile_with_blob

KINDS = ("graph", "batched", "classic", "factory", "vm")
KERNELS = Path(__file__).parents[1] / "kernels" / "parallel.c"
CLASSIC = Path(__file__).parents[1] / "classic" / "sources" / "embedded.c"
SIZE, COLUMNS = 4096, 3
K = np.arange(SIZE, dtype="float32")


def save(kind, folder):
    """Write a model into a new folder."""
    folder.mkdir()
    if kind == "vm":
        save_vm(folder)
    elif kind == "factory":
        compile_with_blob(CLASSIC, FACTORY, folder / "deploy.so")
        (folder / "deploy.inc").unlink()
    elif kind == "classic":
        alone = module_blob(LIBRARY, import_tree([0, 0], []))
        compile_with_blob(CLASSIC, alone, folder / "deploy.so")
        (folder / "deploy.inc").unlink()
        (folder / "deploy.json").write_text(GRAPH)
        (folder / "deploy.params").write_bytes(params_blob([("k0", PARAMS["k0"])]))
    else:
        compile_library(KERNELS, folder / "deploy.so")
        if kind == "graph":
            nodes = [var("x", (SIZE,)), var("k", (SIZE,)), parallel_sum("k", (SIZE,))]
            (folder / "deploy.json").write_text(json.dumps(document(nodes, ["y"])))
            (folder / "deploy.params").write_bytes(params_blob([("k", K)]))
        else:
            save_sizes(folder, nodes_of_size, COLUMNS)
    return folder


def parallel_sum(other, shape):
    return op("add_floats", ["x", other], shape, name="y", prefix="")


def nodes_of_size(rows):
    return [var("x", (rows, COLUMNS)), parallel_sum("x", (rows, COLUMNS))]


def save_sizes(folder, nodes, columns, sizes=(1, 4, 8), independent=True):
    """Write graphs of ``nodes(rows)``, x to y, beside a library, and their manifest."""
    (folder / "deploy.params").write_bytes(params_blob([]))
    for rows in sizes:
        (folder / f"deploy_{rows}.json").write_text(json.dumps(document(nodes(rows), ["y"])))
    tensor = {"shape": ["batch", columns], "dtype": "float32"}
    manifest = {
        "format": 1,
        "model_id": 1,
        "inputs": [{"name": "x", **tensor}],
        "outputs": [{"name": "y", **tensor}],
        "rows_independent": independent,
        "sizes": [
            {"batch": rows, "library": "deploy.so", "graph": f"deploy_{rows}.json"}
            for rows in sizes
        ],
        "params": "deploy.params",
        "files": {},
        "made": {},
    }
    (folder / "model.json").write_text(json.dumps(manifest))


def save_vm(folder):
    """Export y = max(x, 0) + x for any number of rows to the virtual machine."""
    from onnx import TensorProto, helper

    from tvmgo.compiler import export

    nodes = [helper.make_node("Relu", ["x"], ["r"]), helper.make_node("Add", ["r", "x"], ["y"])]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", COLUMNS]) for name in "xy")
    graph = helper.make_graph(nodes, "life", [x], [y])
    opset = [helper.make_opsetid("", 17)]
    export(helper.make_model(graph, opset_imports=opset, ir_version=8), folder, format="vm")


def request(kind, number):
    """Return the input x of a request, other ones for other numbers up to 2**20, and its answer y."""
    if kind == "graph":
        x = np.full(SIZE, number, "float32")
        return x, x + K
    if kind in ("classic", "factory"):
        x = np.array([number % 1024, number // 1024], "float32")
        return x, (x + PARAMS["k0"]) ** 2
    x = np.full((1 + number % 11, COLUMNS), number, "float32")
    return x, x + x
