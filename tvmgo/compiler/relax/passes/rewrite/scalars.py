# SPDX-License-Identifier: Apache-2.0
"""Operators whose kernels give a dimension to what has none."""

from __future__ import annotations

from tvm import relax
from tvm.relax import op as R


def choose_with_dimension(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    """TVM's `where` makes a row of one element of numbers: let it have rows of one."""
    if call.ty.ndim != 0:
        return call
    return R.reshape(bb.normalize(R.where(*(R.reshape(x, (1,)) for x in call.args))), ())
