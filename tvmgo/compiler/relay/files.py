# SPDX-License-Identifier: Apache-2.0
"""What Relay has compiled, as the three files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tvm.contrib import cc

from tvmgo.compiler.errors import NEED_COMPILER
from tvmgo.compiler.graph.file_names import graph_files
from tvmgo.compiler.graph.model_id import MODEL_ID, classic_library_source, halves, model_id
from tvmgo.compiler.graph.params import write_params
from tvmgo.compiler.relay.failures import as_export_error


def write_files(
    factory: Any, directory: Path, inputs: int, linker: Sequence[str], features: Iterable[str]
) -> int:
    """Write ``deploy.so``, ``deploy.json`` and ``deploy.params``, with one number in all of them.

    Parameters
    ----------
    factory : tvm.relay.backend.executor_factory.GraphExecutorFactoryModule
    directory : pathlib.Path
        Where the files go.
    inputs : int
        How many inputs the model has.
    linker : sequence of str
        A C++ compiler, and its options.
    features : iterable of str
        What the kernels need of a processor, as LLVM calls it.

    Returns
    -------
    int
        That number.
    """
    graph = json.loads(factory.get_graph_json())
    params = name_params(graph, factory.get_params(), inputs)
    text = write_graph(graph)
    command, *options = linker
    library, graph_file, params_file = graph_files(directory)
    number = 0

    def link(target: str, objects: list[str], **_: Any) -> None:
        nonlocal number
        number = model_id(text, params, (Path(name).read_bytes() for name in objects))
        source = Path(objects[0]).with_name("model_id.c")
        source.write_text(classic_library_source(number, features), encoding="ascii")
        cc.create_shared(target, [*objects, str(source)], options, cc=command)

    with as_export_error(f"linking deploy.so with {command}", instead=NEED_COMPILER):
        factory.get_lib().export_library(str(library), fcompile=link)
    graph["attrs"][MODEL_ID] = ["list_int", halves(number)]
    graph_file.write_text(write_graph(graph), encoding="utf-8")
    with params_file.open("wb") as file:
        write_params(file.write, {**params, MODEL_ID: np.array(number, "int64")})
    return number


def write_graph(graph: Mapping[str, Any]) -> str:
    return json.dumps(graph, indent=1, ensure_ascii=False)  # TVM's executors read no \u escapes


def name_params(
    graph: dict[str, Any], params: Mapping[str, Any], inputs: int
) -> dict[str, np.ndarray]:
    """Give parameters names that no input has, in the graph too; return them in its order.

    TVM calls them p0, p1 and so on, whatever the inputs are called, which come first.
    """
    nodes = [graph["nodes"][index] for index in graph["arg_nodes"]]
    taken = {node["name"] for node in nodes[:inputs]}
    named: dict[str, np.ndarray] = {}
    for node in nodes[inputs:]:
        value = params[node["name"]]
        while node["name"] in taken:
            node["name"] += "_"
        taken.add(node["name"])
        named[node["name"]] = value.numpy()
    return named
