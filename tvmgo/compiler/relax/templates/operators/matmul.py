# SPDX-License-Identifier: Apache-2.0
"""Products of matrices."""

from __future__ import annotations

from tvm import relax

from tvmgo.compiler.relax.expressions import constant, known_shape
from tvmgo.compiler.relax.templates.kernels.convolution import ConvolutionKernel
from tvmgo.compiler.relax.templates.kernels.emitting import size_of
from tvmgo.compiler.relax.templates.kernels.few_outputs import (
    FewOutputsKernel,
    has_few_outputs,
    pack_few_outputs,
)
from tvmgo.compiler.relax.templates.kernels.matmul import MatmulKernel
from tvmgo.compiler.relax.templates.kernels.packing import pack_weights
from tvmgo.compiler.relax.templates.kernels.windows import Windows
from tvmgo.compiler.relax.templates.operators.context import Context, can_compute, sum_type


def replace_matmul(context: Context, index: int, call: relax.Call) -> bool:
    a, b = call.args
    if not can_compute(call, a, b) or len(known_shape(b)) < 2:
        return False
    dtype = str(call.ty.dtype)
    *stack, depth, columns = known_shape(b)
    content = constant(b)
    if content is not None and size_of(stack) == 1:
        tail, epilogue, operands = context.take_tail(index, channels_last=False)
        rows = Windows(1, 1, size_of(known_shape(call)) // columns, depth, columns)
        weights = content.reshape(depth, columns).T.astype(sum_type(dtype))[:, :, None, None]
        few = has_few_outputs(rows)
        content = pack_few_outputs(weights) if few else pack_weights(weights, 1, False)
        packed = relax.const(content, str(content.dtype))  # unasked, it makes float64 float32
        name = f"matmul{tail.name}"
        template = FewOutputsKernel if few else ConvolutionKernel
        kernel = template(rows, epilogue, context.unit)
        function = kernel.emit(name, known_shape(a), dtype, sum_type(dtype))
    elif len(known_shape(a)) >= 2 and dtype == sum_type(dtype):
        tail, epilogue, operands = context.take_tail(index, channels_last=False)
        packed = context.values.plain(b)
        name = f"matmul{tail.name}"
        product = MatmulKernel(known_shape(a), known_shape(b), epilogue, context.unit)
        function = product.emit(name, dtype)
    else:
        return False
    arguments = [context.values.plain(a), packed, *operands]
    context.set(tail.result, context.call(function, name, arguments, epilogue), channels_last=False)
    return True
