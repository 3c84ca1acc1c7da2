# SPDX-License-Identifier: Apache-2.0
"""The nodes of a graph, as the executor tells them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tvmgo._core.dtype import DType


@dataclass(frozen=True)
class Tensor:
    """What a tensor is like; ``str`` gives ``float32 [1, 3]``."""

    shape: tuple[int, ...]
    dtype: DType

    @property
    def bytes(self) -> int:
        size = self.dtype.itemsize
        for n in self.shape:
            size *= n
        return size

    def __str__(self) -> str:
        return f"{self.dtype} [{', '.join(map(str, self.shape))}]"


def tensors_of(described: Iterable[Any]) -> tuple[Tensor, ...]:
    return tuple(Tensor(tuple(shape), DType(dtype)) for shape, dtype in described)


@dataclass(frozen=True)
class Node:
    """An operator, or an input or parameter.

    Attributes
    ----------
    name : str
        Not unique.
    function : str
        The kernel; empty for an input or parameter.
    inputs : tuple of (int, int)
        By whom they are written: place in the list of nodes, and which output of that.
    outputs : tuple of Tensor
    """

    name: str
    function: str
    inputs: tuple[tuple[int, int], ...]
    outputs: tuple[Tensor, ...]


def nodes_of(described: Iterable[Any]) -> list[Node]:
    """Return what ``strict.describe_nodes`` of an executor tells."""
    return [
        Node(name, function, tuple((node, output) for node, output in inputs), tensors_of(outputs))
        for name, function, inputs, outputs in described
    ]


def inputs_of(nodes: list[Node], node: Node) -> tuple[Tensor, ...]:
    """Return what a node's inputs are like."""
    return tuple(nodes[place].outputs[output] for place, output in node.inputs)
