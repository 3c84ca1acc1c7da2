# SPDX-License-Identifier: Apache-2.0
"""The graph as text, ``deploy.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tvmgo.compiler.graph.element_types import CPU_DEVICE_TYPE
from tvmgo.compiler.graph.model_id import MODEL_ID, halves
from tvmgo.compiler.graph.nodes import Entry, Graph, Node

PLACE = "tvmgo_place"  # a list of integers, as executors of TVM skip nothing else


def graph_to_json(
    graph: Graph,
    storage: Mapping[Entry, int],
    places: Mapping[Entry, int] | None = None,
    model_id: int | None = None,
    device_type: int = CPU_DEVICE_TYPE,
) -> str:
    """Write a graph as the executor reads it.

    Parameters
    ----------
    graph : Graph
    storage : mapping of Entry to int
        The storage id of every entry, as `plan_storage` gives it.
    places : mapping of Entry to int, optional
        Where values lie in one block of memory, as `plan_places` gives it; executors of TVM go by
        the storage ids.
    model_id : int, optional
        The number of the export, see `model_id`; left out when it is not known yet.
    device_type : int, optional
        DLPack's number of the kind of device on which everything lies.

    Returns
    -------
    str
        The text of ``deploy.json``.
    """
    number = {node: position for position, node in enumerate(graph.nodes)}
    entries = [entry for node in graph.nodes for entry in node.entries()]
    row_pointers = [0]
    for node in graph.nodes:
        row_pointers.append(row_pointers[-1] + len(node.outputs))

    def refer(entry: Entry) -> list[int]:
        return [number[entry.node], entry.index, 0]

    def describe(node: Node) -> dict[str, Any]:
        inputs = [refer(entry) for entry in node.inputs]
        if node.is_placeholder:
            return {"op": "null", "name": node.name, "inputs": inputs}
        attributes = {
            "func_name": node.function,
            "num_inputs": str(len(node.inputs)),
            "num_outputs": str(len(node.outputs)),
            "flatten_data": "0",
        }
        return {"op": "tvm_op", "name": node.name, "attrs": attributes, "inputs": inputs}

    attrs: dict[str, list[Any]] = {
        "shape": ["list_shape", [list(entry.spec.shape) for entry in entries]],
        "dltype": ["list_str", [entry.spec.dtype for entry in entries]],
        "storage_id": ["list_int", [storage[entry] for entry in entries]],
        "device_index": ["list_int", [device_type] * len(entries)],
    }
    if places:
        attrs[PLACE] = ["list_int", [places.get(entry, -1) for entry in entries]]
    if model_id is not None:
        attrs[MODEL_ID] = ["list_int", halves(model_id)]
    return json.dumps(
        {
            "nodes": [describe(node) for node in graph.nodes],
            "arg_nodes": [number[node] for node in graph.nodes if node.is_placeholder],
            "heads": [refer(entry) for entry in graph.heads],
            "node_row_ptr": row_pointers,
            "attrs": attrs,
        },
        indent=1,
        ensure_ascii=False,  # the executors of TVM read no \u escapes
    )
