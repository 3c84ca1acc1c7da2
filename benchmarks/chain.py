# SPDX-License-Identifier: Apache-2.0
"""A graph of many small operators: what one costs when the executor runs it."""
import json
import time

import numpy as np

import tvmgo

LENGTH = 1000       # operators
REPEATS = 20        # runs in one reading


def graph_json(function: str) -> str:
    """Return a graph that applies `function` (x, x, out) to its own result again and again."""
    nodes = [{"op": "null", "name": "x", "inputs": []}]
    nodes += [{"op": "tvm_op", "name": f"op{i}", "inputs": [[i, 0, 0], [i, 0, 0]],
               "attrs": {"func_name": function, "num_inputs": "2", "num_outputs": "1",
                         "flatten_data": "0"}} for i in range(LENGTH)]
    entries = LENGTH + 1
    return json.dumps({
        "nodes": nodes, "arg_nodes": [0], "heads": [[LENGTH, 0, 0]],
        "node_row_ptr": list(range(entries + 1)),
        "attrs": {"shape": ["list_shape", [[4]] * entries],
                  "dltype": ["list_str", ["float32"] * entries],
                  # Two tensors in turn, as the memory planner would have it.
                  "storage_id": ["list_int", [0] + [1 + i % 2 for i in range(LENGTH)]]}})


def nanoseconds_per_operator(library: str, function: str):
    """Return a function that runs the chain and returns the time of one operator.

    The kernel's own work, four float32 additions, is in the figure.
    """
    module = tvmgo.load_module(library)
    graph = tvmgo.graph_executor.create(graph_json(function), module, tvmgo.cpu(0))
    graph.set_input("x", np.zeros(4, np.float32))
    run = graph["run"]

    def measure() -> float:
        start = time.perf_counter_ns()
        for _ in range(REPEATS):
            run()
        return (time.perf_counter_ns() - start) / (REPEATS * LENGTH)

    return measure
