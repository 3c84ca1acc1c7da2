# SPDX-License-Identifier: Apache-2.0
"""Rewriting an ONNX graph node by node, with what is known of its values at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tvmgo.exceptions import ExportError


class Node:
    """A node as a rewrite reads it: inputs None where they are left out, attributes as values."""

    def __init__(self, proto: Any, since: int) -> None:
        self.proto = proto
        self.since = since  # the version of the operator, not of the model
        self.operator: str = proto.op_type
        self.outputs: list[str] = list(proto.output)
        self.attributes: dict[str, Any] = {
            each.name: helper.get_attribute_value(each) for each in proto.attribute
        }
        self._inputs: list[str] = list(proto.input)

    def input(self, index: int) -> str | None:
        return (self._inputs[index] or None) if index < len(self._inputs) else None

    @property
    def inputs(self) -> list[str]:
        return list(self._inputs)

    def set_inputs(self, names: Sequence[str | None]) -> None:
        self._inputs = [name or "" for name in names]

    def has_output(self, index: int) -> bool:
        return index < len(self.outputs) and bool(self.outputs[index])

    @property
    def place(self) -> str:
        name = self.proto.name
        return f"node `{name}`, operator {self.operator}" if name else f"operator {self.operator}"

    def refuse(self, reason: str, instead: str = "rewrite the operator") -> ExportError:
        return ExportError(self.place, reason, instead)


class GraphEditor:
    """Adds nodes and constants to a graph that is being rewritten.

    Knows the constants and, where inference found them, element types and shapes.
    """

    def __init__(self, graph: Any, outer: GraphEditor | None = None) -> None:
        self.nodes: list[Any] = []
        self._graph = graph
        self._outer = outer
        self._makers: dict[str, Any] = {}
        self._known_makers = 0  # of how many nodes
        self._constants = {each.name: each for each in graph.initializer}
        self._types = {
            each.name: each.type.tensor_type
            for each in (*graph.value_info, *graph.input, *graph.output)
            if each.type.HasField("tensor_type")
        }
        for tensor in graph.initializer:
            self._types[tensor.name] = type_of(tensor)
        # Names of all graphs of the model: one set.
        self._taken: set[str] = outer._taken if outer else names_in(graph)

    def new_name(self, hint: str) -> str:
        number = len(self._taken)
        while (name := f"{hint}_{number}") in self._taken:
            number += 1
        self._taken.add(name)
        return name

    def constant(self, name: str | None) -> np.ndarray | None:
        """Return the value of a constant, or None if it is none."""
        if name is None:
            return None
        if name in self._constants:
            return np.array(numpy_helper.to_array(self._constants[name]))
        return self._outer.constant(name) if self._outer else None

    def has_constant(self, name: str) -> bool:
        return name in self._constants or bool(self._outer and self._outer.has_constant(name))

    def maker(self, name: str | None) -> Any:
        """Return the node before this place in the graph that makes a value; None if none does."""
        for node in self.nodes[self._known_makers :]:
            self._makers.update(dict.fromkeys(node.output, node))
        self._known_makers = len(self.nodes)
        return self._makers.get(name or "")

    def need_constant(self, node: Node, index: int, what: str) -> np.ndarray:
        value = self.constant(node.input(index))
        if value is None:
            raise node.refuse(
                f"its {what} is computed while the model runs", "give a constant there"
            )
        return value

    def type_of(self, name: str | None) -> Any:
        """Return what is known of a value of this graph or of one around it; None if nothing is."""
        if name in self._types:
            return self._types[name]
        return self._outer.type_of(name) if self._outer else None

    def shape(self, name: str | None) -> list[int] | None:
        """Return the shape of a value, or None if a size is not known."""
        sizes = self.dimensions(name)
        return (
            None if sizes is None or None in sizes else [size for size in sizes if size is not None]
        )

    def dimensions(self, name: str | None) -> list[int | None] | None:
        """Return the sizes of a value, None for those that are open; None if there may be any."""
        found = self.type_of(name)
        if found is None or not found.HasField("shape"):
            return None
        return [dim.dim_value if dim.HasField("dim_value") else None for dim in found.shape.dim]

    def need_shape(self, node: Node, index: int = 0) -> list[int]:
        shape = self.shape(node.input(index))
        if shape is None:
            raise node.refuse(f"the shape of its input {index} is not known")
        return shape

    def need_dimensions(self, node: Node, index: int = 0) -> list[int | None]:
        """Return the sizes of an input, None for those that are open."""
        sizes = self.dimensions(node.input(index))
        if sizes is None:
            raise node.refuse(f"how many dimensions its input {index} has is not known")
        return sizes

    def need_rank(self, node: Node, index: int = 0) -> int:
        return len(self.need_dimensions(node, index))

    def element_type(self, name: str | None) -> int | None:
        found = self.type_of(name)
        return None if found is None else int(found.elem_type) or None

    def dtype(self, node: Node, index: int = 0) -> np.dtype[Any]:
        code = self.element_type(node.input(index))
        if code is None:
            raise node.refuse(f"the element type of its input {index} is not known")
        return np.dtype(helper.tensor_dtype_to_np_dtype(code))

    def add_constant(self, value: Any, dtype: Any = None, hint: str = "constant") -> str:
        name = self.new_name(hint)
        self.set_constant(name, np.asarray(value, dtype))
        return name

    def set_constant(self, name: str, value: np.ndarray) -> None:
        """Make a constant of the value `name`, which no node may compute then."""
        self.set_tensor(name, numpy_helper.from_array(value))

    def set_tensor(self, name: str, tensor: Any) -> None:
        tensor.name = name
        self._graph.initializer.append(tensor)
        self._constants[name] = tensor
        self._types[name] = type_of(tensor)

    def declare(self, name: str, dtype: Any, sizes: Sequence[int | None]) -> None:
        """Say what a value is that ONNX's inference will know nothing of."""
        code = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        value = helper.make_tensor_value_info(name, code, sizes)
        self._graph.value_info.append(value)
        self._types[name] = value.type.tensor_type

    def is_output(self, name: str) -> bool:
        return any(each.name == name for each in self._graph.output)

    def integers(self, *values: int) -> str:
        return self.add_constant(list(values), np.int64, "indices")

    def add(
        self,
        operator: str,
        inputs: Sequence[str | None],
        outputs: Sequence[str] = (),
        **attributes: Any,
    ) -> str:
        """Add a node and return the name of its first output, a new one if none is given."""
        outputs = outputs or [self.new_name(operator.lower())]
        given = {name: value for name, value in attributes.items() if value is not None}
        names = [name or "" for name in inputs]
        while names and not names[-1]:  # ONNX Runtime's optimiser fails over an empty last one
            names.pop()
        self.nodes.append(helper.make_node(operator, names, outputs, **given))
        return outputs[0]

    def cast(self, name: str | None, dtype: Any, outputs: Sequence[str] = ()) -> str:
        code = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.add("Cast", [name], outputs, to=code)

    def replace(
        self, node: Node, inputs: Sequence[str | None], operator: str = "", **attributes: Any
    ) -> None:
        """Add `node` with other inputs and attributes, under its own name."""
        self.add(operator or node.operator, inputs, node.outputs, **attributes)
        self.nodes[-1].name = node.proto.name


