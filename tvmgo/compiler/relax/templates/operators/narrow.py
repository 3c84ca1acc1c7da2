# SPDX-License-Identifier: Apache-2.0
"""Products with weights of few bits, as `relax.narrow` says them."""

from __future__ import annotations

from typing import Any

from tvm import relax

from tvmgo.compiler.relax.expressions import known_shape
from tvmgo.compiler.relax.narrow import Narrow
from tvmgo.compiler.relax.templates.kernels.narrow import NarrowKernel
from tvmgo.compiler.relax.templates.operators.context import Context


def replace_narrow(
    context: Context, index: int, call: relax.Call, description: dict[str, Any]
) -> None:
    what = Narrow(**description)
    x, *constants = call.args[1].fields
    specs = [(known_shape(each), str(each.ty.dtype)) for each in constants]
    tail, epilogue, operands = context.take_tail(index, channels_last=False)
    depth = known_shape(x)[-1]
    name = f"matmul{tail.name}"
    function = NarrowKernel(what, specs, depth, epilogue, context.unit).emit(
        name, known_shape(x), str(x.ty.dtype)
    )
    arguments = [context.values.plain(x), *constants, *operands]
    context.set(tail.result, context.call(function, name, arguments, epilogue), channels_last=False)
