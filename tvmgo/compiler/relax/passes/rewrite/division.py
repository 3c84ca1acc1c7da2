# SPDX-License-Identifier: Apache-2.0
"""A division of integers must not end the process.

The instruction does so when the divisor is 0, or when the quotient is one too large.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tvm import relax, tirx

from tvmgo.compiler.relax.expressions import constant
from tvmgo.compiler.relax.passes.rewrite import Rewrite
from tvmgo.compiler.relax.passes.rewrite.elementwise import elementwise


def guard_division(divide: Callable[..., Any], by_minus_one: Callable[[Any], Any]) -> Rewrite:
    """Divide by 1 where the divisor is 0; -1 is apart, since -(-128) is no int8."""

    def rewrite(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
        dtype, known = str(call.ty.dtype), constant(call.args[1])
        if "int" not in dtype or (known is not None and not np.isin(known, (0, -1)).any()):
            return call
        zero, one = tirx.const(0, dtype), tirx.const(1, dtype)

        def compute(a: Any, b: Any) -> Any:
            b_or_one = tirx.Select(b == zero, one, b)
            if dtype.startswith("uint"):
                return divide(a, b_or_one)
            minus_one = tirx.const(-1, dtype)
            safe = tirx.Select(b == minus_one, one, b_or_one)
            # What is computed of short integers comes out longer.
            opposite, quotient = by_minus_one(a).astype(dtype), divide(a, safe).astype(dtype)
            return tirx.Select(b == minus_one, opposite, quotient)

        return elementwise(bb, call, compute, *call.args)

    return rewrite
