# SPDX-License-Identifier: Apache-2.0
"""The pass that brings quantised models into the form that kernels of bytes are made of."""

from __future__ import annotations

from typing import Any

import tvm
from tvm import relax

from tvmgo.compiler.relax.expressions import shape_of
from tvmgo.compiler.relax.passes.quantized import products
from tvmgo.compiler.relax.passes.quantized.moving import MOVING
from tvmgo.compiler.relax.passes.quantized.quantizing import Quantizer
from tvmgo.compiler.relax.passes.quantized.reading import Reader
from tvmgo.compiler.relax.passes.quantized.sums import Sums


@tvm.transform.module_pass(opt_level=0, name="UseBytes")
class UseBytes:
    """Compute products of quantised tensors, and what moves them, with bytes.

    A product is a ``conv2d`` or ``matmul`` to int32, of bytes less their zero point and of constant
    whole numbers; what is computed of it are kernels of single elements.
    """

    def transform_module(self, module: tvm.IRModule, _: Any) -> tvm.IRModule:
        rewriter = BytesRewriter(module)
        for variable, function in module.functions_items():
            if isinstance(function, relax.Function):
                rewriter.builder_.update_func(variable, rewriter.visit_expr(function))
        return rewriter.builder_.get()


@relax.expr_functor.mutator
class BytesRewriter(relax.PyExprMutator):  # type: ignore[misc]  # of type Any
    def __init__(self, module: tvm.IRModule) -> None:
        super().__init__(module)
        builder = self.builder_
        reader = Reader(self.lookup_binding, builder.emit)
        sums = Sums(reader)
        self.rewrites = {
            "relax.nn.conv2d": lambda call: products.conv2d(reader, builder, call),
            "relax.matmul": lambda call: products.matmul(reader, builder, call),
            "relax.add": sums.add,
            "relax.astype": sums.astype,
            "relax.quantize": Quantizer(builder, reader, sums).quantize,
            "relax.dequantize": reader.dequantize,
            **dict.fromkeys(MOVING, reader.move),
        }

    def visit_call_(self, call: relax.Call) -> relax.Expr:
        call = self.visit_expr_post_order(call)
        if not isinstance(call.op, tvm.ir.Op) or not isinstance(call.ty, relax.TensorType):
            return call
        rewrite = self.rewrites.get(call.op.name)
        tensors = [each for each in (call, *call.args) if isinstance(each.ty, relax.TensorType)]
        if rewrite is None or any(shape_of(each) is None for each in tensors):
            return call
        found = rewrite(call)
        return call if found is None else found
