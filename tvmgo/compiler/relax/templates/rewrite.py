# SPDX-License-Identifier: Apache-2.0
"""The pass that puts templates in place of operators."""

from __future__ import annotations

from typing import Any

import tvm
from tvm import relax, te
from tvm.relax.analysis import free_vars

from tvmgo.compiler.relax.expressions import shape_of
from tvmgo.compiler.relax.templates.elementwise import Elementwise
from tvmgo.compiler.relax.templates.epilogue import vectorise
from tvmgo.compiler.relax.templates.operators import OPERATORS, Context
from tvmgo.compiler.relax.templates.tails import Block, is_aligned
from tvmgo.compiler.relax.templates.values import TO_NHWC, Value, Values
from tvmgo.compiler.relax.templates.vectors import VectorUnit, vector_unit


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
        context = Context(bindings, Values(builder), builder, self.unit)
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
            if kernel is not None and call_channels_last(context, binding.var, call, kernel):
                return
        for variable in free_vars(call):
            plain = context.values.plain(variable)
            if not plain.same_as(variable):
                self.set_var_remap(variable, plain)
        if isinstance(binding, relax.MatchCast):
            raise NotImplementedError
        value = context.builder.emit(self.visit_expr(call))
        context.values[binding.var] = Value(plain=value)


def call_channels_last(
    context: Context, variable: relax.Var, call: relax.Call, kernel: Elementwise
) -> bool:
    """Compute an elementwise kernel as NHWC, where it would else need copies."""
    shape = shape_of(call)
    arguments = [
        (kernel.patterns[parameter], argument)
        for parameter, argument in zip(kernel.parameters, call.args[1].fields)
        if parameter in kernel.patterns
    ]
    values = context.values
    if (
        len(shape) != 4
        or not any(values.is_channels_last(argument) for _, argument in arguments)
        or not all(is_aligned(pattern, 4) for pattern, _ in arguments)
        or not all(len(pattern) in (0, 4) for pattern, _ in arguments)
    ):
        return False
    tensors = [
        values.channels_last(argument) if pattern else values.plain(argument)
        for pattern, argument in arguments
    ]
    parameters = [each for each in kernel.parameters if each in kernel.patterns]

    def compute(*inputs: te.Tensor) -> te.Tensor:
        known = dict(zip(parameters, inputs))

        def element(*index: Any) -> Any:
            old = dict(zip(TO_NHWC, index))

            def read(parameter: Any) -> Any:
                pattern = kernel.patterns[parameter]
                if not pattern:
                    return known[parameter]()
                return known[parameter](
                    *(0 if pattern[axis] is None else old[axis] for axis in TO_NHWC)
                )

            return vectorise(kernel.value, read, 1)

        return te.compute([shape[axis] for axis in TO_NHWC], element)

    name = call.args[0].name_hint
    result = context.builder.emit(
        context.builder.call_te(compute, *tensors, primfunc_name_hint=name)
    )
    values[variable] = Value(channels_last=result)
    return True
