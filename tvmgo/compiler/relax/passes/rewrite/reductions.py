# SPDX-License-Identifier: Apache-2.0
"""A reduction keeps NaN, and one of no elements has a value.

TVM's maximum and minimum compare, and a comparison with NaN is false. Its kernels set the result in
their first step, which no elements do not give.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tvm import relax, te, tirx

from tvmgo.compiler.relax.expressions import is_float, shape_of
from tvmgo.compiler.relax.passes.rewrite import Rewrite


def reduce_with_nan(pick: Callable[..., Any], start: float) -> Rewrite:
    def rewrite(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
        x, rank = call.args[0], call.args[0].ty.ndim
        given = range(rank) if call.attrs.axis is None else map(int, call.attrs.axis)
        axes = sorted(axis % rank for axis in given)
        if not is_float(x) or not axes:
            return call
        shape = call.ty.shape
        reducer = te.comm_reducer(pick, lambda dtype: tirx.const(start, dtype))

        def kernel(tensor: te.Tensor) -> te.Tensor:
            reduced = {axis: te.reduce_axis((0, tensor.shape[axis])) for axis in axes}

            def element(*index: Any) -> Any:
                if call.attrs.keepdims:
                    index = tuple(i for axis, i in enumerate(index) if axis not in reduced)
                kept = iter(index)
                place = [reduced[i] if i in reduced else next(kept) for i in range(rank)]
                return reducer(tensor(*place), axis=list(reduced.values()))

            return te.compute(shape, element)

        return bb.call_te(kernel, x, primfunc_name_hint=call.op.name.rpartition(".")[2])

    return rewrite


def identity_if_empty(identity: float, rewrite: Rewrite = lambda bb, call: call) -> Rewrite:
    """Give the reduction's identity everywhere if there is nothing to reduce.

    Of integers, -inf and inf are the lowest and the highest.
    """

    def rewrite_or_fill(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
        if all(0 not in (shape_of(x) or ()) for x in call.args):
            return rewrite(bb, call)
        dtype = np.dtype(str(call.ty.dtype))
        fill = identity
        if np.isinf(identity) and dtype.kind in "iub":
            low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
            fill = high if identity > 0 else low
        return relax.const(np.full(shape_of(call) or (), fill, dtype), str(dtype))

    return rewrite_or_fill
