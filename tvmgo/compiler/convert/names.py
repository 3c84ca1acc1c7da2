# SPDX-License-Identifier: Apache-2.0
"""Names of a converted model's inputs and outputs, as the framework's user knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def rename(model: Any, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Give inputs and outputs of an ONNX model other names, and outputs the order in which they are given.

    Other values that have such a name get another one.
    """
    graph = model.graph
    new = {**inputs, **outputs}
    own = {name for node in graph.node for name in (*node.input, *node.output)}
    own |= {each.name for each in graph.initializer}
    for name in (own & {*new.values()}) - {*new}:
        new[name] = f"{name}_inside"
    for node in graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        value.name = new.get(value.name, value.name)
    order = [*outputs.values()]
    ordered = sorted(graph.output, key=lambda each: order.index(each.name))
    copies = [type(each).FromString(each.SerializeToString()) for each in ordered]
    del graph.output[:]
    graph.output.extend(copies)


def numbered(count: int) -> Sequence[str]:
    """Return names for outputs that have none."""
    return ["output"] if count == 1 else [f"output_{i}" for i in range(count)]
