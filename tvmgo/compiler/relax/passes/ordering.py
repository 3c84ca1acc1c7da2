# SPDX-License-Identifier: Apache-2.0
"""Sizes before what has them: fusion puts kernels in front of the sizes they need."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

import tvm
from tvm import relax, tirx
from tvm.relax.analysis import definable_tir_vars_in_type, free_vars, tir_vars_in_type


@relax.expr_functor.mutator
class Orderer(relax.PyExprMutator):  # type: ignore[misc]  # of type Any
    """Puts what a dataflow block binds in an order in which all is known that is used."""

    def visit_dataflow_block_(self, block: relax.DataflowBlock) -> relax.BindingBlock:
        return super().visit_dataflow_block_(relax.DataflowBlock(ordered(list(block.bindings))))


@tvm.transform.module_pass(opt_level=0, name="SizesFirst")
class SizesFirst:
    """Order the dataflow blocks of all functions.

    ``FuseOps`` knows which tensors a kernel reads, but not that its result has sizes which a
    ``match_cast`` names only later.
    """

    def transform_module(self, module: tvm.IRModule, _: Any) -> tvm.IRModule:
        orderer = Orderer(module)
        for variable, function in module.functions_items():
            if isinstance(function, relax.Function):
                module.update_func(variable, orderer.visit_expr(function))
        return module


def ordered(bindings: list[relax.Binding]) -> list[relax.Binding]:
    """Return bindings so that none uses what a later one makes; otherwise as they were."""
    makers: dict[Any, int] = {}
    for place, binding in enumerate(bindings):
        for made in made_by(binding):
            makers.setdefault(made, place)
    missing = [
        {makers[used] for used in used_by(binding) if makers.get(used, place) != place}
        for place, binding in enumerate(bindings)
    ]
    waiting: dict[int, list[int]] = {}
    for place, others in enumerate(missing):
        for other in others:
            waiting.setdefault(other, []).append(place)
    ready = [place for place, others in enumerate(missing) if not others]
    result = []
    while ready:
        place = heapq.heappop(ready)
        result.append(bindings[place])
        for later in waiting.get(place, ()):
            missing[later].remove(place)
            if not missing[later]:
                heapq.heappush(ready, later)
    if len(result) < len(bindings):
        raise ValueError("sizes that need each other")
    return result


def made_by(binding: relax.Binding) -> Iterator[Any]:
    yield binding.var
    if isinstance(binding, relax.MatchCast):
        yield from definable_tir_vars_in_type(binding.ty)


def used_by(binding: relax.Binding) -> Iterator[Any]:
    yield from free_vars(binding.value)
    yield from tir_vars_in_type(binding.var.ty)
    found: list[Any] = []

    def note(expression: Any) -> None:
        if isinstance(expression, tirx.Var):
            found.append(expression)
        elif isinstance(expression, relax.ShapeExpr):
            found.extend(tir_vars_in_type(expression.ty))

    relax.analysis.post_order_visit(binding.value, note)
    yield from found
