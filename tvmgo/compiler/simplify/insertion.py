# SPDX-License-Identifier: Apache-2.0
"""Nodes of a function or of a graph inside a node, copied to where these are used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import onnx
from onnx import numpy_helper

from tvmgo.compiler.simplify.graph_editor import GraphEditor


class Copier:
    """Copies nodes under names that are new to the model, except where `names` says which.

    Names that the copied nodes do not define are those of the graphs around them, and are kept.
    """

    def __init__(
        self,
        editor: GraphEditor,
        names: Mapping[str, str],
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        self.editor = editor
        self.names = dict(names)
        self.attributes = attributes or {}

    def copied(self, nodes: Iterable[Any]) -> Iterator[Any]:
        for node in nodes:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copy.name = ""
            copy.input[:] = [self.names.get(each, each) for each in node.input]
            copy.output[:] = [self.define(each) for each in node.output]
            del copy.attribute[:]
            copy.attribute.extend(self.filled_in(node.attribute))
            yield copy

    def copy_constants(self, graph: Any) -> None:
        for tensor in graph.initializer:
            self.editor.set_constant(self.define(tensor.name), numpy_helper.to_array(tensor))

    def define(self, inner: str) -> str:
        if not inner:
            return ""
        if inner not in self.names:
            self.names[inner] = self.editor.new_name(inner)
        return self.names[inner]

    def filled_in(self, attributes: Iterable[Any]) -> Iterator[Any]:
        """Yield attributes; what refers to one of a function that the call does not say is left out."""
        for each in attributes:
            said = self.attributes.get(each.ref_attr_name) if each.ref_attr_name else each
            if said is None:
                continue
            copy = onnx.AttributeProto()
            copy.CopyFrom(said)
            copy.name = each.name
            for graph in [copy.g] if copy.HasField("g") else copy.graphs:
                self.rename(graph)
            yield copy

    def rename(self, graph: Any) -> None:
        for value in (*graph.input, *graph.initializer):
            value.name = self.define(value.name)
        nodes = list(self.copied(graph.node))
        for value in graph.output:
            value.name = self.names.get(value.name, value.name)
        del graph.node[:], graph.value_info[:]
        graph.node.extend(nodes)
