# SPDX-License-Identifier: Apache-2.0
"""Attention, as `passes.attention` describes it."""

from __future__ import annotations

from typing import Any

from tvm import relax

from tvmgo.compiler.relax.attention import Attention
from tvmgo.compiler.relax.expressions import known_shape
from tvmgo.compiler.relax.templates.kernels.attention import AttentionKernel
from tvmgo.compiler.relax.templates.operators.context import Context


def replace_attention(
    context: Context, index: int, call: relax.Call, description: dict[str, Any]
) -> None:
    arguments = [context.values.plain(each) for each in call.args[1].fields]
    specs = [(known_shape(each), str(each.ty.dtype)) for each in arguments]
    kernel = AttentionKernel(Attention.read(description), specs[2][1], context.unit)
    dtype = str(call.ty.dtype)
    function = kernel.emit("attention", specs, known_shape(call), dtype)
    callee = context.builder.add_func(function, "attention")
    types = [call.ty, relax.TensorType((kernel.memory_size,), "float32")]
    made = context.builder.emit(relax.call_tir(callee, arguments, types))
    result = context.builder.emit(relax.TupleGetItem(made, 0))
    context.set(context.block.bindings[index].var, result, channels_last=False)
