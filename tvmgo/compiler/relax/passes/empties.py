# SPDX-License-Identifier: Apache-2.0
"""Constants without elements: libraries for the virtual machine that hold one cannot be loaded."""

from __future__ import annotations

from typing import Any

import tvm
from tvm import relax

from tvmgo.compiler.relax.expressions import shape_of
from tvmgo.compiler.relax.passes.folding import rewrite_functions


@relax.expr_functor.mutator
class Emptier(relax.PyExprMutator):  # type: ignore[misc]  # of type Any
    def visit_generic_const_(self, constant: tvm.ir.GenericConst) -> relax.Expr:
        shape = shape_of(constant)
        if shape is None or 0 not in shape:
            return constant
        made = relax.op.builtin.alloc_tensor(relax.ShapeExpr(shape), str(constant.ty.dtype), 0)
        return self.builder_.emit(made)


@tvm.transform.module_pass(opt_level=0, name="AllocateEmpties")
class AllocateEmpties:
    """Allocate tensors for constants without elements."""

    def transform_module(self, module: tvm.IRModule, _: Any) -> tvm.IRModule:
        return rewrite_functions(module, Emptier(module))
