# SPDX-License-Identifier: Apache-2.0
"""A nest with conditions on its axes, as several nests without."""

from __future__ import annotations

import itertools
import math
from typing import Any

import tvm
from tvm import sym, tirx

from tvmgo.compiler.relax.schedule.digits import bounded, simplified
from tvmgo.compiler.relax.schedule.expressions import constant, is_choice, nodes_of, number
from tvmgo.compiler.relax.schedule.nests import Axis, Nest

MOST_SEGMENTS = 32
UNKNOWN = 1 << 40
COMPARISONS = (tirx.LT, tirx.LE, tirx.GT, tirx.GE, tirx.EQ, tirx.NE)


def split_by_conditions(nest: Nest) -> list[Nest]:
    """Split the axes where comparisons with a number change.

    Padding, slices and concatenations choose by such comparisons what they read; in each part it is
    one thing.
    """
    analyzer = bounded(nest)
    cuts: dict[Any, set[int]] = {axis.var: set() for axis in nest.axes}
    for condition in conditions_of(nest.value):
        for comparison in nodes_of(condition, tvm.ir.Expr):
            if isinstance(comparison, COMPARISONS):
                for axis in nest.axes:
                    cuts[axis.var] |= cuts_of(comparison, axis, analyzer)
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
    choices = filter(is_choice, nodes_of(value, tvm.ir.Call))
    return conditions + [choice.args[0] for choice in choices]


def cuts_of(comparison: Any, axis: Axis, analyzer: sym.Analyzer) -> set[int]:
    """Return from which steps of the axis on the comparison may have another outcome."""
    difference = comparison.a - comparison.b
    if "int" not in str(difference.ty):
        return set()
    parts = sym.detect_linear_equation(difference, [axis.var])
    factor = constant(parts[0]) if parts else None
    if not factor:
        return set()
    # Between these two the outcome hangs on other axes too.
    bound = analyzer.const_int_bound(parts[1])
    if max(abs(bound.min_value), abs(bound.max_value)) >= UNKNOWN:
        return set()
    places = set()
    for base in (bound.min_value, bound.max_value):
        up, down = -(base // factor), -base // factor  # both ways of rounding -base / factor
        if isinstance(comparison, (tirx.LT, tirx.GE)):
            places |= {up if factor > 0 else down + 1}
        elif isinstance(comparison, (tirx.LE, tirx.GT)):
            places |= {down + 1 if factor > 0 else up}
        else:
            places |= {down, down + 1, up}
    return {place for place in places if 0 < place < axis.extent}


def part(nest: Nest, ranges: tuple[tuple[int, int], ...]) -> Nest:
    axes, values = [], {}
    for axis, (begin, end) in zip(nest.axes, ranges):
        var = tvm.ir.Var(axis.var.name, axis.var.ty)
        axes.append(Axis(var, end - begin))
        values[axis.var] = var + number(begin)
    moved = nest.substituted(values, axes)
    return simplified(moved)
