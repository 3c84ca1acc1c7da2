# SPDX-License-Identifier: Apache-2.0
"""Truth values are compared by their own operators: LLVM knows no comparison that TVM has for them."""

from __future__ import annotations

from tvm import relax
from tvm.relax import op as R

from tvmgo.compiler.relax.passes.rewrite import Rewrite


def compare_booleans(equal: bool) -> Rewrite:
    def rewrite(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
        if str(call.args[0].ty.dtype) != "bool":
            return call
        differ = bb.normalize(R.logical_xor(*call.args))
        return bb.normalize(R.logical_not(differ)) if equal else differ

    return rewrite
