# SPDX-License-Identifier: Apache-2.0
"""Kernels as nests: over which axes which value is stored where."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import tvm
from tvm import s_tir, tirx

from tvmgo.compiler.relax.passes.rewrite.nan import larger, smaller
from tvmgo.compiler.relax.schedule.expressions import (
    Load,
    constant,
    loads_of,
    map_nodes,
    nodes_of,
    same,
    substitute,
    variables_of,
)

SPATIAL, REDUCED = 0, 2  # tvm.tirx.IterVar
COMMUTATIVE = (
    tirx.Add,
    tirx.Mul,
    tirx.Max,
    tirx.Min,
    tirx.And,
    tirx.Or,
    tirx.BitwiseAnd,
    tirx.BitwiseOr,
    tirx.BitwiseXor,
)


class Axis(NamedTuple):
    var: Any
    extent: int


@dataclass(frozen=True)
class Reduction:
    """A value accumulated over axes: `result` stands for it in the nest's value."""

    axes: tuple[Axis, ...]
    term: Any
    identity: Any
    combine: Callable[[Any, Any], Any]
    any_order: bool  # whether it may be split into parts, combined in the end
    result: Any


@dataclass(frozen=True)
class Nest:
    """For every point of its axes: ``buffer[indices] = value``."""

    axes: tuple[Axis, ...]
    buffer: Any
    indices: tuple[Any, ...]
    value: Any
    reduction: Reduction | None = None

    @property
    def points(self) -> int:
        reduced = self.reduction.axes if self.reduction else ()
        return self.spatial_points * math.prod(axis.extent for axis in reduced)

    @property
    def spatial_points(self) -> int:
        return math.prod(axis.extent for axis in self.axes)

    @property
    def expressions(self) -> list[Any]:
        """Everything that reads."""
        return [*self.indices, self.value, *([self.reduction.term] if self.reduction else [])]

    def substituted(self, values: dict[Any, Any], axes: Iterable[Axis]) -> Nest:
        """Return the nest over other axes, its present variables replaced by `values`."""
        return replace(self.mapped(lambda e: substitute(e, values)), axes=tuple(axes))

    def mapped(self, change: Callable[[Any], Any]) -> Nest:
        """Return the nest with all its expressions changed."""
        reduction = self.reduction
        if reduction is not None:
            reduction = replace(reduction, term=change(reduction.term))
        return replace(
            self,
            indices=tuple(map(change, self.indices)),
            value=change(self.value),
            reduction=reduction,
        )


@dataclass
class Kernel:
    """A function as steps in order; a step that is no nest is a statement left as it is."""

    function: Any
    internal: list[Any]
    steps: list[Any] = field(default_factory=list)

    @property
    def nests(self) -> list[Nest]:
        return [step for step in self.steps if isinstance(step, Nest)]


def read_kernel(function: Any) -> Kernel | None:
    """Read a function with one root block; None if it has another form."""
    body = function.body
    if not isinstance(body, s_tir.SBlockRealize) or body.block.iter_vars:
        return None
    root = body.block
    if root.match_buffers or root.init is not None or root.annotations:
        return None
    buffers = [*function.params, *root.alloc_buffers]
    if not all(is_plain(buffer) for buffer in buffers):
        return None
    steps = root.body.seq if isinstance(root.body, tirx.SeqStmt) else [root.body]
    kernel = Kernel(function, list(root.alloc_buffers))
    kernel.steps = [read_nest(step) or step for step in steps]
    return kernel


def is_plain(buffer: Any) -> bool:
    """Tell whether a buffer lies in memory without gaps, with a known size, in whole bytes."""
    if not tirx.is_buffer_var(buffer):
        return False
    ty = buffer.ty
    return (
        all(constant(size) for size in ty.shape)  # known, and not 0
        and not ty.strides
        and constant(ty.elem_offset) == 0
        and tvm.DataType(str(ty.dtype)).bits % 8 == 0
        and buffer.scope() == "global"
    )


