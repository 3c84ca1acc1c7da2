# SPDX-License-Identifier: Apache-2.0
"""A reduction keeps NaN, and one of no elements has a value.

TVM's maximum and minimum compare, and a comparison with NaN is false. Its kernels set the result in
their first step, which no elements do not give.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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
        shape = shape_of(call)
        if shape is None and not isinstance(call.ty.shape, relax.ShapeExpr):
            return call
        reducer = te.comm_reducer(pick, lambda dtype: tirx.const(start, dtype))

        def kernel(tensor: te.Tensor, shape: Any) -> te.Tensor:
            reduced = {axis: te.reduce_axis((0, tensor.shape[axis])) for axis in axes}

            def element(*index: Any) -> Any:
                if call.attrs.keepdims:
                    index = tuple(i for axis, i in enumerate(index) if axis not in reduced)
                kept = iter(index)
                place = [reduced[i] if i in reduced else next(kept) for i in range(rank)]
                return reducer(tensor(*place), axis=list(reduced.values()))

            return te.compute(tuple(shape), element)

        name = call.op.name.rpartition(".")[2]
        if shape is not None:
            return bb.call_te(partial(kernel, shape=shape), x, primfunc_name_hint=name)
        return bb.call_te(kernel, x, call.ty.shape, primfunc_name_hint=name)

    return rewrite


def identity_if_empty(identity: float, rewrite: Rewrite = lambda bb, call: call) -> Rewrite:
    """Give the reduction's identity everywhere if there is nothing to reduce.

    Of integers, -inf and inf are the lowest and the highest.
    """

    def rewrite_or_fill(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
        maybe = open_reduced(call)
        if not maybe and all(0 not in (shape_of(x) or ()) for x in call.args):
            return rewrite(bb, call)
        dtype = np.dtype(str(call.ty.dtype))
        fill = identity
        if np.isinf(identity) and dtype.kind in "iub":
            low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
            fill = high if identity > 0 else low
        if maybe:
            result = bb.normalize(rewrite(bb, call))
            return fill_if_empty(bb, bb.emit(result), maybe, fill)
        return relax.const(np.full(shape_of(call) or (), fill, dtype), str(dtype))

    return rewrite_or_fill


def open_reduced(call: relax.Call) -> list[Any]:
    """Return the open sizes of what is reduced: arguments have them, the result has not."""
    if not isinstance(call.ty.shape, relax.ShapeExpr):
        return []
    kept = {str(size) for size in call.ty.shape.values}
    sizes = [size for x in call.args for size in getattr(x.ty.shape, "values", ())]
    return [s for s in sizes if not isinstance(s, tirx.IntImm) and str(s) not in kept]


def fill_if_empty(
    bb: relax.BlockBuilder, result: relax.Var, sizes: list[Any], fill: Any
) -> relax.Expr:
    dtype = str(result.ty.dtype)

    def kernel(x: te.Tensor, reduced: Any) -> te.Tensor:
        empty = tirx.const(False, "bool")
        for size in reduced:
            empty = tirx.Or(empty, tirx.EQ(size, tirx.const(0, "int64")))
        return te.compute(
            x.shape, lambda *index: tirx.Select(empty, tirx.const(fill, dtype), x(*index))
        )

    return bb.call_te(kernel, result, relax.ShapeExpr(sizes), primfunc_name_hint="fill_if_empty")
