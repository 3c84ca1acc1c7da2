# SPDX-License-Identifier: Apache-2.0
"""Reductions of a few terms, as sums of these."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

from tvmgo.compiler.relax.schedule.expressions import element_type, number, substitute
from tvmgo.compiler.relax.schedule.nests import Nest

MOST_TERMS = 4


def unroll(nest: Nest) -> Nest:
    """Write out a reduction of a few terms; others, and those of short floats, are left."""
    reduction = nest.reduction
    if reduction is None or element_type(reduction.result) in ("float16", "bfloat16"):
        return nest
    if math.prod(axis.extent for axis in reduction.axes) > MOST_TERMS:
        return nest
    total = reduction.identity
    for steps in itertools.product(*(range(axis.extent) for axis in reduction.axes)):
        place = {axis.var: number(step) for axis, step in zip(reduction.axes, steps)}
        total = reduction.combine(total, substitute(reduction.term, place))
    value = substitute(nest.value, {reduction.result: total})
    return replace(nest, value=value, reduction=None)
