# SPDX-License-Identifier: Apache-2.0
"""The pass that rewrites operators, and its table."""

from __future__ import annotations

from typing import Any

import numpy as np
import tvm
from tvm import relax, tirx

from tvmgo.compiler.relax.passes.rewrite import Rewrite
from tvmgo.compiler.relax.passes.rewrite.booleans import compare_booleans, negate
from tvmgo.compiler.relax.passes.rewrite.division import guard_division
from tvmgo.compiler.relax.passes.rewrite.indices import (
    clamp_along_axis,
    clamp_coordinates,
    clamp_regions,
    clamp_take,
    clamp_tuple,
)
from tvmgo.compiler.relax.passes.rewrite.nan import (
    at_least,
    at_most,
    keep_product_with_zero,
    larger,
    propagate_nan,
    propagate_nan_in_clip,
    propagate_nan_in_relu,
    propagate_nan_in_sign,
    smaller,
)
from tvmgo.compiler.relax.passes.rewrite.reductions import identity_if_empty, reduce_with_nan
from tvmgo.compiler.relax.passes.rewrite.rounding import round_to_short_float
from tvmgo.compiler.relax.passes.rewrite.scalars import choose_with_dimension


@tvm.transform.module_pass(opt_level=0, name="RewriteOperators")
class RewriteOperators:
    """Rewrite calls as `REWRITES` says."""

    def transform_module(self, module: tvm.IRModule, _: Any) -> tvm.IRModule:
        rewriter = OperatorRewriter(module)
        for variable, function in module.functions_items():
            if isinstance(function, relax.Function):
                rewriter.builder_.update_func(variable, rewriter.visit_expr(function))
        return rewriter.builder_.get()


@relax.expr_functor.mutator
class OperatorRewriter(relax.PyExprMutator):  # type: ignore[misc]  # of type Any
    def visit_call_(self, call: relax.Call) -> relax.Expr:
        call = self.visit_expr_post_order(call)
        rewrite = REWRITES.get(call.op.name) if isinstance(call.op, tvm.ir.Op) else None
        return call if rewrite is None else rewrite(self.builder_, call)


REWRITES: dict[str, Rewrite] = {
    "relax.astype": round_to_short_float,
    "relax.take": clamp_take,
    "relax.gather_elements": clamp_along_axis,
    "relax.gather_nd": clamp_coordinates,
    "relax.scatter_elements": clamp_along_axis,
    "relax.scatter_nd": clamp_coordinates,
    "relax.index_tensor": clamp_tuple,
    "relax.index_put": clamp_tuple,
    "relax.vision.roi_align": clamp_regions,
    "relax.vision.roi_pool": clamp_regions,
    "relax.equal": compare_booleans(True),
    "relax.not_equal": compare_booleans(False),
    "relax.logical_not": negate,
    "relax.maximum": propagate_nan(larger, at_least),
    "relax.minimum": propagate_nan(smaller, at_most),
    "relax.multiply": keep_product_with_zero,
    "relax.sign": propagate_nan_in_sign,
    "relax.nn.relu": propagate_nan_in_relu,
    "relax.clip": propagate_nan_in_clip,
    "relax.where": choose_with_dimension,
    "relax.divide": guard_division(tirx.truncdiv, lambda a: 0 - a),
    "relax.floor_divide": guard_division(tirx.floordiv, lambda a: 0 - a),
    "relax.mod": guard_division(tirx.truncmod, lambda a: 0 * a),
    "relax.floor_mod": guard_division(tirx.floormod, lambda a: 0 * a),
    "relax.max": identity_if_empty(-np.inf, reduce_with_nan(larger, -np.inf)),
    "relax.min": identity_if_empty(np.inf, reduce_with_nan(smaller, np.inf)),
    "relax.sum": identity_if_empty(0),
    "relax.prod": identity_if_empty(1),
    "relax.mean": identity_if_empty(np.nan),
    "relax.matmul": identity_if_empty(0),
}
