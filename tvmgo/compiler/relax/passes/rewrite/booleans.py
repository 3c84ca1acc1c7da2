# SPDX-License-Identifier: Apache-2.0
"""Truth values: negated where NaN was compared, and compared by operators that LLVM has for them."""

from __future__ import annotations

from tvm import relax, tirx
from tvm.relax import op as R

from tvmgo.compiler.relax.expressions import is_float
from tvmgo.compiler.relax.passes.rewrite import Rewrite
from tvmgo.compiler.relax.passes.rewrite.elementwise import elementwise


def negated(condition: tirx.Expr) -> tirx.Expr:
    """Say that something does not hold, also of NaN.

    TVM makes ``a >= b`` of ``not (a < b)``, and of ``a != b`` what is false for NaN as ``a == b`` is.
    """
    return tirx.Select(condition, tirx.const(False, "bool"), tirx.const(True, "bool"))


def negate(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    (x,) = call.args
    return elementwise(bb, call, negated, x) if str(x.ty.dtype) == "bool" else call


def compare_booleans(equal: bool) -> Rewrite:
    def rewrite(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
        if is_float(call.args[0]) and not equal:
            return elementwise(bb, call, lambda a, b: negated(tirx.EQ(a, b)), *call.args)
        if str(call.args[0].ty.dtype) != "bool":
            return call
        differ = bb.normalize(R.logical_xor(*call.args))
        return negate(bb, bb.normalize(R.logical_not(differ))) if equal else differ

    return rewrite