def type_of(tensor: Any) -> Any:
    return helper.make_tensor_type_proto(tensor.data_type, tensor.dims).tensor_type


# Adds what takes a node's place and returns True, or adds nothing and returns False.
Rewrite = Callable[[Node, GraphEditor], bool]


def names_in(graph: Any) -> set[str]:
    names = {each.name for each in (*graph.input, *graph.initializer, *graph.output)}
    for node in graph.node:
        names.update(node.input, node.output)
        for inner in subgraphs(node):
            names |= names_in(inner)
    return names


def subgraphs(node: Any) -> list[Any]:
    found = []
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            found.append(attribute.g)
        elif attribute.type == onnx.AttributeProto.GRAPHS:
            found += attribute.graphs
    return found


def rewrite_graph(
    graph: Any, rewrite: Callable[[Any, GraphEditor], bool], outer: GraphEditor | None = None
) -> None:
    """Give each node of a graph and of the graphs inside it to `rewrite`; keep what it declines."""
    editor = GraphEditor(graph, outer)
    for proto in graph.node:
        for inner in subgraphs(proto):
            rewrite_graph(inner, rewrite, editor)
        if not rewrite(proto, editor):
            editor.nodes.append(proto)
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in editor.nodes]
    del graph.node[:]
    graph.node.extend(nodes)
