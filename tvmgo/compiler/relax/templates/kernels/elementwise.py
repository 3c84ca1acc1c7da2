# SPDX-License-Identifier: Apache-2.0
"""Kernels that compute each element of their result by itself, read as expressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Union

import tvm
from tvm import s_tir, tirx
from tvm.ir.prim import expr as prim

from tvmgo.compiler.relax.schedule.intrinsics import is_expanded
from tvmgo.compiler.relax.shapes import sizes_of

# Which axis of the result an index follows; None for an axis of one element, which broadcasts.
Pattern = tuple[Union[int, None], ...]

UNARY = (prim.Cast, prim.Not)
BINARY = (
    *(prim.Add, prim.Sub, prim.Mul, prim.Div, prim.Max, prim.Min),
    *(prim.EQ, prim.NE, prim.LT, prim.LE, prim.GT, prim.GE, prim.And, prim.Or),
)
LITERALS = (prim.IntImm, prim.FloatImm)

# Functions that are one instruction for a vector; others are called for each of its lanes.
VECTOR_CALLS = frozenset(
    f"tirx.{name}"
    for name in ("sqrt", "fabs", "floor", "ceil", "trunc", "nearbyint", "reinterpret")
)


@dataclass(frozen=True)
class Elementwise:
    """A kernel of one element.

    Attributes
    ----------
    value : tvm.ir.Expr
        Of one element; reads parameters of the kernel.
    patterns : dict of Var to Pattern
        Parameters that it reads, and where.
    parameters : sequence of Var
        All parameters that are read, in order.
    calls : set of str
        Functions that it calls.
    """

    value: Any
    patterns: dict[Any, Pattern]
    parameters: Sequence[Any]
    calls: set[str]

    @property
    def is_vectorised(self) -> bool:
        """Whether vectors can be computed as well as elements."""
        return self.calls <= VECTOR_CALLS


class NotElementwise(Exception):
    """A kernel does something else."""


def read_elementwise(kernel: tirx.PrimFunc) -> Elementwise | None:
    """Read a kernel as Relax makes them; None if it is of another kind."""
    *parameters, result = kernel.params
    try:
        store, axes = find_store(kernel.body)
        if not store.buffer.same_as(result):
            return None
        shape = sizes_of(result.ty.shape)
        if (
            shape is None
            or len(shape) != len(axes)
            or pattern_of(store.indices, axes, shape) != (tuple(range(len(axes))))
        ):
            return None
        reader = Reader(axes)
        reader.visit(store.value)
    except NotElementwise:
        return None
    return Elementwise(store.value, reader.patterns, parameters, reader.calls)


def find_store(body: Any) -> tuple[Any, list[Any]]:
    """Return the only store of a kernel, and the variables of its loops."""
    axes: list[Any] = []
    while not isinstance(body, tirx.BufferStore):
        if isinstance(body, s_tir.SBlockRealize):
            block = body.block
            if block.init is not None or block.alloc_buffers or block.match_buffers:
                raise NotElementwise
            axes = [axis.var for axis in block.iter_vars]
            body = block.body
        elif isinstance(body, tirx.For):
            body = body.body
        else:
            raise NotElementwise
    return body, axes


def pattern_of(indices: Sequence[Any], axes: Sequence[Any], shape: Sequence[int]) -> Pattern:
    """Say which axis each index is. Of an axis of one element the index is always 0."""
    pattern: list[int | None] = []
    for index, size in zip(indices, shape):
        if isinstance(index, prim.IntImm):
            if int(index) != 0 or size != 1:
                raise NotElementwise
            pattern.append(None)
            continue
        matches = [i for i, axis in enumerate(axes) if axis.same_as(index)]
        if not matches:
            raise NotElementwise
        pattern.append(matches[0])
    return tuple(pattern)


class Reader:
    """Looks at all of an expression; raises `NotElementwise` for what it does not know."""

    def __init__(self, axes: Sequence[Any]) -> None:
        self.axes = axes
        self.patterns: dict[Any, Pattern] = {}
        self.calls: set[str] = set()

    def visit(self, value: Any) -> None:
        if isinstance(value, BINARY):
            self.visit(value.a)
            self.visit(value.b)
        elif isinstance(value, prim.Not):
            self.visit(value.a)
        elif isinstance(value, prim.Cast):
            self.visit(value.value)
        elif isinstance(value, prim.Select):
            for part in (value.condition, value.true_value, value.false_value):
                self.visit(part)
        elif isinstance(value, tvm.ir.TensorLoad):
            shape = sizes_of(value.source.ty.shape)
            if shape is None:
                raise NotElementwise
            pattern = pattern_of(value.indices, self.axes, shape)
            if self.patterns.setdefault(value.source, pattern) != pattern:
                raise NotElementwise
        elif isinstance(value, tvm.ir.Call):
            if not isinstance(value.op, tvm.ir.Op):
                raise NotElementwise
            if not is_expanded(value):
                self.calls.add(value.op.name)
            for part in value.args:
                self.visit(part)
        elif not isinstance(value, LITERALS):
            raise NotElementwise
