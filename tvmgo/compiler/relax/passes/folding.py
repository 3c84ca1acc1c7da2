# SPDX-License-Identifier: Apache-2.0
"""Constants computed by NumPy. TVM's own pass compiles a kernel for each operator that it folds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tvm
from tvm import relax
from tvm.relax import op as R
from tvm.relax.analysis import free_vars

from tvmgo.compiler.relax.expressions import constant, is_float, known_shape, shape_of

Fold = Callable[..., np.ndarray | None]  # None: of what is known now, it cannot be computed


def reshape(call: relax.Call, x: np.ndarray) -> np.ndarray:
    return x.reshape(known_shape(call))


def broadcast(call: relax.Call, x: np.ndarray) -> np.ndarray:
    return np.broadcast_to(x, known_shape(call))


def permute(call: relax.Call, x: np.ndarray) -> np.ndarray:
    axes = call.attrs.axes
    return x.transpose(None if axes is None else [int(axis) for axis in axes])


def sizes(call: relax.Call) -> np.ndarray | None:
    values = call.args[0].ty.values
    if values is None or not all(isinstance(value, tvm.tirx.IntImm) for value in values):
        return None
    return np.array([int(value) for value in values], "int64")


def cut(call: relax.Call, x: np.ndarray) -> np.ndarray | None:
    """Take a part, forwards; TVM counts otherwise than NumPy from the end backwards."""
    axes, begins, ends, *steps = ([int(value) for value in each.fields] for each in call.args[1:])
    strides = steps[0] if steps else [1] * len(axes)
    if min(strides, default=1) < 1:
        return None
    places = [slice(None)] * x.ndim
    for axis, *part in zip(axes, begins, ends, strides):
        places[axis] = slice(*part)
    value = x[tuple(places)]
    return value if value.shape == known_shape(call) else None


def same(compute: Callable[..., np.ndarray]) -> Fold:
    """An operator that NumPy rounds as every processor does."""
    return lambda _, *operands: compute(*operands)


# What gives the same bits by NumPy as by a kernel.
FOLDS: dict[str, Fold] = {
    "relax.reshape": reshape,
    "relax.expand_dims": reshape,
    "relax.squeeze": reshape,
    "relax.flatten": reshape,
    "relax.broadcast_to": broadcast,
    "relax.permute_dims": permute,
    "relax.shape_to_tensor": sizes,
    "relax.strided_slice": cut,
    "relax.add": same(np.add),
    "relax.subtract": same(np.subtract),
    "relax.multiply": same(np.multiply),
    "relax.sqrt": same(np.sqrt),
    "relax.negative": same(np.negative),
    "relax.maximum": same(np.maximum),
    "relax.minimum": same(np.minimum),
    "relax.where": same(np.where),
}

# Of integers, NumPy computes these in other types, or they are none of it.
OF_FLOATS = ("relax.sqrt", "relax.negative")
# Of floats, it may choose the other one of two zeros.
OF_INTEGERS = ("relax.maximum", "relax.minimum")


@tvm.transform.module_pass(opt_level=0, name="FoldConstants")
class FoldConstants:
    """Compute what is constant: by NumPy, as `FOLDS` says, and all else by kernels."""

    def transform_module(self, module: tvm.IRModule, _: Any) -> tvm.IRModule:
        module = rewrite_functions(module, ConstantFolder(module))
        return relax.transform.FoldConstant()(module) if has_constant_calls(module) else module


def has_constant_calls(module: tvm.IRModule) -> bool:
    """Whether anything is called without a variable: TVM looks long at each call, in any case."""
    return any(
        isinstance(binding.value, relax.Call) and not free_vars(binding.value)
        for function in module.functions.values()
        if isinstance(function, relax.Function)
        for block in function.body.blocks
        for binding in block.bindings
    )


@relax.expr_functor.mutator
class ConstantFolder(relax.PyExprMutator):  # type: ignore[misc]  # of type Any
    def __init__(self, module: tvm.IRModule) -> None:
        super().__init__(module)
        self.known: dict[relax.Var, relax.Expr] = {}

    def visit_var_binding_(self, binding: relax.VarBinding) -> None:
        super().visit_var_binding_(binding)
        variable = self.visit_expr(binding.var)
        if not isinstance(variable, relax.Var):  # of a call without result: an empty tuple
            return
        value = self.builder_.lookup_binding(variable)
        if constant(value) is not None:
            self.known[binding.var] = value

    def visit_dataflow_var_(self, variable: relax.Var) -> relax.Expr:
        return self.known.get(variable) or super().visit_dataflow_var_(variable)

    def visit_call_(self, call: relax.Call) -> relax.Expr:
        call = self.visit_expr_post_order(call)
        fold = FOLDS.get(call.op.name) if isinstance(call.op, tvm.ir.Op) else None
        if fold is None or shape_of(call) is None:
            return call
        if call.op.name in (OF_INTEGERS if is_float(call) else OF_FLOATS):
            return call
        operands = [constant(each) for each in call.args if not is_described(each)]
        if not all(each is not None for each in operands):
            return call
        with np.errstate(all="ignore"):
            value = fold(call, *operands)
        if value is None:
            return call
        dtype = str(call.ty.dtype)
        return relax.const(np.ascontiguousarray(value).astype(dtype, copy=False), dtype)


def is_described(x: relax.Expr) -> bool:
    """Whether it says what is to be done, not to what."""
    return isinstance(x.ty, relax.ShapeType) or isinstance(x, relax.Tuple)


@tvm.transform.module_pass(opt_level=0, name="FoldBatchNorm")
class FoldBatchNorm:
    """Make batch normalisations with constant numbers one product and one sum."""

    def transform_module(self, module: tvm.IRModule, _: Any) -> tvm.IRModule:
        return rewrite_functions(module, BatchNormFolder(module))


@relax.expr_functor.mutator
class BatchNormFolder(relax.PyExprMutator):  # type: ignore[misc]
    def visit_call_(self, call: relax.Call) -> relax.Expr:
        call = self.visit_expr_post_order(call)
        if call.op != tvm.ir.Op.get("relax.nn.batch_norm"):
            return call
        x, *rest = call.args[:5]
        numbers = [value for value in map(constant, rest) if value is not None]
        if len(numbers) < len(rest) or not is_float(x):
            return call
        gamma, beta, mean, variance = (each.astype("float64") for each in numbers)
        attrs = call.attrs
        with np.errstate(all="ignore"):
            scale = 1 / np.sqrt(variance + float(attrs.epsilon))
            scale = scale * gamma if attrs.scale else scale
            shift = (beta if attrs.center else 0) - mean * scale
        if not scale.all():
            return call  # TVM would make a product with a plain 0 that number, even of NaN
        sizes = [1] * x.ty.ndim
        sizes[int(attrs.axis)] = -1
        dtype = str(x.ty.dtype)
        factor, summand = (
            relax.const(each.astype(dtype).reshape(sizes), dtype) for each in (scale, shift)
        )
        product = self.builder_.emit(R.multiply(x, factor))
        return relax.Tuple([self.builder_.emit(R.add(product, summand)), *rest[2:]])


def rewrite_functions(module: tvm.IRModule, rewriter: relax.PyExprMutator) -> tvm.IRModule:
    for variable, function in module.functions_items():
        if isinstance(function, relax.Function):
            rewriter.builder_.update_func(variable, rewriter.visit_expr(function))
    return rewriter.builder_.get()
