# SPDX-License-Identifier: Apache-2.0
"""Operators that give their data another shape, by sizes that are open or computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tvm import relax, te, tirx
from tvm.relax import op as R

from tvmgo.compiler.relax.importing.dynamic.broadcasting import broadcast_shape, broadcast_to
from tvmgo.compiler.relax.importing.dynamic.computed import (
    Store,
    as_expr,
    compute_sizes,
    either,
    number,
)
from tvmgo.compiler.relax.importing.dynamic.integers import Size, product
from tvmgo.compiler.relax.importing.dynamic.node import shape_expr, sizes_of

if TYPE_CHECKING:
    from tvmgo.compiler.relax.importing.dynamic.node import DynamicNode


# No dimension is that large; models write the largest number they know for "to the end".
LARGEST = (1 << 31) - 1


def are_numbers(sizes: Sequence[Size]) -> bool:
    return all(isinstance(size, int) for size in sizes)


def reshape(node: DynamicNode) -> relax.Expr:
    data, own = node.value(0), node.shape(0)
    wanted = node.integers(1)
    if not node.attributes.get("allowzero", 0):
        wanted = [
            own[place] if isinstance(size, int) and size == 0 else size
            for place, size in enumerate(wanted)
        ]
    unknown = [i for i, size in enumerate(wanted) if isinstance(size, int) and size == -1]
    if len(unknown) == 1:
        left = quotient(node, own, [size for i, size in enumerate(wanted) if i not in unknown])
        wanted = [left if i in unknown else size for i, size in enumerate(wanted)]
    certain = all((isinstance(size, int) and size >= 0) or is_size(node, size) for size in wanted)
    if not certain or not node.sizes.equal(product(own), product(wanted)):
        wanted = resolved(node, own, wanted)
    return R.reshape(data, shape_expr(wanted))


def quotient(node: DynamicNode, sizes: list[Size], divisors: list[Size]) -> Size:
    """Divide a product by another one as far as that is sure, and return -1 where it is not."""
    rest = list(sizes)
    others = []
    for divisor in divisors:
        place = next((i for i, s in enumerate(rest) if node.sizes.equal(s, divisor)), None)
        if place is None:
            others.append(divisor)
        else:
            del rest[place]
    if not are_numbers(others) or not product(others):
        return -1
    known = product([s for s in rest if isinstance(s, int)])
    if known % product(others):
        return -1
    return node.sizes.simplify(
        product([known // product(others), *(s for s in rest if not isinstance(s, int))])
    )


def is_size(node: DynamicNode, size: Size) -> bool:
    return not isinstance(size, int) and bool(node.sizes.decide(size >= 0))


def resolved(node: DynamicNode, own: list[Size], wanted: list[Size]) -> list[Any]:
    """Compute the shape that run-time numbers stand for: 0 keeps a size, one -1 takes what is left.

    Sizes that are numbers already stay numbers.
    """
    zero_keeps = not node.attributes.get("allowzero", 0)
    open_places = [i for i, size in enumerate(wanted) if not isinstance(size, int) or size < 0]

    def compute(given: list[Any], store: Store) -> tuple[list[Any], list[Any]]:
        sizes, asked = given[: len(own)], given[len(own) :]
        kept = store(
            [
                either(tirx.EQ(size, number(0)), sizes[i], size)
                if zero_keeps and i < len(own)
                else size
                for i, size in enumerate(asked)
            ]
        )
        total, known, unknown = product(sizes), number(1), number(0)
        for size in kept:
            is_unknown = tirx.EQ(size, number(-1))
            unknown = unknown + either(is_unknown, 1, 0)
            known = known * either(is_unknown, 1, size)
        (known,) = store([known])
        (left,) = store([tirx.floordiv(total, either(tirx.EQ(known, number(0)), 1, known))])
        result = store([either(tirx.EQ(size, number(-1)), left, size) for size in kept])
        conditions = [unknown <= 1, tirx.EQ(as_expr(product(result)), as_expr(total))]
        return [result[i] for i in open_places], conditions

    hints = [f"size_{i}" for i in open_places]
    found = compute_sizes(node, compute, [*own, *wanted], hints, in_steps=True)
    named = dict(zip(open_places, found))
    return [named.get(place, size) for place, size in enumerate(wanted)]


def expand(node: DynamicNode) -> relax.Expr:
    shape = broadcast_shape(node, [node.shape(0), checked(node, node.integers(1))])
    return broadcast_to(node, node.value(0), shape)


def checked(node: DynamicNode, sizes: list[Size]) -> list[Size]:
    """Give names to sizes that are found not to be negative when the model runs."""
    doubtful = [
        i for i, size in enumerate(sizes) if not isinstance(size, int) and not is_size(node, size)
    ]
    if any(isinstance(size, int) and size < 0 for size in sizes):
        raise node.refuse(f"a size of {sizes} is negative")
    if not doubtful:
        return sizes
    names = [f"size_{i}" for i in doubtful]
    found = compute_sizes(node, lambda given: (given, []), [sizes[i] for i in doubtful], names)
    named = dict(zip(doubtful, found))
    return [named.get(i, size) for i, size in enumerate(sizes)]


def tile(node: DynamicNode) -> relax.Expr:
    own, repeats = node.shape(0), checked(node, node.integers(1))
    shape = [node.sizes.simplify(size * count) for size, count in zip(own, repeats)]

    def kernel(x: te.Tensor, sizes: Any) -> te.Tensor:
        return te.compute(
            tuple(sizes),
            lambda *index: x(*(tirx.floormod(i, size) for i, size in zip(index, x.shape))),
        )

    return node.emit_te(kernel, node.value(0), shape_expr(shape))


def slice_(node: DynamicNode) -> relax.Expr:
    own = node.shape(0)
    starts, ends = node.integers(1), node.integers(2)
    axes = node.need_constant(3, "axes").tolist() if node.has(3) else range(len(starts))
    steps = node.need_constant(4, "step").tolist() if node.has(4) else [1] * len(starts)
    parts = {
        int(axis) % len(own): part for axis, part in zip(axes, zip(starts, ends, map(int, steps)))
    }
    return cut(node, node.value(0), parts)


def cut(
    node: DynamicNode, value: relax.Expr, parts: dict[int, tuple[Size, Size, int]]
) -> relax.Expr:
    """Take from some axes what lies from a start to an end, in steps; as Python's slices."""
    shape = sizes_of(value)
    begins: list[Size] = [0] * len(shape)
    steps = [1] * len(shape)
    for axis, (start, end, step) in parts.items():
        begins[axis], shape[axis] = span(node, shape[axis], start, end, step)
        steps[axis] = step

    def kernel(x: te.Tensor, sizes: Any, first: Any) -> te.Tensor:
        return te.compute(
            tuple(sizes),
            lambda *index: x(*(a + i * step for a, i, step in zip(first, index, steps))),
        )

    return node.emit_te(kernel, value, shape_expr(shape), shape_expr(begins), name="slice")


