# SPDX-License-Identifier: Apache-2.0
"""Sizes that are computed, and checked, when the model runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tvm import relax, te, tirx

from tvmgo.compiler.relax.importing.dynamic.integers import Size
from tvmgo.compiler.relax.importing.dynamic.node import integers_of, shape_expr, sizes_of

if TYPE_CHECKING:
    from tvmgo.compiler.relax.importing.dynamic.node import DynamicNode


def number(value: int) -> tirx.Expr:
    return tirx.const(value, "int64")


def either(condition: Any, a: Any, b: Any) -> tirx.Expr:
    return tirx.Select(condition, as_expr(a), as_expr(b))


def as_expr(value: Any) -> tirx.Expr:
    return number(value) if isinstance(value, int) else value


# Takes expressions, and returns them as something that can be named often without being computed,
# and compiled, again each time.
Store = Callable[[list[Any]], list[Any]]


def stored(values: list[Any]) -> list[Any]:
    """Write numbers into a tensor, and return its elements."""
    made = vector(values) if values else []
    return [made[place] for place in range(len(values))]


def vector(values: list[Any]) -> te.Tensor:
    def element(i: Any) -> Any:
        result = as_expr(values[-1])
        for place in range(len(values) - 2, -1, -1):
            result = either(tirx.EQ(i, number(place)), values[place], result)
        return result

    return te.compute((number(len(values)),), element)


def compute_sizes(
    node: DynamicNode,
    compute: Callable[..., tuple[list[Any], list[Any]]],
    given: Sequence[Size],
    hints: Sequence[str],
    *,
    in_steps: bool = False,
) -> list[tirx.Var]:
    """Compute sizes from others when the model runs; a run where a condition fails is an error.

    Parameters
    ----------
    compute : callable
        From expressions of `given` to those of the results and to conditions. That no result is
        negative is one, always.
    hints : sequence of str
        What the results are called.
    in_steps : bool
        Whether `compute` takes a `Store` as well.
    """

    def kernel(sizes: Any) -> te.Tensor:
        results, conditions = compute(list(sizes), *([stored] if in_steps else []))
        holds: Any = number(1)
        for condition in (*(result >= 0 for result in map(as_expr, results)), *conditions):
            holds = either(condition, holds, 0)
        return vector([*results, holds])

    # An argument at least, for TVM's passes.
    made = node.emit_te(kernel, shape_expr(given or [0]), name="sizes")
    names = [node.importer.new_size(f"{node.operator}_{hint}".lower()) for hint in hints]
    integers_of(node.bb, made, [*names, number(1)])
    results, _ = compute(list(map(as_expr, given)), *([list] if in_steps else []))
    for name, result in zip(names, results):
        node.sizes.mean(name, as_expr(result))
    return names


def require_shape(node: DynamicNode, value: relax.Expr, sizes: Sequence[Size]) -> relax.Expr:
    """Return the value with these sizes, which are compared when the model runs if need be."""
    if all(node.sizes.equal(a, b) for a, b in zip(sizes_of(value), sizes)):
        return value
    pairs = [pair for pair in zip(sizes_of(value), sizes) if not node.sizes.equal(*pair)]
    count = len(pairs)

    def compute(given: list[Any]) -> tuple[list[Any], list[Any]]:
        return [], [tirx.EQ(a, b) for a, b in zip(given[:count], given[count:])]

    compute_sizes(node, compute, [a for a, _ in pairs] + [b for _, b in pairs], [])
    return retyped(node, value, sizes)


def retyped(node: DynamicNode, value: relax.Expr, sizes: Sequence[Size]) -> relax.Expr:
    """Return the same elements under sizes that were found to be equal."""

    def kernel(x: te.Tensor, shape: Any) -> te.Tensor:
        return te.compute(tuple(shape), lambda *index: x(*index))

    return node.emit_te(kernel, value, shape_expr(sizes), name="retyped")
