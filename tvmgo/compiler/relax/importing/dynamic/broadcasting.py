# SPDX-License-Identifier: Apache-2.0
"""Broadcasting where it depends on sizes that are open whether there is something to repeat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tvm import relax, te, tirx

from tvmgo.compiler.relax.importing.dynamic.computed import compute_sizes, either
from tvmgo.compiler.relax.importing.dynamic.integers import Size
from tvmgo.compiler.relax.importing.dynamic.node import shape_expr, sizes_of

if TYPE_CHECKING:
    from tvmgo.compiler.relax.importing.dynamic.node import DynamicNode


def broadcast_shape(node: DynamicNode, shapes: Sequence[Sequence[Size]]) -> list[Size]:
    """Return the shape that all these broadcast to; what cannot be said now is computed."""
    rank = max(len(shape) for shape in shapes)
    result: list[Size] = []
    for axis in range(rank):
        sizes = [shape[axis - rank + len(shape)] for shape in shapes if axis >= rank - len(shape)]
        distinct: list[Size] = []
        for size in sizes:
            repeats = isinstance(size, int) and size == 1
            if not repeats and not any(node.sizes.equal(size, other) for other in distinct):
                distinct.append(size)
        result.append(join(node, distinct))
    return result


def join(node: DynamicNode, sizes: Sequence[Size]) -> Size:
    if len(sizes) < 2:
        return sizes[0] if sizes else 1
    fixed = [size for size in sizes if isinstance(size, int)]
    if len(fixed) > 1:
        raise node.refuse(f"its inputs have sizes {fixed}, which do not broadcast")
    result = leading(node, sizes)

    def compute(given: list[Any]) -> tuple[list[Any], list[Any]]:
        joint = given[-1]
        for size in given[-2::-1]:
            joint = either(tirx.EQ(size, tirx.const(1, "int64")), joint, size)
        one = tirx.const(1, "int64")
        fits = [tirx.Or(tirx.EQ(size, one), tirx.EQ(size, joint)) for size in given]
        return ([joint] if result is None else []), fits

    if result is None:
        return compute_sizes(node, compute, sizes, ["joint"])[0]
    compute_sizes(node, compute, [*(size for size in sizes if size is not result), result], [])
    return result


def leading(node: DynamicNode, sizes: Sequence[Size]) -> Size | None:
    """Return the size that is the joint one if any is: a number, or what is 1 only with all."""
    for size in sizes:
        if isinstance(size, int):
            return size
    if node.importer.depth:  # a size may be one of the function around
        return None
    for size in sizes:
        if isinstance(size, tirx.Var) and all(
            other is size or node.sizes.is_one_where(other, size) for other in sizes
        ):
            return size
    return None


def broadcast_to(node: DynamicNode, value: relax.Expr, shape: Sequence[Size]) -> relax.Expr:
    """Repeat a value, whose sizes are known to be 1 or those of `shape`."""
    own = sizes_of(value)
    skipped = len(shape) - len(own)
    if not skipped and all(node.sizes.equal(a, b) for a, b in zip(own, shape)):
        return value
    zero, one = tirx.const(0, "int64"), tirx.const(1, "int64")
    same = [node.sizes.equal(a, b) for a, b in zip(own, shape[skipped:])]

    def kernel(x: te.Tensor, sizes: Any) -> te.Tensor:
        def element(*index: Any) -> Any:
            places = []
            for i, stays, size, fixed in zip(index[skipped:], same, x.shape, own):
                if isinstance(fixed, int):
                    places.append(zero if fixed == 1 and not stays else i)
                else:
                    places.append(i if stays else either(tirx.EQ(size, one), zero, i))
            return x(*places)

        return te.compute(tuple(sizes), element)

    return node.emit_te(kernel, value, shape_expr(shape), name="broadcast")


def broadcast_all(node: DynamicNode, values: Sequence[relax.Expr]) -> list[relax.Expr]:
    """Broadcast values, if TVM's operators could not do it, or would not check the sizes."""
    shapes = [sizes_of(value) for value in values]
    shape = broadcast_shape(node, shapes)

    def plain(own: Sequence[Size]) -> bool:
        ends = shape[len(shape) - len(own) :]
        return all(
            a == 1 if isinstance(a, int) and a == 1 else node.sizes.equal(a, b)
            for a, b in zip(own, ends)
        )

    if all(plain(own) for own in shapes):
        return list(values)
    return [broadcast_to(node, value, shape) for value in values]
