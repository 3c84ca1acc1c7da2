# SPDX-License-Identifier: Apache-2.0
"""Operators whose kernels TVM makes otherwise than a deployed model needs them.

- An index that is out of range must not reach memory of somebody else: it is clamped.
- Integers are divided by an instruction that ends the process when the divisor is 0, or when the
  quotient is one too large.
- NaN must not vanish: TVM's maximum and minimum compare, and a comparison with NaN is false.
- A reduction of no elements must have a value: TVM's kernels set it in the first step there is.

`REPLACEMENTS` says which; it comes before everything else, so that constants are folded by it too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tvm
from tvm import relax, te, tirx, topi
from tvm.relax import op as R

Replacement = Callable[[relax.BlockBuilder, relax.Call], relax.Expr]


@tvm.transform.module_pass(opt_level=0, name="ReplaceOperators")
class ReplaceOperators:
    """The pass that replaces calls as `REPLACEMENTS` says."""

    def transform_module(self, module: tvm.IRModule, _: Any) -> tvm.IRModule:
        replacer = Replacer(module)
        for variable, function in module.functions_items():
            if isinstance(function, relax.Function):
                replacer.builder_.update_func(variable, replacer.visit_expr(function))
        return replacer.builder_.get()


@relax.expr_functor.mutator
class Replacer(relax.PyExprMutator):  # type: ignore[misc]
    def visit_call_(self, call: relax.Call) -> relax.Expr:
        call = self.visit_expr_post_order(call)
        replace = REPLACEMENTS.get(call.op.name) if isinstance(call.op, tvm.ir.Op) else None
        return call if replace is None else replace(self.builder_, call)


# Indices


def shape_of(x: relax.Expr) -> list[int] | None:
    shape = x.ty.shape
    if not isinstance(shape, relax.ShapeExpr):
        return None  # refused later, where all shapes are looked at
    return [int(size) for size in shape.values] if all(map(is_size, shape.values)) else None


def is_size(dim: Any) -> bool:
    return isinstance(dim, tirx.IntImm)


def clamp(indices: relax.Expr, sizes: list[int], *, negative: bool) -> relax.Expr:
    """Clamp indices to a range per last coordinate; `negative`: the kernel counts from the end."""
    dtype = str(indices.ty.dtype)
    most = np.iinfo(dtype).max
    highest = np.array([min(size - 1, most) for size in sizes])
    lowest = -1 - highest if negative else 0 * highest
    if not dtype.startswith("uint"):
        indices = R.maximum(indices, relax.const(lowest, dtype))
    return R.minimum(indices, relax.const(highest, dtype))


def clamp_take(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    if call.attrs.mode != "fast":  # which trusts the indices
        return call
    axis = None if call.attrs.axis is None else int(call.attrs.axis)
    return R.take(call.args[0], call.args[1], axis, mode="clip")


def clamp_along_axis(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    data, indices, *updates = call.args
    shape = shape_of(data)
    if shape is None:
        return call
    size = shape[int(call.attrs.axis)]
    # Only the kernel that scatters counts from the end.
    indices = bb.normalize(clamp(indices, [size], negative=bool(updates)))
    return relax.Call(call.op, [data, indices, *updates], call.attrs, call.ty_args)


def clamp_coordinates(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    data, indices, *updates = call.args
    shape, coordinates = shape_of(data), shape_of(indices)
    if shape is None or coordinates is None:
        return call
    first = 0 if updates else int(call.attrs.batch_dims)
    sizes = shape[first : first + coordinates[-1]]
    indices = bb.normalize(clamp(indices, sizes, negative=False))
    return relax.Call(call.op, [data, indices, *updates], call.attrs, call.ty_args)


def clamp_tuple(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    """The indices are a tuple: one tensor for each of the first axes, counted from either end."""
    data, indices, *values = call.args
    shape = shape_of(data)
    if shape is None:
        return call
    fields = []
    for i, size in zip(range(len(indices.ty.fields)), shape):
        index = bb.emit(clamp(bb.normalize(relax.TupleGetItem(indices, i)), [size], negative=True))
        dtype = str(index.ty.dtype)
        from_end = R.add(index, relax.const(size, dtype))
        fields.append(bb.emit(R.where(R.less(index, relax.const(0, dtype)), from_end, index)))
    # The kernel at once, since TVM cannot fuse what makes a tuple.
    if values:
        return bb.call_te(topi.index_put, data, fields, *values, accumulate=call.attrs.accumulate)
    return bb.call_te(topi.index_tensor, data, fields)


def clamp_regions(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    """The first number of each region is the picture's."""
    data, regions = call.args
    shape = shape_of(data)
    if shape is None:
        return call
    dtype = str(regions.ty.dtype)
    lowest = relax.const(np.array([0] + 4 * [-np.inf]), dtype)
    highest = relax.const(np.array([shape[0] - 1] + 4 * [np.inf]), dtype)
    regions = bb.normalize(R.minimum(R.maximum(regions, lowest), highest))
    return relax.Call(call.op, [data, regions], call.attrs, call.ty_args)


