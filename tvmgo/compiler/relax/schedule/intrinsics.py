# SPDX-License-Identifier: Apache-2.0
"""Expressions in the place of calls of the C library, which take one element each."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import tvm
from tvm import sym, tirx

from tvmgo.compiler.relax.schedule import angles, functions
from tvmgo.compiler.relax.schedule.expressions import (
    map_computed,
    map_nodes,
    nodes_of,
    same,
    structural_key,
    substitute,
)

INVERSE = ("asin", "acos", "atan", "asinh", "acosh", "atanh")
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "tirx.exp": functions.exp,
    "tirx.log": functions.log,
    "prim.log2": functions.log2,
    "tirx.log10": functions.log10,
    "tirx.log1p": functions.log1p,
    "tirx.tanh": functions.tanh,
    "tirx.sigmoid": functions.sigmoid,
    "tirx.erf": functions.erf,
    "tirx.pow": functions.pow,
    **{f"tirx.{name}": getattr(angles, name) for name in ("sin", "cos", "tan", *INVERSE)},
}
SHORT = ("float16", "bfloat16")  # computed in float32
# In float64 called for one number at a time: LLVM has no vectors of these.
SCALAR = {"tirx.erf", *(f"tirx.{name}" for name in INVERSE)}

# TVM takes loops apart that call other functions than these.
for each in (*FUNCTIONS, "tirx.nearbyint", "tirx.isnan"):
    if not tvm.ir.Op.get(each).get_attr("TVectorizable"):
        tvm.ir.register_op_attr(each, "TVectorizable", True)


# What stores or names a value, and so has a place before it for parts of the value.
STATEMENTS = (tirx.BufferStore, tirx.Bind, tirx.Evaluate)


@tvm.transform.module_pass(opt_level=0, name="ExpandIntrinsics")
class ExpandIntrinsics:
    """Expand the functions of `FUNCTIONS` in all kernels; those of float64 stay calls.

    Name, too, what TVM would simplify wrongly behind this pass.

    Vectors must be vectors already, not loops.
    """

    def transform_module(self, module: tvm.IRModule, _: Any) -> tvm.IRModule:
        changed = {}
        for variable, function in module.functions_items():
            if isinstance(function, tirx.PrimFunc):
                changed[variable] = function.with_body(expand(function.body))
        module = module.clone()
        for variable, function in changed.items():
            module.update_func(variable, function)
        return module


# What TVM simplifies as if all numbers were finite and no sum was rounded: x - x and x * 0 to 0,
# x == x to true, (x + y) - x to y.
ANALYZER = sym.Analyzer()
UNSAFE = (tirx.Sub, tirx.Mul, tirx.EQ, tirx.NE)


def expand(body: Any) -> Any:
    return map_nodes(body, tirx.Stmt, expand_statement)


def expand_statement(statement: Any) -> Any:
    if isinstance(statement, tirx.SeqStmt):
        return flat_sequence(statement)
    if not isinstance(statement, STATEMENTS):
        return statement
    computed = (tvm.ir.Call, tirx.Let, *UNSAFE)
    if not any(is_changed(node) for node in nodes_of(statement, computed)):
        return statement  # as nearly all are: to map takes far longer than to look
    names = Names()
    statement = names.compute(statement)
    return tirx.SeqStmt([*names.statements, statement]) if names.statements else statement


def flat_sequence(statement: Any) -> Any:
    parts = [part.seq if isinstance(part, tirx.SeqStmt) else [part] for part in statement.seq]
    return tirx.SeqStmt(list(itertools.chain(*parts)))


def is_expanded(call: Any) -> bool:
    dtype = functions.scalar_type(call)
    return getattr(call.op, "name", "") in FUNCTIONS and dtype in ("float32", *SHORT)


def is_scalar(call: Any) -> bool:
    return getattr(call.op, "name", "") in SCALAR and functions.lanes_of(call) > 1


def is_changed(node: Any) -> bool:
    """Whether a node is expanded, written lane by lane, or must be kept from TVM."""
    if isinstance(node, tvm.ir.Call):
        return is_expanded(node) or is_scalar(node)
    return isinstance(node, tirx.Let) or is_unsafe(node)


def is_unsafe(node: Any) -> bool:
    """Whether TVM would change what is computed."""
    if "float" not in functions.scalar_type(node.a):
        return False
    if isinstance(node, tirx.Mul):
        return is_zero(node.a) or is_zero(node.b)
    return not same(ANALYZER.simplify(node), node)


def is_zero(value: Any) -> bool:
    if isinstance(value, tirx.Broadcast):
        value = value.value
    return isinstance(value, tirx.FloatImm) and value.value == 0


class Names:
    """Names for values, before the statement that needs them.

    They are memory that the compiler keeps in registers. Let would be simpler, but TVM puts the
    values of nested ones into one another as often as they are used.
    """

    def __init__(self) -> None:
        self.statements: list[Any] = []
        self.known: dict[Any, Any] = {}

    def __call__(self, value: Any) -> Any:
        lanes = functions.lanes_of(value)
        buffer = tirx.decl_buffer((lanes,), functions.scalar_type(value), "named")
        index = tirx.const(0, "int32") if lanes == 1 else tirx.Ramp(0, 1, lanes)
        self.statements += [tirx.AllocBuffer(buffer), tirx.BufferStore(buffer, value, [index])]
        return buffer[index]

    def compute(self, code: Any) -> Any:
        """Return what computes the same in the way of this module."""
        if nodes_of(code, tirx.Let):
            code = map_nodes(code, tirx.Let, self.open_let, outer_first=True)
        return map_computed(code, (tvm.ir.Call, self.expand), (UNSAFE, self.keep))

    def open_let(self, let: Any) -> Any:
        return substitute(let.body, {let.var: self(self.compute(let.value))})

    def expand(self, call: Any) -> Any:
        if not is_expanded(call):
            return self.lane_by_lane(call) if is_scalar(call) else call
        key = structural_key(call)
        if key not in self.known:
            self.known[key] = self(self.value_of(call))
        return self.known[key]

    def keep(self, node: Any) -> Any:
        """Name what is computed with, where TVM would change the result."""
        return type(node)(self(node.a), self(node.b)) if is_unsafe(node) else node

    def value_of(self, call: Any) -> Any:
        function, dtype = FUNCTIONS[call.op.name], functions.scalar_type(call)
        arguments = call.args
        if dtype in SHORT:
            arguments = [functions.cast(argument, "float32") for argument in arguments]
        if call.op.name in angles.LIMITS:
            value = self.limited(call.op, *arguments)
        else:
            value = function(self, *arguments)
        return functions.cast(value, dtype) if dtype in SHORT else value

    def limited(self, op: Any, x: Any) -> Any:
        """Return a function's value; of large numbers, which are rare, each by a call."""
        x = self(x)
        value = self(FUNCTIONS[op.name](self, x))
        lanes, size = functions.lanes_of(x), functions.bits(functions.magnitude(x))
        if lanes > 1:
            size = tirx.call_llvm_pure_intrin("uint32", "llvm.vector.reduce.umax", size)
        limit = tirx.const(int(np.float32(angles.LIMITS[op.name]).view("uint32")), "uint32")

        def call_if_large(lane: Any) -> Any:
            one = x.source[lane]
            call = tirx.BufferStore(value.source, tirx.call_intrin("float32", op, one), [lane])
            is_large = functions.bits(functions.magnitude(one)) >= limit
            return tirx.IfThenElse(is_large, call, None)

        self.statements.append(
            tirx.IfThenElse(size >= limit, for_each_lane(x, call_if_large), None)
        )
        return value

    def lane_by_lane(self, call: Any) -> Any:
        """Return the value of a function of a vector, of each number by a call."""
        dtype = functions.scalar_type(call)
        x, value = self(call.args[0]), self(functions.like(0, call))

        def call_one(lane: Any) -> Any:
            one = tirx.call_intrin(dtype, call.op, x.source[lane])
            return tirx.BufferStore(value.source, one, [lane])

        self.statements.append(for_each_lane(x, call_one))
        return value


def for_each_lane(x: Any, body: Callable[[Any], Any]) -> Any:
    lane = tvm.ir.Var("lane", tirx.const(0, "int32").ty)
    first, lanes = tirx.const(0, "int32"), tirx.const(functions.lanes_of(x), "int32")
    return tirx.For(lane, first, lanes, tirx.ForKind.SERIAL, body(lane))
