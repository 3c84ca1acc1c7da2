# SPDX-License-Identifier: Apache-2.0
"""Operators that make data of a size that is open or computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import numpy_helper
from tvm import relax, te, tirx
from tvm.relax import op as R

from tvmgo.compiler.relax.importing.dynamic.computed import compute_sizes, number
from tvmgo.compiler.relax.importing.dynamic.node import integers_of, shape_expr
from tvmgo.compiler.relax.importing.dynamic.shaping import checked, is_size

if TYPE_CHECKING:
    from tvmgo.compiler.relax.importing.dynamic.node import DynamicNode


def constant_of_shape(node: DynamicNode) -> relax.Expr:
    tensor = node.attributes.get("value")
    value = np.zeros(1, "float32") if tensor is None else numpy_helper.to_array(tensor)
    shape = shape_expr(checked(node, node.integers(0)))
    return R.full(shape, relax.const(value.reshape(()), str(value.dtype)), str(value.dtype))


def range_(node: DynamicNode) -> relax.Expr:
    dtype = node.dtype(0)
    known = [node.known(i) for i in range(3)]
    if "int" not in dtype or any(value is None for value in known):
        return range_of_tensors(node, dtype)
    start, limit, step = (value.reshape(-1)[0] for value in known)  # type: ignore[union-attr]
    distance = node.sizes.simplify(limit - start)
    if isinstance(step, int) and step == 1 and is_size(node, distance):
        count = distance
    elif all(isinstance(value, int) for value in (start, limit, step)):
        count = len(range(start, limit, step))
    else:

        def compute(given: list[Any]) -> tuple[list[Any], list[Any]]:
            distance, step = given
            return [tirx.max(0 - tirx.floordiv(0 - distance, step), number(0))], []

        if not isinstance(step, int) or step == 0:
            return range_of_tensors(node, dtype)
        (count,) = compute_sizes(node, compute, [distance, step], ["count"])

    def kernel(sizes: Any, numbers: Any) -> te.Tensor:
        return te.compute(tuple(sizes), lambda i: (numbers[0] + i * numbers[1]).astype(dtype))

    return node.emit_te(kernel, shape_expr([count]), shape_expr([start, step]))


def range_of_tensors(node: DynamicNode, dtype: str) -> relax.Expr:
    values = [node.bb.normalize(R.reshape(node.value(i), ())) for i in range(3)]
    wide = "float64" if "float" in dtype else "int64"

    def count_steps(start: te.Tensor, limit: te.Tensor, step: te.Tensor) -> te.Tensor:
        def element(i: Any) -> Any:
            if "float" in dtype:
                steps = (limit().astype(wide) - start().astype(wide)) / step().astype(wide)
                count = tirx.ceil(steps).astype("int64")
            else:
                by = step().astype(wide)
                by = tirx.Select(tirx.EQ(by, number(0)), number(1), by)
                count = 0 - tirx.floordiv(start().astype(wide) - limit().astype(wide), by)
                count = 0 - tirx.floordiv(0 - (limit().astype(wide) - start().astype(wide)), by)
            is_zero = tirx.EQ(step(), tirx.const(0, dtype))
            count = tirx.Select(is_zero, number(0), tirx.max(count, number(0)))
            return tirx.Select(
                tirx.EQ(i, number(0)), count, tirx.Select(is_zero, number(0), number(1))
            )

        return te.compute((number(2),), element)

    count = node.importer.new_size("count")
    integers_of(node.bb, node.emit_te(count_steps, *values), [count, number(1)])

    def kernel(start: te.Tensor, step: te.Tensor, sizes: Any) -> te.Tensor:
        return te.compute(tuple(sizes), lambda i: start() + i.astype(dtype) * step())

    return node.emit_te(kernel, values[0], values[2], shape_expr([count]))


def one_hot(node: DynamicNode) -> relax.Expr:
    indices, axis = node.value(0), node.attributes.get("axis", -1)
    own = node.shape(0)
    axis %= len(own) + 1
    (depth,) = checked(node, node.integers(1))
    shape = [*own[:axis], depth, *own[axis:]]
    values = node.value(2)

    def kernel(x: te.Tensor, values: te.Tensor, sizes: Any) -> te.Tensor:
        def element(*index: Any) -> Any:
            asked = x(*index[:axis], *index[axis + 1 :]).astype("int64")
            asked = tirx.Select(asked < 0, asked + sizes[axis], asked)
            return tirx.Select(tirx.EQ(asked, index[axis]), values(number(1)), values(number(0)))

        return te.compute(tuple(sizes), element)

    return node.emit_te(kernel, indices, values, shape_expr(shape))


def eye_like(node: DynamicNode) -> relax.Expr:
    from onnx import helper

    code = node.attributes.get("dtype", 0)
    dtype = helper.tensor_dtype_to_np_dtype(code).name if code else node.dtype(0)
    diagonal = node.attributes.get("k", 0)

    def kernel(sizes: Any) -> te.Tensor:
        return te.compute(tuple(sizes), lambda i, j: tirx.EQ(j, i + diagonal).astype(dtype))

    return node.emit_te(kernel, shape_expr(node.shape(0)))