def span(node: DynamicNode, size: Size, start: Size, end: Size, step: int) -> tuple[Size, Size]:
    """Return the first place and the number of places of a slice of an axis."""
    if are_numbers([size, start, end]):
        places = range(size)[slice(start, None if step < 0 and end < -size else end, step)]
        return (places[0] if len(places) else 0), len(places)
    holds = node.sizes.decide
    if step == 1 and isinstance(start, int) and start >= 0 and holds(size >= start):
        if isinstance(end, int) and end >= LARGEST:
            return start, node.sizes.simplify(size - start)
        if holds(end <= size) and holds(end >= start):
            return start, node.sizes.simplify(end - start)

    def compute(given: list[Any]) -> tuple[list[Any], list[Any]]:
        size, start, end = given
        lowest, highest = (number(0), size) if step > 0 else (number(-1), size - 1)

        def clamped(place: Any) -> Any:
            place = either(place < 0, either(place < -size, -1 - size, place) + size, place)
            return tirx.max(tirx.min(place, highest), lowest)

        first, last = clamped(start), clamped(end)
        distance = last - first if step > 0 else first - last
        width = abs(step)
        count = tirx.floordiv(tirx.max(distance, number(0)) + (width - 1), number(width))
        return [either(count > 0, first, 0), count], []

    first, count = compute_sizes(node, compute, [size, start, end], ["start", "count"])
    return first, count


