# SPDX-License-Identifier: Apache-2.0
"""The graph: nodes, the entries between them, and their JSON form.

A node has inputs and outputs; an *entry* is one output of one node. Placeholders (the model's
inputs and its parameters) have no inputs; every other node calls one kernel, which receives the
input entries and then the output entries. Nodes stand in the order in which they run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

# Functions the executor knows by itself: the same storage under another shape, and a byte copy.
RESHAPE_IN_PLACE = "__nop"
COPY = "__copy"

KERNEL_PREFIX = "tvmgen_default_"

CPU_DEVICE_TYPE = 1  # DLDeviceType kDLCPU


class ElementType(NamedTuple):
    """DLPack's type code and the bytes of one element."""

    code: int
    nbytes: int


# Every element type a graph can name. Types that share bytes (int4) have no place in it.
ELEMENT_TYPES = {
    "bool": ElementType(6, 1),
    **{f"int{bits}": ElementType(0, bits // 8) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": ElementType(1, bits // 8) for bits in (8, 16, 32, 64)},
    **{f"float{bits}": ElementType(2, bits // 8) for bits in (16, 32, 64)},
    "bfloat16": ElementType(4, 2),
    "float8_e3m4": ElementType(7, 1),
    "float8_e4m3": ElementType(8, 1),
    "float8_e4m3b11fnuz": ElementType(9, 1),
    "float8_e4m3fn": ElementType(10, 1),
    "float8_e4m3fnuz": ElementType(11, 1),
    "float8_e5m2": ElementType(12, 1),
    "float8_e5m2fnuz": ElementType(13, 1),
    "float8_e8m0fnu": ElementType(14, 1),
}


class TensorSpec(NamedTuple):
    """Shape and element type of one entry."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * ELEMENT_TYPES[self.dtype].nbytes


@dataclass(eq=False)  # nodes are told apart by identity
class Node:
    """A placeholder, or a call of `function` when that is not None."""

    name: str
    outputs: list[TensorSpec]
    inputs: list[Entry] = field(default_factory=list)
    function: str | None = None

    @property
    def is_placeholder(self) -> bool:
        return self.function is None

    def entries(self) -> list[Entry]:
        return [Entry(self, index) for index in range(len(self.outputs))]


@dataclass(frozen=True)
class Entry:
    """Output `index` of `node`."""

    node: Node
    index: int

    @property
    def spec(self) -> TensorSpec:
        return self.node.outputs[self.index]


@dataclass
class Graph:
    """A whole model: nodes in running order, outputs, and the values of its parameters."""

    nodes: list[Node]
    heads: list[Entry]
    params: dict[str, np.ndarray]

    def to_json(self, storage: Mapping[Entry, int]) -> str:
        """Write the graph as the executor reads it.

        Parameters
        ----------
        storage : mapping of Entry to int
            The storage id of every entry, as `plan_storage` gives it.

        Returns
        -------
        str
            The text of ``deploy.json``.
        """
        number = {node: position for position, node in enumerate(self.nodes)}
        entries = [entry for node in self.nodes for entry in node.entries()]
        row_pointers = [0]
        for node in self.nodes:
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

        return json.dumps(
            {
                "nodes": [describe(node) for node in self.nodes],
                "arg_nodes": [number[node] for node in self.nodes if node.is_placeholder],
                "heads": [refer(entry) for entry in self.heads],
                "node_row_ptr": row_pointers,
                "attrs": {
                    "shape": ["list_shape", [list(entry.spec.shape) for entry in entries]],
                    "dltype": ["list_str", [entry.spec.dtype for entry in entries]],
                    "storage_id": ["list_int", [storage[entry] for entry in entries]],
                    "device_index": ["list_int", [CPU_DEVICE_TYPE] * len(entries)],
                },
            },
            indent=1,
            ensure_ascii=False,  # the executors of TVM read no \u escapes
        )
