# SPDX-License-Identifier: Apache-2.0
"""The pass that puts templates in place of operators."""

from __future__ import annotations

from typing import Any

import tvm
from tvm import relax
from tvm.relax.analysis import free_vars

from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit, vector_unit
from tvmgo.compiler.relax.templates.operators.context import Context
from tvmgo.compiler.relax.templates.operators.joining import plan_places
from tvmgo.compiler.relax.templates.operators.layouts import call_channels_last, map_channels_last
from tvmgo.compiler.relax.templates.operators.table import OPERATORS
from tvmgo.compiler.relax.templates.tails import Block
from tvmgo.compiler.relax.templates.values import Value, Values


@tvm.transform.module_pass(opt_level=0, name="UseTemplates")
class UseTemplates:
    """Replace operators by calls of templates, with the elementwise kernels behind them.

    Elementwise operators must be kernels already; those in `OPERATORS` must be none yet. Between
    templates images are NHWC.
    """

    def transform_module(self, module: tvm.IRModule, _: Any) -> tvm.IRModule:
        unit = vector_unit(tvm.target.Target.current())
        rewriter = TemplateRewriter(module, unit)
        for variable, function in module.functions_items():
            if isinstance(function, relax.Function):
                rewriter.builder_.update_func(variable, rewriter.visit_expr(function))
        return rewriter.builder_.get()


@relax.expr_functor.mutator
class TemplateRewriter(relax.PyExprMutator):  # type: ignore[misc]  # of type Any
    def __init__(self, module: tvm.IRModule, unit: VectorUnit) -> None:
        super().__init__(module)
        self.module = module
        self.unit = unit

    def visit_dataflow_block_(self, block: relax.DataflowBlock) -> relax.DataflowBlock:
        builder = self.builder_
        builder._begin_dataflow_block()
        bindings = Block(self.module, block)
        values = Values(builder, self.visit_expr)
        context = Context(bindings, values, builder, self.unit, plan_places(bindings))
        for i, binding in enumerate(bindings.bindings):
            if i not in bindings.taken:
                self.replace(context, i, binding)
            if not isinstance(binding.var, relax.DataflowVar):
                result = builder.emit_output(context.values.plain(binding.var))
                self.set_var_remap(binding.var, result)
                context.values[binding.var] = Value(plain=result)
        return builder._end_block()

    def replace(self, context: Context, index: int, binding: relax.Binding) -> None:
        call = binding.value
        if isinstance(call, relax.Call) and isinstance(call.op, tvm.ir.Op):
            operator = OPERATORS.get(call.op.name)
            if operator is not None and operator(context, index, call):
                return
            kernel = context.block.elementwise(call)
            if kernel is not None and (
                map_channels_last(context, index, call, kernel)
                or call_channels_last(context, binding.var, call, kernel)
            ):
                return
        for variable in free_vars(call):
            plain = context.values.plain(variable)
            if not plain.same_as(variable):
                self.set_var_remap(variable, plain)
        # A match_cast as well: it may change only what is unknown, and nothing is.
        value = context.builder.emit(self.visit_expr(call), binding.var.name)
        context.values[binding.var] = Value(plain=value)