# Elements


def is_float(x: relax.Expr) -> bool:
    return "float" in str(x.ty.dtype)


def constant(x: relax.Expr) -> np.ndarray | None:
    return x.value.numpy() if isinstance(x, tvm.ir.GenericConst) else None


def is_number(x: relax.Expr) -> bool:
    """Whether this is a constant without NaN."""
    value = constant(x)
    return value is not None and not np.isnan(value.astype("float64")).any()


def elementwise(
    bb: relax.BlockBuilder, call: relax.Call, compute: Callable[..., Any], *arguments: relax.Expr
) -> relax.Expr:
    """Call a kernel that computes each element of the result from those of the arguments."""
    shape = shape_of(call)
    if shape is None:
        return call

    def element(x: te.Tensor, index: tuple[Any, ...]) -> Any:
        skipped = len(index) - len(x.shape)
        # A 0 where there is nothing to broadcast would keep TVM from fusing the kernel.
        stays = (dim == size for dim, size in zip(x.shape, shape[skipped:]))
        return x(*(i if same else 0 for i, same in zip(index[skipped:], stays)))

    def kernel(*tensors: te.Tensor) -> te.Tensor:
        return te.compute(shape, lambda *index: compute(*(element(x, index) for x in tensors)))

    name = call.op.name.rpartition(".")[2]
    return bb.call_te(kernel, *arguments, primfunc_name_hint=name)


def larger(a: Any, b: Any) -> Any:
    """Return the larger one, or NaN if one of them is: only then does neither comparison hold."""
    return tirx.Select(a > b, a, tirx.Select(a <= b, b, a + b))


def smaller(a: Any, b: Any) -> Any:
    return tirx.Select(a < b, a, tirx.Select(a >= b, b, a + b))


def at_least(x: Any, limit: Any) -> Any:
    """The same for a limit that is a number, in one comparison."""
    return tirx.Select(x < limit, limit, x)


def at_most(x: Any, limit: Any) -> Any:
    return tirx.Select(x > limit, limit, x)


