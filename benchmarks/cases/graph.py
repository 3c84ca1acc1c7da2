# SPDX-License-Identifier: Apache-2.0
"""A graph of many small operators: what one costs when the executor runs it."""

from __future__ import annotations

import json
from functools import partial

import numpy as np

import tvmgo
from benchmarks import native
from benchmarks.bindings import TVMGO, floats
from benchmarks.case import Case, Figure, Group, Target, Timed, constant, equals

OPERATOR = Group(
    "One operator in a graph",
    "What does an operator cost in a chain of so many that add four floats each, the addition "
    "and its share of the call of `run` included?",
    "The same operator in a library with the calling convention of TVM 0.7 to 0.20; the same "
    "kernel called through its address, in a loop written in C. TVM's own C++ executor took 14 ns "
    "for such an operator on a comparable machine.",
)
OPERATOR_CHECKED = Group(
    "One operator that checks its arguments",
    "What does it cost if the kernel makes the checks that TVM compiles into functions?",
    "The same as above. TVM's own C++ executor took 18 ns for such an operator on a comparable "
    "machine.",
)
LOOP = 10_000  # additions in the loop written in C


def chain_json(function: str, length: int) -> str:
    """Return a graph that applies `function` (x, x, out) to its own result `length` times."""
    nodes = [{"op": "null", "name": "x", "inputs": []}]
    attrs = {"func_name": function, "num_inputs": "2", "num_outputs": "1", "flatten_data": "0"}
    nodes += [
        {"op": "tvm_op", "name": f"op{i}", "inputs": [[i, 0, 0], [i, 0, 0]], "attrs": attrs}
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


def run_chain(library: str, chain: tuple[str, int]) -> Timed:
    """The executor's `run` for a chain of operators that add."""
    function, length = chain
    module = tvmgo.load_module(native.library(library))
    graph = tvmgo.graph_executor.create(chain_json(function, length), module, tvmgo.cpu(0))
    graph.set_input("x", np.zeros(4, np.float32))
    return Timed(graph["run"], equals(None), length)


def c_loop(chain: tuple[str, int]) -> Timed:
    a, b, c = (TVMGO.array(floats(value)) for value in (1, 2, 0))
    repeat = TVMGO.function(f"repeat_{chain[0]}")
    return Timed(partial(repeat, a, b, c, LOOP), lambda _answer: (c.as_slice() == 3).all(), LOOP)


def chain_case(group: Group, function: str, length: int) -> Case:
    overhead = Figure("tvmgo - C loop", lambda costs: costs["tvmgo"] - costs["C loop"])
    return Case(
        group,
        f"chain of {length:,}",
        lambda: (function, length),
        {
            "tvmgo": partial(run_chain, "kernels"),
            "classic kernels": partial(run_chain, "classic_kernels"),
            "C loop": c_loop,
        },
        (Target(overhead, "<=", constant(10), "ns"),) if length == 1000 else (),
    )


CASES = (
    *(chain_case(OPERATOR, "add4", length) for length in (1, 10, 100, 1000, 10_000)),
    chain_case(OPERATOR_CHECKED, "add4_checked", 1000),
)
