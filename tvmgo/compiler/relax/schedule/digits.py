# SPDX-License-Identifier: Apache-2.0
"""Axes whose steps are taken apart by division, as two axes.

A reshape beside a transpose reads at ``v // 64`` and ``v % 64``; of two axes, v = 64 a + b, these
are a and b.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import tvm
from tvm import sym, tirx

from tvmgo.compiler.relax.schedule.expressions import constant, nodes_of, number, simplify_places
from tvmgo.compiler.relax.schedule.nests import Axis, Nest

ROUNDS = 4
DIVISIONS = (tirx.FloorDiv, tirx.FloorMod)


def split_digits(nest: Nest) -> Nest:
    """Split axes until no division of one by what divides its extent is left, and simplify."""
    nest = simplified(nest)
    for _ in range(ROUNDS):
        found: dict[Any, int] = {}
        for node in divisions_of(nest):
            axis = next((a for a in axes_of(nest) if a.var.same_as(node.a)), None)
            size = constant(node.b)
            if axis and size and 1 < size < axis.extent and axis.extent % size == 0:
                found.setdefault(axis.var, size)
        if not found:
            return nest
        nest = split(nest, found)
    return nest


def simplified(nest: Nest) -> Nest:
    return nest.mapped(partial(simplify_places, analyzer=bounded(nest)))


def divisions_of(nest: Nest) -> list[Any]:
    nodes = nodes_of(nest.expressions, tvm.ir.Expr)
    return [node for node in nodes if isinstance(node, DIVISIONS)]


def axes_of(nest: Nest) -> list[Axis]:
    return [*nest.axes, *(nest.reduction.axes if nest.reduction else ())]


def bounded(nest: Nest) -> sym.Analyzer:
    """Return an analyzer that knows how far the axes go."""
    analyzer = sym.Analyzer()
    for axis in axes_of(nest):
        analyzer.bind(axis.var, tvm.ir.Range(number(0), number(axis.extent)))
    return analyzer


def split(nest: Nest, sizes: dict[Any, int]) -> Nest:
    values = {}

    def parts(axis: Axis) -> list[Axis]:
        size = sizes.get(axis.var)
        if size is None:
            return [axis]
        outer, inner = (tvm.ir.Var(axis.var.name, axis.var.ty) for _ in "ab")
        values[axis.var] = outer * number(size) + inner
        return [Axis(outer, axis.extent // size), Axis(inner, size)]

    axes = [part for axis in nest.axes for part in parts(axis)]
    reduction = nest.reduction
    if reduction is not None:
        reduced = tuple(part for axis in reduction.axes for part in parts(axis))
        nest = replace(nest, reduction=replace(reduction, axes=reduced))
    nest = nest.substituted(values, axes)
    return simplified(nest)
