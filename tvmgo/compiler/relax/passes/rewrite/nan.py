# SPDX-License-Identifier: Apache-2.0
"""NaN must not vanish: TVM's kernels compare, and a comparison with NaN is false."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tvm import relax, tirx

from tvmgo.compiler.relax.expressions import is_float, is_number
from tvmgo.compiler.relax.passes.rewrite import Rewrite
from tvmgo.compiler.relax.passes.rewrite.elementwise import elementwise


def larger(a: Any, b: Any) -> Any:
    """Return the larger one, or NaN if one of them is: only then does neither comparison hold."""
    return tirx.Select(a > b, a, tirx.Select(a <= b, b, a + b))


def smaller(a: Any, b: Any) -> Any:
    return tirx.Select(a < b, a, tirx.Select(a >= b, b, a + b))


def at_least(x: Any, limit: Any) -> Any:
    """The same for a limit that is a number, in one comparison."""
    return tirx.Select(x < limit, limit, x)


def at_most(x: Any, limit: Any) -> Any:
    return tirx.Select(x > limit, limit, x)


def propagate_nan(pick: Callable[..., Any], limit: Callable[..., Any]) -> Rewrite:
    def rewrite(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
        a, b = call.args
        if not is_float(a):
            return call
        if is_number(a):
            a, b = b, a
        return elementwise(bb, call, limit if is_number(b) else pick, a, b)

    return rewrite


def propagate_nan_in_relu(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    (x,) = call.args
    if not is_float(x):
        return call
    zero = tirx.const(0, str(x.ty.dtype))
    return elementwise(bb, call, lambda value: at_least(value, zero), x)


def propagate_nan_in_sign(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    (x,) = call.args
    if str(x.ty.dtype).startswith("uint"):  # TVM's kernel has a -1 in it
        return elementwise(
            bb, call, lambda value: tirx.min(value, tirx.const(1, str(x.ty.dtype))), x
        )
    if not is_float(x):
        return call
    zero, one = tirx.const(0, str(x.ty.dtype)), tirx.const(1, str(x.ty.dtype))

    def compute(value: Any) -> Any:
        negative = tirx.Select(value < zero, zero - one, tirx.Select(value == zero, zero, value))
        return tirx.Select(value > zero, one, negative)

    return elementwise(bb, call, compute, x)


def propagate_nan_in_clip(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    x, *limits = call.args
    if not is_float(x):
        return call
    lowest, highest = (tirx.const(float(limit.value), str(x.ty.dtype)) for limit in limits)
    return elementwise(bb, call, lambda value: at_most(at_least(value, lowest), highest), x)


def keep_product_with_zero(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    """TVM takes 0 for it, whatever the other factor is."""
    x, factor = call.args
    if is_number(x):
        x, factor = factor, x
    if not is_float(x) or not is_number(factor) or factor.value.numpy().any():
        return call
    return elementwise(bb, call, tirx.Mul, x, factor)