def split(node: DynamicNode) -> relax.Expr:
    value, axis = node.value(0), node.attributes.get("axis", 0)
    own = sizes_of(value)
    axis %= len(own)
    size = own[axis]
    if node.has(1):
        parts = checked(node, node.integers(1))
        if not node.sizes.equal(sum(parts), size):
            compute_sizes(
                node, lambda given: ([], [tirx.EQ(sum(given[1:]), given[0])]), [size, *parts], []
            )
    else:
        count = len(node.outputs)
        each = node.sizes.simplify(node.sizes.divide(size + (count - 1), count))
        last = node.sizes.simplify(size - each * (count - 1))
        parts = [each] * (count - 1) + checked(node, [last])
    results, start = [], 0
    for part in parts:
        shape = [*own[:axis], part, *own[axis + 1 :]]
        results.append(taken(node, value, shape, axis, start))
        start = node.sizes.simplify(start + part)
    return relax.Tuple(results)


def taken(
    node: DynamicNode, value: relax.Expr, shape: list[Size], axis: int, start: Size
) -> relax.Expr:
    """Take so much from a place of an axis, which must be there."""

    def kernel(x: te.Tensor, sizes: Any, first: Any) -> te.Tensor:
        return te.compute(
            tuple(sizes),
            lambda *index: x(*(i + first[0] if n == axis else i for n, i in enumerate(index))),
        )

    return node.emit_te(kernel, value, shape_expr(shape), shape_expr([start]), name="part")


def pad(node: DynamicNode) -> relax.Expr:
    value, own = node.value(0), node.shape(0)
    mode = node.attributes.get("mode", b"constant").decode()
    pads = node.integers(1)
    axes = (
        [int(a) % len(own) for a in node.need_constant(3, "axes")]
        if node.has(3)
        else range(len(own))
    )
    before: list[Size] = [0] * len(own)
    after: list[Size] = [0] * len(own)
    for place, axis in enumerate(axes):
        before[axis], after[axis] = pads[place], pads[place + len(pads) // 2]
    shape = [node.sizes.simplify(b + size + a) for b, size, a in zip(before, own, after)]
    check_pads(node, mode, own, before, after)
    shape = checked(node, shape)
    filled = node.value(2) if node.has(2) else relax.const(0, node.dtype(0))
    filled = node.bb.normalize(R.reshape(filled, ()))

    def kernel(x: te.Tensor, fill: te.Tensor, sizes: Any, first: Any) -> te.Tensor:
        def element(*index: Any) -> Any:
            places = [i - b for i, b in zip(index, first)]
            if mode == "constant":
                inside: Any = tirx.const(True, "bool")
                for place, size in zip(places, x.shape):
                    inside = tirx.all(inside, place >= 0, place < size)
                return tirx.if_then_else(inside, x(*places), fill())
            return x(*(MODES[mode](place, size) for place, size in zip(places, x.shape)))

        return te.compute(tuple(sizes), element)

    return node.emit_te(kernel, value, filled, shape_expr(shape), shape_expr(before))


MODES = {
    "edge": lambda place, size: tirx.max(tirx.min(place, size - 1), number(0)),
    "reflect": lambda place, size: (size - 1) - tirx.abs((size - 1) - tirx.abs(place)),
    "wrap": lambda place, size: tirx.floormod(place, size),
}


def check_pads(
    node: DynamicNode, mode: str, own: list[Size], before: list[Size], after: list[Size]
) -> None:
    """What is not constant comes from elements, which must be there."""
    if mode == "constant":
        return
    if mode not in MODES:
        raise node.refuse(f"its mode {mode} is not known")

    def compute(given: list[Any]) -> tuple[list[Any], list[Any]]:
        conditions = []
        for size, *pads in zip(*(given[i::3] for i in range(3))):
            for amount in pads:
                nothing = tirx.EQ(amount, number(0))
                enough = amount < size if mode == "reflect" else size > 0
                conditions.append(tirx.Or(nothing, enough))
        return [], conditions

    triples = [each for triple in zip(own, before, after) for each in triple]
    compute_sizes(node, compute, triples, [])


def squeeze(node: DynamicNode) -> relax.Expr | None:
    if not node.has(1):
        raise node.refuse("it does not say which dimensions it takes away, and some are open")
    own = node.shape(0)
    axes = {int(axis) % len(own) for axis in node.need_constant(1, "axes")}
    return R.reshape(node.value(0), shape_expr([s for i, s in enumerate(own) if i not in axes]))


def flatten(node: DynamicNode) -> relax.Expr:
    own, axis = node.shape(0), node.attributes.get("axis", 1)
    axis += len(own) if axis < 0 else 0
    sizes = [node.sizes.simplify(product(part)) for part in (own[:axis], own[axis:])]
    return R.reshape(node.value(0), shape_expr(sizes))