def keep_nan(pick: Callable[..., Any], limit: Callable[..., Any]) -> Replacement:
    def replace(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
        a, b = call.args
        if not is_float(a):
            return call
        if is_number(a):
            a, b = b, a
        return elementwise(bb, call, limit if is_number(b) else pick, a, b)

    return replace


def keep_nan_in_relu(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    (x,) = call.args
    if not is_float(x):
        return call
    zero = tirx.const(0, str(x.ty.dtype))
    return elementwise(bb, call, lambda value: at_least(value, zero), x)


def keep_nan_in_sign(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    (x,) = call.args
    if not is_float(x):
        return call
    zero, one = tirx.const(0, str(x.ty.dtype)), tirx.const(1, str(x.ty.dtype))

    def compute(value: Any) -> Any:
        negative = tirx.Select(value < zero, zero - one, tirx.Select(value == zero, zero, value))
        return tirx.Select(value > zero, one, negative)

    return elementwise(bb, call, compute, x)


def keep_nan_in_clip(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    x, *limits = call.args
    if not is_float(x):
        return call
    lowest, highest = (tirx.const(float(limit.value), str(x.ty.dtype)) for limit in limits)
    return elementwise(bb, call, lambda value: at_most(at_least(value, lowest), highest), x)


def divide_safely(divide: Callable[..., Any], by_minus_one: Callable[[Any], Any]) -> Replacement:
    """Divide by 1 where the divisor is 0; -1 is apart, since -(-128) is no int8."""

    def replace(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
        dtype, known = str(call.ty.dtype), constant(call.args[1])
        if "int" not in dtype or (known is not None and not np.isin(known, (0, -1)).any()):
            return call
        zero, one = tirx.const(0, dtype), tirx.const(1, dtype)

        def compute(a: Any, b: Any) -> Any:
            b_or_one = tirx.Select(b == zero, one, b)
            if dtype.startswith("uint"):
                return divide(a, b_or_one)
            minus_one = tirx.const(-1, dtype)
            safe = tirx.Select(b == minus_one, one, b_or_one)
            return tirx.Select(b == minus_one, by_minus_one(a), divide(a, safe))

        return elementwise(bb, call, compute, *call.args)

    return replace


# Reductions


def reduce_keeping_nan(pick: Callable[..., Any], start: float) -> Replacement:
    def replace(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
        x, rank = call.args[0], call.args[0].ty.ndim
        given = range(rank) if call.attrs.axis is None else map(int, call.attrs.axis)
        axes = sorted(axis % rank for axis in given)
        if not is_float(x) or not axes:
            return call
        shape = call.ty.shape
        reducer = te.comm_reducer(pick, lambda dtype: tirx.const(start, dtype))

        def kernel(tensor: te.Tensor) -> te.Tensor:
            reduced = {axis: te.reduce_axis((0, tensor.shape[axis])) for axis in axes}

            def element(*index: Any) -> Any:
                if call.attrs.keepdims:
                    index = tuple(i for axis, i in enumerate(index) if axis not in reduced)
                kept = iter(index)
                place = [reduced[i] if i in reduced else next(kept) for i in range(rank)]
                return reducer(tensor(*place), axis=list(reduced.values()))

            return te.compute(shape, element)

        return bb.call_te(kernel, x, primfunc_name_hint=call.op.name.rpartition(".")[2])

    return replace


def or_if_empty(value: float, replace: Replacement = lambda bb, call: call) -> Replacement:
    """Return `value` everywhere if there is nothing to reduce."""

    def replace_or_fill(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
        if all(0 not in (shape_of(x) or ()) for x in call.args):
            return replace(bb, call)
        dtype = np.dtype(str(call.ty.dtype))
        fill = value
        if np.isinf(value) and dtype.kind in "iub":
            low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
            fill = high if value > 0 else low
        return relax.const(np.full(shape_of(call) or (), fill, dtype), str(dtype))

    return replace_or_fill


REPLACEMENTS: dict[str, Replacement] = {
    "relax.take": clamp_take,
    "relax.gather_elements": clamp_along_axis,
    "relax.gather_nd": clamp_coordinates,
    "relax.scatter_elements": clamp_along_axis,
    "relax.scatter_nd": clamp_coordinates,
    "relax.index_tensor": clamp_tuple,
    "relax.index_put": clamp_tuple,
    "relax.vision.roi_align": clamp_regions,
    "relax.vision.roi_pool": clamp_regions,
    "relax.maximum": keep_nan(larger, at_least),
    "relax.minimum": keep_nan(smaller, at_most),
    "relax.sign": keep_nan_in_sign,
    "relax.nn.relu": keep_nan_in_relu,
    "relax.clip": keep_nan_in_clip,
    "relax.divide": divide_safely(tirx.truncdiv, lambda a: 0 - a),
    "relax.floor_divide": divide_safely(tirx.floordiv, lambda a: 0 - a),
    "relax.mod": divide_safely(tirx.truncmod, lambda a: 0 * a),
    "relax.floor_mod": divide_safely(tirx.floormod, lambda a: 0 * a),
    "relax.max": or_if_empty(-np.inf, reduce_keeping_nan(larger, -np.inf)),
    "relax.min": or_if_empty(np.inf, reduce_keeping_nan(smaller, np.inf)),
    "relax.sum": or_if_empty(0),
    "relax.prod": or_if_empty(1),
    "relax.matmul": or_if_empty(0),
}
