# SPDX-License-Identifier: Apache-2.0
"""Looking into expressions of kernels, and changing them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tvm
import tvm_ffi
from tvm import sym, tirx
from tvm_ffi.structural import WalkResult

Load = tvm.ir.TensorLoad


def number(value: int | float, dtype: Any = "int64") -> Any:
    return tirx.const(value, str(dtype))


def constant(expression: Any) -> int | None:
    return int(expression.value) if isinstance(expression, tirx.IntImm) else None


def structural_key(expression: Any) -> Any:
    """Return a key that equal expressions share."""
    return tvm_ffi.StructuralKey(expression)


def same(a: Any, b: Any) -> bool:
    return bool(tvm_ffi.structural_equal(a, b))


def substitute(expression: Any, values: Mapping[Any, Any]) -> Any:
    """Put values, of the same types, in the place of variables."""
    if not values:
        return expression
    return map_nodes(expression, tvm.ir.Var, lambda variable: values.get(variable, variable))


def with_operand(value: Any, variable: Any, operand: Any) -> Any:
    """Return the value with the operand for the variable; it is computed once, however often used."""
    if nodes_of(value, tvm.ir.Var).count(variable) > 1:
        return tirx.Let(variable, operand, value)
    return substitute(value, {variable: operand})


def map_nodes(
    code: Any,
    type_: type | tuple[type, ...],
    change: Callable[[Any], Any],
    *,
    outer_first: bool = False,
) -> Any:
    """Replace each node of these types by what `change` returns for it."""
    return tvm_ffi.structural_map(code, (type_, change), order="pre" if outer_first else "post")


def map_computed(code: Any, *changes: tuple[Any, Callable[[Any], Any]]) -> Any:
    """Replace nodes by what the change for their type returns, inner ones first.

    What may not be computed is left as it is.
    """

    def visitor(change: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
        def visit(node: Any, mutator: Any) -> Any:
            return node if is_choice(node) else change(mutator.default_mutate(node))

        return visit

    return tvm_ffi.structural_mutate(code, [(type_, visitor(change)) for type_, change in changes])


def simplify_places(expression: Any, analyzer: sym.Analyzer) -> Any:
    """Simplify what is computed with integers: where data lies, and what is chosen by that.

    With floats it is not simplified, which TVM does as if no sum was rounded.
    """

    def simplify(node: Any, mutator: Any) -> Any:
        if isinstance(node, tvm.ir.Var):
            return node
        if any("float" in str(part.ty) for part in nodes_of(node, tvm.ir.Expr)):
            return chosen(mutator.default_mutate(node))
        return analyzer.simplify(node)

    return tvm_ffi.structural_mutate(expression, (tvm.ir.Expr, simplify))


def chosen(node: Any) -> Any:
    """Return the part that is computed in any case, if there is one."""
    if isinstance(node, tirx.Select):
        parts = node.condition, node.true_value, node.false_value
    elif is_choice(node):
        parts = node.args
    else:
        return node
    condition = constant(parts[0])
    return node if condition is None else parts[1 if condition else 2]


def is_choice(node: Any) -> bool:
    """Tell whether one part of it may not be computed, because it may read outside a tensor."""
    return isinstance(node, tvm.ir.Call) and getattr(node.op, "name", "") == "prim.if_then_else"


def map_loads(expression: Any, change: Callable[[Any], Any]) -> Any:
    """Replace each load, inner ones first."""
    return map_nodes(expression, Load, change)


def loads_of(expressions: Any) -> list[Any]:
    """Return every load, those in indices of others too."""
    found: list[Any] = []
    tvm_ffi.structural_walk(expressions, (Load, found.append))
    return found


def variables_of(expressions: Any) -> set[Any]:
    """Return the variables used, buffers among them."""
    found: set[Any] = set()
    tvm_ffi.structural_walk(expressions, (tvm.ir.Var, found.add))
    return found


def nodes_of(expressions: Any, types: type | tuple[type, ...]) -> list[Any]:
    found: list[Any] = []
    tvm_ffi.structural_walk(expressions, (types, found.append))
    return found


def coefficient(index: Any, variable: Any) -> int | None:
    """Return by how much the index grows with the variable, None if that differs."""
    parts = sym.detect_linear_equation(index, [variable])
    return constant(parts[0]) if parts else None


def linear_part(index: Any, variables: Sequence[Any]) -> tuple[list[int], Any] | None:
    """Return the coefficients of variables and the rest, None if one is no constant."""
    parts = sym.detect_linear_equation(index, list(variables))
    if not parts:
        return None
    factors = [constant(part) for part in parts[:-1]]
    return None if None in factors else (factors, parts[-1])  # type: ignore[return-value]


def data_nodes(value: Any) -> list[Any]:
    """Return the nodes that compute with data; those that compute where it lies are not among."""
    found: list[Any] = []

    def visit(node: Any) -> Any:
        found.append(node)
        return WalkResult.SKIP if isinstance(node, Load) else WalkResult.ADVANCE

    tvm_ffi.structural_walk(value, (tvm.ir.Expr, visit), order="pre")
    return found


def element_type(expression: Any) -> str:
    return str(expression.ty)
