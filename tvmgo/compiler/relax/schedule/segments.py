# SPDX-License-Identifier: Apache-2.0
"""A nest with conditions on its axes, as several nests without."""

from __future__ import annotations

import itertools
import math
from typing import Any

import tvm
from tvm import sym, tirx

from tvmgo.compiler.relax.schedule.expressions import constant, nodes_of, number
from tvmgo.compiler.relax.schedule.nests import Axis, Nest

MOST_SEGMENTS = 32
COMPARISONS = (tirx.LT, tirx.LE, tirx.GT, tirx.GE, tirx.EQ, tirx.NE)


def split_by_conditions(nest: Nest) -> list[Nest]:
    """Split the axes where comparisons with a number change.

    Padding, slices and concatenations choose by such comparisons what they read; in each part it is
    one thing.
    """
    cuts: dict[Any, set[int]] = {axis.var: set() for axis in nest.axes}
    for condition in conditions_of(nest.value):
        for comparison in nodes_of(condition, tvm.ir.Expr):
            if isinstance(comparison, COMPARISONS):
                for axis in nest.axes:
                    cuts[axis.var] |= cuts_of(comparison, axis)
    if not any(cuts.values()):
        return [nest]
    if math.prod(len(places) + 1 for places in cuts.values()) > MOST_SEGMENTS:
        return [nest]
    ranges = [
        list(itertools.pairwise([0, *sorted(cuts[axis.var]), axis.extent])) for axis in nest.axes
    ]
    return [part(nest, chosen) for chosen in itertools.product(*ranges)]


def conditions_of(value: Any) -> list[Any]:
    conditions = [node.condition for node in nodes_of(value, tirx.Select)]
    for call in nodes_of(value, tvm.ir.Call):
        if getattr(call.op, "name", "") == "prim.if_then_else":
            conditions.append(call.args[0])
    return conditions


def cuts_of(comparison: Any, axis: Axis) -> set[int]:
    """Return from which steps of the axis on the comparison may have another outcome."""
    difference = comparison.a - comparison.b
    if "int" not in str(difference.ty):
        return set()
    parts = sym.detect_linear_equation(difference, [axis.var])
    factor, base = (constant(sym.Analyzer().simplify(part)) for part in parts) if parts else (0, 0)
    if not factor or base is None:
        return set()
    at = -base / factor
    places = {math.floor(at), math.floor(at) + 1, math.ceil(at)}
    if isinstance(comparison, (tirx.LT, tirx.GE)):
        places = {math.ceil(at)} if factor > 0 else {math.floor(at) + 1}
    elif isinstance(comparison, (tirx.LE, tirx.GT)):
        places = {math.floor(at) + 1} if factor > 0 else {math.ceil(at)}
    return {place for place in places if 0 < place < axis.extent}


def part(nest: Nest, ranges: tuple[tuple[int, int], ...]) -> Nest:
    axes, values = [], {}
    analyzer = sym.Analyzer()
    for axis, (begin, end) in zip(nest.axes, ranges):
        var = tvm.ir.Var(axis.var.name, axis.var.ty)
        analyzer.bind(var, tvm.ir.Range(number(0), number(end - begin)))
        axes.append(Axis(var, end - begin))
        values[axis.var] = var + number(begin)
    moved = nest.substituted(values, axes)
    return moved.mapped(analyzer.simplify)
