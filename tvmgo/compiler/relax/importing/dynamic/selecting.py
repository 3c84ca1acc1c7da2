# SPDX-License-Identifier: Apache-2.0
"""Operators that select so much of their data as the data says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tvm import relax, te
from tvm.relax import op as R

from tvmgo.compiler.relax.importing.dynamic.computed import compute_sizes
from tvmgo.compiler.relax.importing.dynamic.integers import product
from tvmgo.compiler.relax.importing.dynamic.node import shape_expr, sizes_of
from tvmgo.compiler.relax.importing.dynamic.shaping import taken

if TYPE_CHECKING:
    from tvmgo.compiler.relax.importing.dynamic.node import DynamicNode


def non_zero(node: DynamicNode) -> relax.Expr:
    return places_of(node, node.value(0))


def places_of(node: DynamicNode, value: relax.Expr) -> relax.Var:
    """Return the indices of elements that are not 0: a row per dimension."""
    rank = max(len(sizes_of(value)), 1)
    count = node.importer.new_size(f"{node.outputs[0]}_count")
    found = node.bb.emit(R.nonzero(value))
    return node.bb.match_cast(found, relax.TensorType([rank, count], "int64"))


def compress(node: DynamicNode) -> relax.Expr:
    value, axis = node.value(0), node.attributes.get("axis")
    own = node.shape(0)
    if axis is None:
        own = [node.sizes.simplify(product(own))]
        value, axis = node.bb.normalize(R.reshape(value, shape_expr(own))), 0
    axis %= len(own)
    (length,) = node.shape(1)
    if not node.sizes.decide(length <= own[axis]):
        compute_sizes(node, at_most(0), [length, own[axis]], [])
    places = node.bb.emit(R.squeeze(places_of(node, node.value(1)), 0))
    return R.take(value, places, axis)


def unique(node: DynamicNode) -> relax.Expr:
    """TVM makes the outputs that are asked for, and does not tell their sizes."""
    value, own = node.value(0), node.shape(0)
    axis = node.attributes.get("axis")
    count = node.importer.new_size(f"{node.outputs[0]}_count")
    if axis is None:
        shape, length = [count], node.sizes.simplify(product(own))
    else:
        axis %= len(own)
        shape, length = [*own[:axis], count, *own[axis + 1 :]], own[axis]
    asked = [place < len(node.outputs) and bool(node.outputs[place]) for place in range(4)]
    in_order = bool(node.attributes.get("sorted", 1))
    found = node.bb.emit(R.unique(value, in_order, *asked[1:], axis=axis))
    fields = iter(
        [found]
        if not any(asked[1:])
        else [node.bb.emit(relax.TupleGetItem(found, i)) for i in range(1 + sum(asked[1:]))]
    )
    types = [
        relax.TensorType(shape, node.dtype(0)),
        *(relax.TensorType([size], "int64") for size in (count, length, count)),
    ]
    results: list[relax.Expr] = []
    for place, ty in enumerate(types):
        if place and not asked[place]:
            results.append(results[0])  # nobody reads it
        else:
            results.append(node.bb.match_cast(next(fields), ty))
    return relax.Tuple(results)


def top_k(node: DynamicNode) -> relax.Expr:
    value, own = node.value(0), node.shape(0)
    axis = node.attributes.get("axis", -1) % len(own)
    largest = bool(node.attributes.get("largest", 1))
    node.attributes.get("sorted", 1)  # sorted is one of the orders that are allowed then
    (k,) = node.integers(1)
    if not isinstance(k, int):
        (k,) = compute_sizes(node, at_most(1), [k, own[axis]], ["k"])
    elif not node.sizes.decide(own[axis] >= k):
        compute_sizes(node, at_most(0), [k, own[axis]], [])
    order = node.bb.emit(R.argsort(value, axis, descending=largest, dtype="int64"))
    order = taken(node, order, [*own[:axis], k, *own[axis + 1 :]], axis, 0)
    return relax.Tuple([along(node, value, order, axis), order])


def at_most(results: int) -> Callable[[list[Any]], tuple[list[Any], list[Any]]]:
    """Check that the first size is not larger than the second, and return it if wanted."""
    return lambda given: (given[:results], [given[0] <= given[1]])


def along(node: DynamicNode, value: relax.Expr, indices: relax.Expr, axis: int) -> relax.Expr:
    def kernel(x: te.Tensor, places: te.Tensor) -> te.Tensor:
        def element(*index: Any) -> Any:
            return x(*(places(*index) if n == axis else i for n, i in enumerate(index)))

        return te.compute(places.shape, element)

    return node.emit_te(kernel, value, indices)
