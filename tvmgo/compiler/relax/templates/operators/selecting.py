# SPDX-License-Identifier: Apache-2.0
"""The largest or smallest elements along an axis."""

from __future__ import annotations

import math

from tvm import relax
from tvm.relax import op as R

from tvmgo.compiler.relax.expressions import known_shape
from tvmgo.compiler.relax.templates.kernels.selecting import SelectionKernel
from tvmgo.compiler.relax.templates.operators.context import Context, can_index, sum_type

# From so many elements on, if they are more than such a power of a row's length, sorting is faster than a heap.
FEW, SHARE = 4, 0.725

DTYPES = ("float16", "float32", "float64", "int32", "int64")


def replace_top_k(context: Context, index: int, call: relax.Call) -> bool:
    (x,) = call.args
    attrs, dtype, shape = call.attrs, str(x.ty.dtype), known_shape(x)
    axis, count = int(attrs.axis) % len(shape), int(attrs.k)
    if str(attrs.ret_type) != "both" or dtype not in DTYPES or not can_index(x):
        return False
    if count < 1 or (count >= FEW and math.log(count) >= SHARE * math.log(shape[axis])):
        return False
    emit = context.builder.emit
    rows, wide, places = context.values.plain(x), sum_type(dtype), str(attrs.dtype)
    order = [*(i for i in range(len(shape)) if i != axis), axis]
    is_last = axis == len(shape) - 1
    if not is_last:
        rows = emit(R.permute_dims(rows, order))
    if wide != dtype:
        rows = emit(R.astype(rows, wide))
    outer = [shape[i] for i in order[:-1]]
    kernel = SelectionKernel([*outer, shape[axis]], count, bool(attrs.largest), context.unit)
    callee = context.builder.add_func(kernel.emit("topk", wide, places), "topk")
    types = [relax.TensorType([*outer, count], each) for each in (wide, places)]
    both = emit(relax.call_tir(callee, [rows], types))
    results = []
    for number, each in enumerate((dtype, places)):
        result = emit(relax.TupleGetItem(both, number))
        if number == 0 and wide != dtype:
            result = emit(R.astype(result, each))
        if not is_last:
            result = emit(R.permute_dims(result, [order.index(i) for i in range(len(shape))]))
        results.append(result)
    context.set(context.block.bindings[index].var, emit(relax.Tuple(results)), channels_last=False)
    return True
