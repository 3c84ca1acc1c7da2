# SPDX-License-Identifier: Apache-2.0
"""Sums of decision trees, as `importing.trees` says them."""

from __future__ import annotations

from typing import Any

from tvm import relax

from tvmgo.compiler.relax.expressions import constant, known_shape
from tvmgo.compiler.relax.templates.kernels.trees import TreesKernel
from tvmgo.compiler.relax.templates.operators.context import Context
from tvmgo.compiler.relax.trees import Trees


def replace_trees(
    context: Context, index: int, call: relax.Call, description: dict[str, Any]
) -> None:
    what = Trees(**description)
    x, *constants = call.args[1].fields
    contents = [constant(each) for each in constants]
    kernel = TreesKernel(
        what, known_shape(x), str(x.ty.dtype), [each.shape for each in contents if each is not None]
    )
    callee = context.builder.add_func(kernel.emit("trees"), "trees")
    arguments = [context.values.plain(x), *map(context.values.plain, constants)]
    types = [relax.TensorType(kernel.result, "float32")]
    if kernel.memory:
        types.append(relax.TensorType(kernel.memory, kernel.dtype))
    result = context.builder.emit(
        relax.call_tir(callee, arguments, types if kernel.memory else types[0])
    )
    if kernel.memory:
        result = context.builder.emit(relax.TupleGetItem(result, 0))
    context.set(context.block.bindings[index].var, result, channels_last=False)
