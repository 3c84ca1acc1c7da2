# SPDX-License-Identifier: Apache-2.0
"""The graph: nodes, and the entries between them.

A node has inputs and outputs; an *entry* is one output of one node. Placeholders (the model's
inputs and its parameters) have no inputs; every other node calls one kernel, which receives the
input entries and then the output entries. Nodes stand in the order in which they run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from tvmgo.compiler.graph.element_types import ELEMENT_TYPES

# Functions the executor knows by itself: the same storage under another shape, and a byte copy.
RESHAPE_IN_PLACE = "__nop"
COPY = "__copy"

KERNEL_PREFIX = "tvmgen_default_"


class TensorSpec(NamedTuple):
    """Shape and element type of one entry."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * ELEMENT_TYPES[self.dtype].nbytes


@dataclass(eq=False)  # nodes are told apart by identity
class Node:
    """A placeholder, or a call of `function` when that is not None.

    `in_place` are the numbers of inputs in whose memory its only output may be put; `extends` is the
    one in whose memory it must be, as the kernel only adds to what is there.
    """

    name: str
    outputs: list[TensorSpec]
    inputs: list[Entry] = field(default_factory=list)
    function: str | None = None
    in_place: tuple[int, ...] = ()
    extends: int | None = None

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
