# SPDX-License-Identifier: Apache-2.0
"""Operators that move values, or choose among them, and so do the same to bytes as to floats."""

from __future__ import annotations

import tvm
from tvm import relax
from tvm.relax import op as R

MOVING = frozenset(
    f"relax.{name}"
    for name in (
        *("reshape", "permute_dims", "expand_dims", "squeeze", "flatten", "strided_slice"),
        *("take", "broadcast_to", "nn.max_pool2d"),
    )
)


def source_of(call: relax.Expr | None) -> relax.Expr | None:
    """Return what a call moves, if it does nothing else."""
    if not isinstance(call, relax.Call) or not isinstance(call.op, tvm.ir.Op):
        return None
    return call.args[0] if call.op.name in MOVING else None


def moved_like(call: relax.Call, x: relax.Expr) -> relax.Expr:
    """Return `x` moved as a call moves its first argument."""
    if call.op.name == "relax.nn.max_pool2d":
        names = ("pool_size", "strides", "padding", "dilation", "ceil_mode", "count_include_pad")
        return R.nn.max_pool2d(x, **{name: getattr(call.attrs, name) for name in names})
    return relax.Call(call.op, [x, *call.args[1:]], call.attrs, call.ty_args)