def read_nest(statement: Any) -> Nest | None:
    """Read loops around one block that stores one element; None if it is anything else."""
    loops = {}
    while isinstance(statement, tirx.For):
        plain = statement.kind == tirx.ForKind.SERIAL and constant(statement.min) == 0
        extent = constant(statement.extent)
        if not plain or extent is None or statement.annotations:
            return None
        loops[statement.loop_var] = extent
        statement = statement.body
    if not isinstance(statement, s_tir.SBlockRealize) or constant(statement.predicate) != 1:
        return None
    block = statement.block
    if block.alloc_buffers or block.match_buffers or not isinstance(block.body, tirx.BufferStore):
        return None
    spatial: list[Axis] = []
    reduced: list[Axis] = []
    for iter_var, value in zip(block.iter_vars, statement.iter_values):
        extent = constant(iter_var.dom.extent)
        if constant(value) == 0 and extent == 1:
            pass  # a loop of one step, left out
        elif extent is None or loops.pop(value, None) != extent:
            return None
        if str(iter_var.var.ty) != "int64":
            return None
        if iter_var.iter_type not in (SPATIAL, REDUCED) or constant(iter_var.dom.min) != 0:
            return None
        (spatial if iter_var.iter_type == SPATIAL else reduced).append(Axis(iter_var.var, extent))
    if loops:
        return None
    return nest_of(block, tuple(spatial), tuple(reduced))


def nest_of(block: Any, axes: tuple[Axis, ...], reduced: tuple[Axis, ...]) -> Nest | None:
    store = block.body
    nest = Nest(axes, store.buffer, tuple(store.indices), store.value)
    own = [load for load in loads_of(store.value) if load.source.same_as(store.buffer)]
    used = variables_of(nest.indices)
    if any(axis.var in used for axis in reduced) or loads_of(list(nest.indices)):
        return None
    # Two points that store to one place would have to keep their order.
    if any(axis.extent > 1 and axis.var not in used for axis in axes):
        return None
    if block.init is None:
        return None if own or reduced else nest
    if not isinstance(block.init, tirx.BufferStore) or not own:
        return None
    for access in (block.init, *own):
        if not all(same(a, b) for a, b in zip(access.indices, nest.indices)):
            return None
    if variables_of(block.init.value):
        return None
    return read_reduction(nest, reduced, block.init.value)


def read_reduction(nest: Nest, reduced: tuple[Axis, ...], identity: Any) -> Nest | None:
    def is_own(expression: Any) -> bool:
        return isinstance(expression, Load) and expression.source.same_as(nest.buffer)

    term = find_term(nest.value, is_own)
    if term is None:
        return None
    result, added = tirx.Var("result", nest.value.ty), tirx.Var("term", nest.value.ty)

    def open_up(expression: Any) -> Any:
        if is_own(expression):
            return result
        return added if same(expression, term) else expression

    template = map_nodes(nest.value, tvm.ir.Expr, open_up, outer_first=True)
    if not variables_of(template) <= {result, added}:
        return None

    def combine(a: Any, b: Any) -> Any:
        return substitute(template, {result: a, added: b})

    any_order = isinstance(template, COMMUTATIVE) or any(
        same(template, pick(result, added)) for pick in (larger, smaller)
    )
    reduction = Reduction(reduced, term, identity, combine, any_order, result)
    return replace(nest, value=result, reduction=reduction)


def find_term(value: Any, is_own: Callable[[Any], bool]) -> Any | None:
    """Find what is combined with the element itself."""
    for node in nodes_of(value, tvm.ir.Expr):
        a, b = getattr(node, "a", None), getattr(node, "b", None)
        if a is not None and b is not None and (is_own(a) or is_own(b)):
            term = b if is_own(a) else a
            return None if any(map(is_own, loads_of(term))) else term
    return None


def strides_of(shape: Iterable[Any]) -> list[int]:
    sizes = [int(size) for size in shape]
    return [math.prod(sizes[dim + 1 :]) for dim in range(len(sizes))]
