# SPDX-License-Identifier: Apache-2.0
"""What the files of a model tell of it while nothing of it is opened or run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tvmgo._core.bytearray import ByteArray
from tvmgo._core.dtype import DType
from tvmgo._core.registry import get_global_function
from tvmgo.exceptions import TVMError, TVMValueError
from tvmgo.model.engines.graph import unique
from tvmgo.model.files.manifest import tensor_to_json
from tvmgo.model.files.model_files import ModelFiles, Pathlike, find_files
from tvmgo.model.files.parts import FileChangedError, FilePart, again_if_replaced
from tvmgo.model.model import Model
from tvmgo.model.tensor_info import TensorInfo

MODEL_ID = "tvmgo_model_id"  # see cxx/graph/model_id.h

MALFORMED = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    RecursionError,
    TVMError,
)

_parse_params = get_global_function("tvmgo.parse_params")


@dataclass(frozen=True)
class Graph:
    """What a graph file says.

    Attributes
    ----------
    arguments : tuple of TensorInfo
        Inputs, and parameters too.
    outputs : tuple of TensorInfo
    functions : frozenset of str
        The kernels it calls.
    model_id : int or None
        The number of its export.
    """

    arguments: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    functions: frozenset[str]
    model_id: int | None


def read_graph(file: FilePart) -> Graph:
    """Read a graph file.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        return graph_of(json.loads(file.read_text(encoding="utf-8")))
    except FileChangedError:
        raise
    except MALFORMED as error:
        raise TVMValueError(f"{file}: not a graph of TVM: {error!r:.80}") from None


def graph_of(document: Mapping[str, Any]) -> Graph:
    nodes, attrs, rows = document["nodes"], document["attrs"], document["node_row_ptr"]
    shapes, dtypes = attrs["shape"][1], attrs["dltype"][1]

    def info(name: str, node: int, index: int = 0) -> TensorInfo:
        entry = rows[node] + index
        return TensorInfo(name, tuple(map(int, shapes[entry])), DType(dtypes[entry]))

    heads = [(head[0], head[1]) for head in document["heads"]]
    names = unique([nodes[node]["name"] for node, _ in heads], [index for _, index in heads])
    halves = attrs[MODEL_ID][1] if MODEL_ID in attrs else None
    return Graph(
        arguments=tuple(info(nodes[node]["name"], node) for node in document["arg_nodes"]),
        outputs=tuple(info(name, *head) for name, head in zip(names, heads)),
        functions=frozenset(node["attrs"]["func_name"] for node in nodes if node["op"] == "tvm_op"),
        model_id=None if halves is None else halves[0] << 31 | halves[1],
    )


def read_params(file: FilePart | None) -> dict[str, Any]:
    """Return a file's parameters by name.

    Raises
    ------
    ValueError
        If the file is none of parameters, or is cut short.
    """
    try:
        return dict(_parse_params(ByteArray(file.read_bytes()))) if file else {}
    except FileChangedError:
        raise
    except TVMError as error:
        raise TVMValueError(f"{file}: {error}") from None


def inputs_and_outputs(
    files: ModelFiles, graph: Graph | None, params: Mapping[str, Any]
) -> tuple[Sequence[TensorInfo], Sequence[TensorInfo]] | None:
    """Return both, from the manifest or the graph; None where only the library itself knows."""
    if files.manifest is not None:
        return files.manifest.inputs, files.manifest.outputs
    if graph is None:
        return None
    return [info for info in graph.arguments if info.name not in params], graph.outputs


@again_if_replaced
def describe(path: Pathlike) -> dict[str, Any]:
    """Return what there is to tell of a model, as a document for JSON.

    Only a library that has its graph inside, and no ``model.json`` beside it, is opened.

    Raises
    ------
    TVMError
        If the files are missing, or not those of one model.
    """
    files = find_files(path, None, None, None)
    first, manifest = files.sizes[0], files.manifest
    graph = read_graph(first.graph) if first.graph else None
    params = read_params(files.params)
    params.pop(MODEL_ID, None)
    known = inputs_and_outputs(files, graph, params)
    parameters = None  # not known where they are in the library
    if graph is not None:
        sizes = [each.nbytes for each in params.values()]
        parameters = {"tensors": len(sizes), "bytes": sum(sizes)}
    if known is None:
        with Model.load(path, concurrency=1) as model:
            known = model.inputs, model.outputs
            size = model.memory()["parameters"]
            parameters = {"bytes": size} if size else None
    inputs, outputs = known
    return {
        "path": files.place,
        "inputs": [tensor_to_json(info) for info in inputs],
        "outputs": [tensor_to_json(info) for info in outputs],
        "batch_sizes": [size.batch for size in files.sizes if size.batch is not None],
        "rows_independent": manifest is not None and manifest.rows_independent,
        "kernels": None if graph is None else len(graph.functions),
        "parameters": parameters,
        "files": [{"name": part.name, "bytes": part.size} for part in files.parts],
        "model_id": None if manifest is None else f"{manifest.model_id:#018x}",
        "made": dict(manifest.made) if manifest else {},
    }
