# SPDX-License-Identifier: Apache-2.0
"""Running sums and products."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tvm import relax

from tvmgo.compiler.relax.expressions import known_shape
from tvmgo.compiler.relax.templates.kernels.emitting import size_of
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue
from tvmgo.compiler.relax.templates.kernels.packing import BLOCK
from tvmgo.compiler.relax.templates.kernels.scanning import ScanKernel
from tvmgo.compiler.relax.templates.operators.context import MOST_ELEMENTS, Context, Operator

DTYPES = ("float32", "float64", "int32", "int64")


def replace_scan(combine: Callable[[Any, Any], Any], identity: int) -> Operator:
    """Along the last axis, or an axis in front of few elements, TVM's kernel does as well."""

    def replace(context: Context, index: int, call: relax.Call) -> bool:
        (x,) = call.args
        shape, axis = known_shape(x), call.attrs.axis
        dtypes = str(x.ty.dtype), str(call.ty.dtype)
        if axis is None or not set(dtypes) <= set(DTYPES):
            return False
        axis = int(axis) % len(shape)
        if size_of(shape[axis + 1 :]) < BLOCK or not 0 < size_of(shape) <= MOST_ELEMENTS:
            return False
        exclusive = bool(call.attrs.exclusive)
        kernel = ScanKernel(shape, axis, combine, identity, exclusive, context.unit)
        name = call.op.name.rpartition(".")[2]
        arguments = [context.values.plain(x)]
        result = Epilogue(tuple(shape), dtypes[1])
        result = context.call(kernel.emit(name, *dtypes), name, arguments, result)
        context.set(context.block.bindings[index].var, result, channels_last=False)
        return True

    return replace


SCANS = {
    "relax.cumsum": replace_scan(operator.add, 0),
    "relax.cumprod": replace_scan(operator.mul, 1),
}
