# SPDX-License-Identifier: Apache-2.0
"""Reductions of a few terms, as sums of these."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

from tvm import tirx

from tvmgo.compiler.relax.schedule.expressions import (
    element_type,
    number,
    substitute,
    with_operand,
)
from tvmgo.compiler.relax.schedule.nests import Nest, Reduction

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
        total = combined(reduction, total, substitute(reduction.term, place))
    value = substitute(nest.value, {reduction.result: total})
    return replace(nest, value=value, reduction=None)


def combined(reduction: Reduction, total: Any, term: Any) -> Any:
    """Combine what was found so far with a term; neither is written out more than once.

    Maxima look at both several times, and each would be as long as all before it together.
    """
    variables = [tirx.Var(name, reduction.result.ty) for name in ("total", "term")]
    value = reduction.combine(*variables)
    for variable, its in zip(variables, (total, term)):
        value = with_operand(value, variable, its)
    return value
