# SPDX-License-Identifier: Apache-2.0
"""Which axes one loop can walk, and along which vectors lie.

From here on buffers are flat: every access has one index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import tvm
from tvm import tirx

from tvmgo.compiler.relax.schedule.expressions import (
    coefficient,
    data_nodes,
    element_type,
    loads_of,
    map_loads,
    number,
)
from tvmgo.compiler.relax.schedule.nests import Axis, Nest, strides_of


class View(NamedTuple):
    """A buffer as one row of elements; of a buffer that holds one row each time, of that row."""

    flat: Any
    strides: Sequence[int]  # of the dimensions that are left
    skipped: int = 0  # leading dimensions that are not

    def place(self, indices: Sequence[Any]) -> Any:
        total: Any = number(0)
        for index, stride in zip(list(indices)[self.skipped :], self.strides):
            wide = index if element_type(index) == "int64" else tirx.Cast("int64", index)
            total = total + wide * number(stride)
        return total


def flat_view(buffer: Any, flat: Any, skipped: int = 0) -> View:
    return View(flat, strides_of(list(buffer.ty.shape)[skipped:]), skipped)


def flatten(nest: Nest, views: Mapping[Any, View]) -> Nest:
    """Return the nest on flat buffers, without axes of one step."""
    nest = drop_single_steps(nest)

    def change(load: Any) -> Any:
        view = views[load.source]
        return view.flat[view.place(load.indices)]

    view = views[nest.buffer]
    nest = nest.mapped(lambda expression: map_loads(expression, change))
    return replace(nest, buffer=view.flat, indices=(view.place(nest.indices),))


def drop_single_steps(nest: Nest) -> Nest:
    single = [axis for axis in nest.axes if axis.extent == 1]
    kept = [axis for axis in nest.axes if axis.extent > 1]
    if single:
        nest = nest.substituted({axis.var: number(0) for axis in single}, kept)
    reduction = nest.reduction
    if reduction is None or all(axis.extent > 1 for axis in reduction.axes):
        return nest
    steps = {axis.var: number(0) for axis in reduction.axes if axis.extent == 1}
    nest = nest.substituted(steps, nest.axes)
    assert nest.reduction is not None
    left = tuple(axis for axis in reduction.axes if axis.extent > 1)
    return replace(nest, reduction=replace(nest.reduction, axes=left))


class Accesses:
    """How the places that a nest touches depend on its axes."""

    def __init__(self, nest: Nest) -> None:
        self.store = nest.indices[0]
        expressions = nest.expressions[1:]
        self.loads = loads_of(expressions)
        nodes = [node for expression in expressions for node in data_nodes(expression)]
        self.direct = {node for node in nodes if isinstance(node, tvm.ir.Var)}

    def store_stride(self, var: Any) -> int | None:
        return coefficient(self.store, var)

    def strides(self, var: Any) -> list[int | None]:
        """Return by how much each access moves with an axis, the store first."""
        if var in self.direct:
            return [None]
        indices = [self.store, *(load.indices[0] for load in self.loads)]
        return [coefficient(index, var) for index in indices]


def merge(nest: Nest) -> Nest:
    """Walk with one loop what neighbouring axes walk without a gap."""
    reduction = nest.reduction
    accesses = Accesses(nest)
    axes, values = merge_axes(nest.axes, accesses)
    nest = nest.substituted(values, axes)
    if reduction is None:
        return nest
    axes, values = merge_axes(reduction.axes, accesses)
    nest = nest.substituted(values, nest.axes)
    assert nest.reduction is not None
    return replace(nest, reduction=replace(nest.reduction, axes=tuple(axes)))


def merge_axes(axes: Sequence[Axis], accesses: Accesses) -> tuple[list[Axis], dict[Any, Any]]:
    merged: list[Axis] = []
    values: dict[Any, Any] = {}
    strides = {axis.var: accesses.strides(axis.var) for axis in axes}
    for axis in axes:
        inner = strides[axis.var]
        outer = strides[merged[-1].var] if merged else [None]
        gapless = None not in inner and None not in outer
        if gapless and all(a == b * axis.extent for a, b in zip(outer, inner)):  # type: ignore[operator]
            values[merged[-1].var] = number(0)
            merged[-1] = Axis(axis.var, merged[-1].extent * axis.extent)
        else:
            merged.append(axis)
    return merged, values
