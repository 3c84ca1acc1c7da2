# SPDX-License-Identifier: Apache-2.0
"""Kernels that compute each element of their result by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tvm import relax, te, tirx

from tvmgo.compiler.relax.expressions import shape_of


def elementwise(
    bb: relax.BlockBuilder, call: relax.Call, compute: Callable[..., Any], *arguments: relax.Expr
) -> relax.Expr:
    """Call a kernel that computes each element of the result from those of the arguments."""
    if not isinstance(call.ty.shape, relax.ShapeExpr):
        return call
    sizes = call.ty.shape.values
    same = [
        [str(a) == str(b) for a, b in zip(x.ty.shape.values, sizes[len(sizes) - x.ty.ndim :])]
        for x in arguments
    ]

    def element(x: te.Tensor, stays: Sequence[bool], index: tuple[Any, ...]) -> Any:
        own = zip(index[len(index) - len(x.shape) :], stays, x.shape)
        return x(*(i if keeps else place_in(size, i) for i, keeps, size in own))

    def kernel(shape: Any, *tensors: te.Tensor) -> te.Tensor:
        def compute_at(*index: Any) -> Any:
            return compute(*(element(x, stays, index) for x, stays in zip(tensors, same)))

        return te.compute(tuple(shape), compute_at)

    name = call.op.name.rpartition(".")[2]
    shape = shape_of(call)  # as numbers, if they are
    if shape is not None:
        return bb.call_te(partial(kernel, shape), *arguments, primfunc_name_hint=name)
    return bb.call_te(kernel, call.ty.shape, *arguments, primfunc_name_hint=name)


def place_in(size: Any, index: Any) -> Any:
    """Return where to read an axis that is repeated, if it has one place only."""
    # A 0 where there is nothing to broadcast would keep TVM from fusing the kernel.
    if isinstance(size, tirx.IntImm):
        return 0
    return tirx.Select(size == 1, tirx.const(0, "int64"), index)
