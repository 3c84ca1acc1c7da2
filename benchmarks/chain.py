# SPDX-License-Identifier: Apache-2.0
"""A graph of many small operators: what one costs when the executor runs it."""

import json

import numpy as np

import tvmgo


def graph_json(function: str, length: int) -> str:
    """Return a graph that applies `function` (x, x, out) to its own result `length` times."""
    nodes = [{"op": "null", "name": "x", "inputs": []}]
    nodes += [
        {
            "op": "tvm_op",
            "name": f"op{i}",
            "inputs": [[i, 0, 0], [i, 0, 0]],
            "attrs": {
                "func_name": function,
                "num_inputs": "2",
                "num_outputs": "1",
                "flatten_data": "0",
            },
        }
        for i in range(length)
    ]
    entries = length + 1
    return json.dumps(
        {
            "nodes": nodes,
            "arg_nodes": [0],
            "heads": [[length, 0, 0]],
            "node_row_ptr": list(range(entries + 1)),
            "attrs": {
                "shape": ["list_shape", [[4]] * entries],
                "dltype": ["list_str", ["float32"] * entries],
                # Two tensors in turn, as the memory planner would have it.
                "storage_id": ["list_int", [0] + [1 + i % 2 for i in range(length)]],
            },
        }
    )


def runner(library: str, function: str, length: int):
    """Return the executor's `run` for a chain of operators that add four zeros."""
    module = tvmgo.load_module(library)
    graph = tvmgo.graph_executor.create(graph_json(function, length), module, tvmgo.cpu(0))
    graph.set_input("x", np.zeros(4, np.float32))
    return graph["run"]
