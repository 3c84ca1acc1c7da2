# SPDX-License-Identifier: Apache-2.0
"""An index that is out of range must not reach memory of somebody else: it is clamped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tvm import relax, te, tirx, topi
from tvm.relax import op as R

from tvmgo.compiler.relax.expressions import shape_of
from tvmgo.compiler.relax.shapes import sizes_of


def clamp(
    bb: relax.BlockBuilder, indices: relax.Expr, sizes: Sequence[Any], *, negative: bool
) -> relax.Expr:
    """Clamp indices to a range per last coordinate; `negative`: the kernel counts from the end."""
    dtype = str(indices.ty.dtype)
    fixed = sizes_of(sizes)
    if fixed is None:
        return clamp_open(bb, indices, sizes, negative=negative)
    most = np.iinfo(dtype).max
    highest = np.array([min(size - 1, most) for size in fixed])
    lowest = -1 - highest if negative else 0 * highest
    if not dtype.startswith("uint"):
        indices = R.maximum(indices, relax.const(lowest, dtype))
    return R.minimum(indices, relax.const(highest, dtype))


def clamp_open(
    bb: relax.BlockBuilder, indices: relax.Expr, sizes: Sequence[Any], *, negative: bool
) -> relax.Expr:
    dtype = str(indices.ty.dtype)

    def kernel(x: te.Tensor, ends: Any) -> te.Tensor:
        def element(*index: Any) -> Any:
            end = ends[-1]
            for place in range(len(ends) - 2, -1, -1):
                end = tirx.Select(tirx.EQ(index[-1], tirx.const(place, "int64")), ends[place], end)
            lowest = 0 - end if negative else tirx.const(0, "int64")
            place = tirx.max(x(*index).astype("int64"), lowest)
            return tirx.min(place, end - 1).astype(dtype)

        return te.compute(x.shape, element)

    return bb.call_te(kernel, indices, relax.ShapeExpr(sizes), primfunc_name_hint="clamp")


def open_shape(x: relax.Expr) -> list[Any] | None:
    shape = x.ty.shape
    return list(shape.values) if isinstance(shape, relax.ShapeExpr) else None


def clamp_take(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    if call.attrs.mode != "fast":  # which trusts the indices
        return call
    axis = None if call.attrs.axis is None else int(call.attrs.axis)
    return R.take(call.args[0], call.args[1], axis, mode="clip")


def clamp_along_axis(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    data, indices, *updates = call.args
    shape = open_shape(data)
    if shape is None:
        return call
    size = shape[int(call.attrs.axis)]
    # Only the kernel that scatters counts from the end.
    indices = bb.normalize(clamp(bb, indices, [size], negative=bool(updates)))
    return relax.Call(call.op, [data, indices, *updates], call.attrs, call.ty_args)


def clamp_coordinates(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    data, indices, *updates = call.args
    shape, coordinates = open_shape(data), open_shape(indices)
    if shape is None or coordinates is None or sizes_of(coordinates[-1:]) is None:
        return call
    first = 0 if updates else int(call.attrs.batch_dims)
    sizes = shape[first : first + int(coordinates[-1])]
    indices = bb.normalize(clamp(bb, indices, sizes, negative=False))
    return relax.Call(call.op, [data, indices, *updates], call.attrs, call.ty_args)


def clamp_tuple(bb: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    """The indices are a tuple: one tensor for each of the first axes, counted from either end."""
    data, indices, *values = call.args
    shape = shape_of(data)
    if shape is None:
        return call
    fields = []
    for i, size in zip(range(len(indices.ty.fields)), shape):
        index = bb.emit(
            clamp(bb, bb.normalize(relax.TupleGetItem(indices, i)), [size], negative=True)
        )
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
