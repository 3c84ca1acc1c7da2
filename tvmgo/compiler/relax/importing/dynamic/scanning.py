# SPDX-License-Identifier: Apache-2.0
"""Scan, whose length is open, as a Loop that takes what it scans apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper
from tvm import relax, tirx

from tvmgo.compiler.relax.importing.dynamic.computed import compute_sizes
from tvmgo.compiler.relax.importing.dynamic.integers import array_of
from tvmgo.compiler.relax.importing.dynamic.node import tensor_of

if TYPE_CHECKING:
    from tvmgo.compiler.relax.importing.dynamic.node import DynamicNode


class LoopMaker:
    """Nodes that together are a Scan, under names that the model does not have."""

    def __init__(self, node: DynamicNode) -> None:
        self.node, self.body = node, node.attributes["body"]
        self.prefix = f"{node.outputs[0] or node.name}/scan/"
        scanned = node.attributes["num_scan_inputs"]
        self.carried, self.scanned = node.inputs[:-scanned], node.inputs[-scanned:]
        self.inner = [value.name for value in self.body.input][-scanned:]

    def setting(self, name: str, count: int) -> list[int]:
        return list(self.node.attributes.get(name, [0] * count))

    def number(self, name: str, value: Any) -> str:
        """Name a constant."""
        self.node.importer.bind({self.prefix + name: relax.const(np.array(value), "int64")})
        return self.prefix + name

    def convert(self, operator: str, inputs: list[str], outputs: list[str], **words: Any) -> None:
        self.node.importer.convert_node(helper.make_node(operator, inputs, outputs, **words))

    def count(self, axes: list[int]) -> str:
        """Name the number of steps, after a check that all inputs have as many."""
        node = self.node
        lengths = [node.importer.shape_of(x)[axis] for x, axis in zip(self.scanned, axes)]
        odd = [size for size in lengths if not node.sizes.equal(size, lengths[0])]
        if odd:
            compute_sizes(
                node,
                lambda given: ([], [tirx.EQ(size, given[0]) for size in given[1:]]),
                [lengths[0], *odd],
                [],
            )
        tensor = tensor_of(node.bb, array_of(lengths[0]), "int64")
        node.importer.bind({self.prefix + "count": tensor})
        return self.prefix + "count"

    def parts(self, axes: list[int]) -> list[Any]:
        """Nodes of the body that take one place of each input."""
        backwards = self.setting("scan_input_directions", len(axes))
        last, step, back = (self.prefix + name for name in ("last", "step", "back"))
        made = [helper.make_node("Sub", [last, step], [back])] if any(backwards) else []
        for x, part, axis, reverse in zip(self.scanned, self.inner, axes, backwards):
            place = back if reverse else step
            made.append(helper.make_node("Gather", [x, place], [part], axis=axis))
        return made


def convert_scan(node: DynamicNode) -> list[relax.Expr | None]:
    make = LoopMaker(node)
    importer, body = node.importer, make.body
    states = len(make.carried)
    ranks = [len(importer.shape_of(name)) for name in make.scanned]
    given = make.setting("scan_input_axes", len(ranks))
    axes = [axis % rank for axis, rank in zip(given, ranks)]
    count = make.count(axes)
    make.convert("Sub", [count, make.number("one", 1)], [make.prefix + "last"])
    going = make.prefix + "going"
    loop_body = helper.make_graph(
        [*make.parts(axes), *body.node],
        body.name,
        [
            helper.make_tensor_value_info(make.prefix + "step", TensorProto.INT64, []),
            helper.make_tensor_value_info(going, TensorProto.BOOL, []),
            *body.input[:states],
        ],
        [helper.make_tensor_value_info(going, TensorProto.BOOL, []), *body.output],
        list(body.initializer),
        value_info=list(body.value_info),
    )
    series = [f"{make.prefix}{i}" for i in range(len(body.output) - states)]
    finals = [f"{make.prefix}state_{i}" for i in range(states)]
    make.convert("Loop", [count, "", *make.carried], [*finals, *series], body=loop_body)
    reverse = make.setting("scan_output_directions", len(series))
    output_axes = make.setting("scan_output_axes", len(series))
    results = [*finals]
    for name, backwards, axis in zip(series, reverse, output_axes):
        if backwards:
            ends = [make.number(f"end_{i}", [v]) for i, v in enumerate((-1, -(1 << 62), 0, -1))]
            make.convert("Slice", [name, *ends], [f"{name}/turned"])
            name = f"{name}/turned"
        rank = len(importer.shape_of(name))
        if axis % rank:
            order = list(range(1, rank))
            order.insert(axis % rank, 0)
            make.convert("Transpose", [name], [f"{name}/moved"], perm=order)
            name = f"{name}/moved"
        results.append(name)
    return [importer.value(name) for name in results]
