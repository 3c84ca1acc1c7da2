# SPDX-License-Identifier: Apache-2.0
"""Products with constant weights of few bits, whose values are floats: the weights stay as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import tvm
from tvm import relax

from tvmgo.compiler.relax.expressions import constant, known_shape, shape_of
from tvmgo.compiler.relax.narrow import WORD, Narrow, halves, integers, narrow_product
from tvmgo.compiler.relax.passes.quantized.reading import Reader, Whole, axes_of

HALVES = ("float16", "bfloat16")
BITS = (2, 4, 8)
FEWEST_COLUMNS = 5  # fewer outputs have a kernel of their own


@tvm.transform.module_pass(opt_level=0, name="KeepNarrow")
class KeepNarrow:
    """Multiply with weights of eight bits, float16 or bfloat16 as they are, in float32 arithmetic.

    What `UseBytes` has made a product of bytes is none of floats any more.
    """

    def transform_module(self, module: tvm.IRModule, _: Any) -> tvm.IRModule:
        rewriter = NarrowRewriter(module)
        for variable, function in module.functions_items():
            if isinstance(function, relax.Function):
                rewriter.builder_.update_func(variable, rewriter.visit_expr(function))
        return rewriter.builder_.get()


@relax.expr_functor.mutator
class NarrowRewriter(relax.PyExprMutator):  # type: ignore[misc]  # of type Any
    def __init__(self, module: tvm.IRModule) -> None:
        super().__init__(module)
        self.reader = Reader(self.lookup_binding, self.builder_.emit)

    def visit_call_(self, call: relax.Call) -> relax.Expr:
        call = self.visit_expr_post_order(call)
        if call.op != tvm.ir.Op.get("relax.matmul") or str(call.ty.dtype) != "float32":
            return call
        x, weights = call.args
        shape = shape_of(weights)
        if shape_of(x) is None or shape is None or len(shape) != 2 or 0 in known_shape(x):
            return call
        if shape[1] < FEWEST_COLUMNS or shape[0] == 0 or str(x.ty.dtype) != "float32":
            return call
        packed = self.packed(weights)
        return call if packed is None else narrow_product(self.builder_, x, *packed)

    def packed(self, weights: relax.Expr) -> tuple[Narrow, list[np.ndarray]] | None:
        half = self.half_of(weights)
        if half is not None:
            return halves(half)
        if constant(weights) is not None:  # floats that happen to be whole
            return None
        whole = self.reader.whole_of(weights)
        return None if whole is None else packed_bytes(whole)

    def half_of(self, x: relax.Expr) -> np.ndarray | None:
        """Return the constant of two bytes an element that floats are made of."""
        call = self.reader.call(x, "relax.astype", "relax.permute_dims")
        if call is None:
            return None
        if call.op.name == "relax.permute_dims":
            half = self.half_of(call.args[0])
            return None if half is None else half.transpose(axes_of(call, half.ndim))
        content = constant(call.args[0])
        return content if content is not None and str(content.dtype) in HALVES else None


def packed_bytes(whole: Whole) -> tuple[Narrow, list[np.ndarray]] | None:
    """Pack whole numbers with one scale, or one a column, in as few bits as hold them."""
    values, scale = whole.values, whole.scale
    low, high = min(int(values.min()), 0), max(int(values.max()), 0)
    bits = next((each for each in BITS if high - low < 1 << each), None)
    if bits is None or (scale.size > 1 and whole.axis != 1):
        return None
    half, steps = 1 << (bits - 1), WORD // bits
    zero = half if -half <= low and high < half else -low
    rows, columns = values.shape
    filled = np.full((-(-rows // steps) * steps, columns), zero, np.uint8)
    filled[:rows] = values + zero
    scales = np.broadcast_to(scale.reshape(-1), columns)[None]
    return integers(filled, scales, np.full((1, columns), zero), bits)
