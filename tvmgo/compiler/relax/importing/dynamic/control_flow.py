# SPDX-License-Identifier: Apache-2.0
"""If as a branch of Relax, Loop as a function that calls itself.

A function that calls itself once per step would need a stack as deep as the loop is long. So it
halves: n steps are n // 2 steps and the others, and the stack is as deep as n has bits. The second
half is not begun where the loop's condition ended the first; a loop without a limit has 2**62.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tvm
from tvm import relax, tirx
from tvm.relax import op as R

from tvmgo.compiler.onnx_nodes import IMPOSSIBLE
from tvmgo.compiler.relax.importing.dynamic.integers import Size, plain
from tvmgo.compiler.relax.importing.dynamic.node import shape_expr, sizes_of

if TYPE_CHECKING:
    from tvmgo.compiler.relax.importing.dynamic.node import DynamicNode

NO_LIMIT = 1 << 62


def convert_if(node: DynamicNode) -> list[relax.Expr]:
    importer = node.importer
    branches = [node.attributes["then_branch"], node.attributes["else_branch"]]
    known = node.constant(0)
    if known is not None:
        with importer.scope():
            return importer.convert(branches[0] if known.all() else branches[1])
    impossible = [branch.name.startswith(IMPOSSIBLE) for branch in branches]
    if any(impossible):
        taken = impossible.index(False)
        why = branches[1 - taken].name
        return only_branch(node, branches[taken], taken=taken == 0, why=why)
    sequences = [branch_of(node, branch) for branch in branches]
    whole = node.bb.emit(relax.If(scalar(node, node.value(0)), *sequences))
    return [renamed(node, each) for each in fields(node, whole)]


def only_branch(node: DynamicNode, graph: Any, *, taken: bool, why: str) -> list[relax.Expr]:
    """Convert a branch without an If around it, after a check that it is the one that is taken."""
    condition = scalar(node, node.value(0))
    if not taken:
        condition = node.bb.emit(R.logical_not(condition))
    text = f"{node.place}: a branch is taken that is {why}"
    node.bb.emit(R.assert_op(condition, format=text.replace("{", "(").replace("}", ")")))
    node.importer.raises = True
    with node.importer.scope():
        return node.importer.convert(graph)


def branch_of(node: DynamicNode, graph: Any) -> relax.SeqExpr:
    with node.importer.block() as made:
        results = node.importer.convert(graph)
    return outlined(node, made, relax.Tuple(results))


def outlined(node: DynamicNode, blocks: list[Any], results: relax.Tuple) -> relax.SeqExpr:
    """Make a function of a sequence, and return a sequence that calls it.

    TVM's passes see less inside of branches than in functions: they do not fuse operators there.
    """
    sequence = relax.SeqExpr(blocks, results)
    captured = captured_by(sequence)
    sizes = open_sizes(captured, sequence)
    parameters = [*captured, relax.Var("sizes", relax.ShapeType(sizes))]
    types = [open_parameter(each.ty) for each in results.fields]
    ty = relax.FuncType([open_parameter(each.ty) for each in parameters], tvm.ir.TupleType(types))
    function = node.importer.new_function(f"branch_{node.name}", ty)
    node.importer.define_function(function, parameters, sequence, ty.ret)
    with node.importer.block() as calling:
        result = node.bb.emit(relax.Call(function, [*captured, shape_expr(sizes)]))
    return relax.SeqExpr(calling, result)


def captured_by(sequence: relax.SeqExpr) -> list[relax.Var]:
    """Values of graphs around it; open dimensions are variables, too."""
    found = relax.analysis.free_vars(sequence)
    return [each for each in found if isinstance(each.ty, relax.TensorType)]


def fields(node: DynamicNode, whole: relax.Expr) -> list[relax.Expr]:
    return [node.bb.emit(relax.TupleGetItem(whole, i)) for i in range(len(whole.ty.fields))]


def renamed(node: DynamicNode, value: relax.Expr) -> relax.Expr:
    """Give open sizes names of their own: TVM's passes forget those of an If inside of another."""
    if not isinstance(value.ty.shape, relax.ShapeExpr) or not node.importer.depth:
        return value
    sizes = [s if isinstance(s, int) else node.importer.new_size("size") for s in sizes_of(value)]
    return node.bb.match_cast(value, relax.TensorType(sizes, value.ty.dtype))


def scalar(node: DynamicNode, value: relax.Expr) -> relax.Expr:
    """Conditions and counts may have one dimension, of one element."""
    shape = sizes_of(value)
    if not shape:
        return value
    if any(size != 1 for size in shape if isinstance(size, int)) or not all(
        isinstance(size, int) for size in shape
    ):
        raise node.refuse(f"its condition or count has shape {shape}, expected one number")
    return node.bb.emit(R.reshape(value, ()))


class LoopBody:
    """The body of a loop, converted for states of certain shapes; None where sizes may change."""

    def __init__(self, node: DynamicNode, shapes: Sequence[Sequence[Size | None]]) -> None:
        importer = node.importer
        graph = node.attributes["body"]
        values = graph.input[2:]
        self.step = relax.Var("step", relax.TensorType([], "int64"))
        self.states = [
            relax.Var(
                value.name,
                relax.TensorType(
                    [importer.new_size("state") if size is None else size for size in shape],
                    node.dtype(place),
                ),
            )
            for place, (value, shape) in enumerate(zip(values, shapes), 2)
        ]
        count = len(self.states)
        with importer.block() as made:
            first = {graph.input[0].name: self.step, graph.input[1].name: relax.const(True)}
            importer.bind(first | dict(zip((value.name for value in values), self.states)))
            results = importer.convert(graph)
            self.next = results[1 : 1 + count]
            scans = [node.bb.emit(R.expand_dims(each, 0)) for each in results[1 + count :]]
            condition = scalar(node, results[0])
            self.result = relax.Tuple([condition, *self.next, *scans])
        self.sequence = relax.SeqExpr(made, self.result)
        self.scans = [sizes_of(each)[1:] for each in scans]
        self.dtypes = [str(each.ty.dtype) for each in (*self.next, *scans)]

    def captured(self) -> list[relax.Var]:
        own = {self.step, *self.states}
        return [each for each in captured_by(self.sequence) if each not in own]


def convert_body(node: DynamicNode) -> tuple[LoopBody, list[list[Size | None]]]:
    """Convert a loop's body, and find which sizes of its states change from step to step."""
    shapes: list[list[Size | None]] = [
        list(node.shape(place)) for place in range(2, len(node.inputs))
    ]
    while True:
        body = LoopBody(node, shapes)
        wider = []
        for place, (shape, result) in enumerate(zip(shapes, body.next)):
            found = sizes_of(result)
            if len(found) != len(shape):
                raise node.refuse(f"its state {place} changes how many dimensions it has")
            if str(result.ty.dtype) != node.dtype(place + 2):
                raise node.refuse(f"its state {place} changes its element type")
            wider.append(
                [
                    a if a is not None and node.sizes.equal(a, b) else None
                    for a, b in zip(shape, found)
                ]
            )
        if wider == shapes or all(
            (a is None) == (b is None) for x, y in zip(wider, shapes) for a, b in zip(x, y)
        ):
            return body, shapes
        shapes = wider


def convert_loop(node: DynamicNode) -> list[relax.Expr]:
    bb = node.bb
    body, shapes = convert_body(node)
    call = loop_function(node, body, shapes)
    limit = scalar(node, node.value(0)) if node.has(0) else relax.const(NO_LIMIT, "int64")
    states = [node.value(place) for place in range(2, len(node.inputs))]

    with node.importer.block() as running:
        results = bb.emit(call(limit, relax.const(0, "int64"), states))
        ran = [bb.emit(relax.TupleGetItem(results, i + 1)) for i in range(len(body.dtypes))]
    with node.importer.block() as idle:
        empty = [
            relax.const(np.zeros([0, *(s if isinstance(s, int) else 0 for s in shape)]), dtype)
            for shape, dtype in zip(body.scans, body.dtypes[len(states) :])
        ]
    begins: relax.Expr = R.greater(limit, relax.const(0, "int64"))
    if node.has(1):
        begins = R.logical_and(bb.emit(begins), scalar(node, node.value(1)))
    taken = relax.SeqExpr(running, relax.Tuple(ran))
    left = relax.SeqExpr(idle, relax.Tuple([*states, *empty]))
    whole = bb.emit(relax.If(bb.emit(begins), taken, left))
    return [renamed(node, each) for each in fields(node, whole)]


def open_type(shape: Sequence[Size | None], dtype: str) -> relax.TensorType:
    """The type of a value as functions declare it: no size that only its surroundings know."""
    if all(isinstance(size, int) for size in shape):
        return relax.TensorType(shape, dtype)
    return relax.TensorType(None, dtype, ndim=len(shape))


def loop_function(
    node: DynamicNode, body: LoopBody, shapes: Sequence[Sequence[Size | None]]
) -> Callable[[relax.Expr, relax.Expr, Sequence[relax.Expr]], relax.Expr]:
    """Make the function that runs some steps, one at least, and return what calls it."""
    importer, bb = node.importer, node.bb
    captured = body.captured()
    count = len(body.states)
    scan_shapes = [[None, *shape] for shape in body.scans]
    result_types = [
        relax.TensorType([], "bool"),
        *(open_type(shape, dtype) for shape, dtype in zip((*shapes, *scan_shapes), body.dtypes)),
    ]
    steps = relax.Var("steps", relax.TensorType([], "int64"))
    sizes = open_sizes([body.step, *body.states, *captured], body.sequence)
    given = relax.Var("sizes", relax.ShapeType(sizes))
    parameters = [steps, body.step, *body.states, *captured, given]
    function_type = relax.FuncType(
        [open_parameter(each.ty) for each in parameters], tvm.ir.TupleType(result_types)
    )
    function = importer.new_function(f"loop_{node.name}", function_type)

    def call(limit: relax.Expr, step: relax.Expr, states: Sequence[relax.Expr]) -> relax.Expr:
        return relax.Call(function, [limit, step, *states, *captured, shape_expr(sizes)])

    def named(value: relax.Expr, shape: Sequence[Size | None]) -> relax.Expr:
        names = [importer.new_size("state") if size is None else size for size in shape]
        return bb.match_cast(value, relax.TensorType(names, value.ty.dtype))

    with importer.block() as whole:
        with importer.block() as halves:
            half = bb.emit(R.floor_divide(steps, relax.const(2, "int64")))
            first = bb.emit(call(half, body.step, body.states))
            done = fields(node, first)
            with importer.block() as second:
                states = [named(each, shape) for each, shape in zip(done[1:], shapes)]
                rest = bb.emit(R.subtract(steps, half))
                at = bb.emit(R.add(body.step, half))
                more = fields(node, bb.emit(call(rest, at, states)))
                scans = []
                for a, b, shape in zip(done[1 + count :], more[1 + count :], body.scans):
                    inner = [s if isinstance(s, int) else importer.new_size("scan") for s in shape]
                    parts = [named(each, [None, *inner]) for each in (a, b)]
                    scans.append(bb.emit(R.concat(parts, 0)))
            both = relax.SeqExpr(second, relax.Tuple([*more[: 1 + count], *scans]))
            with importer.block() as nothing:
                pass
            rest_of = relax.If(done[0], both, relax.SeqExpr(nothing, relax.Tuple(done)))
            result = bb.emit(rest_of)
        single = bb.emit(R.less_equal(steps, relax.const(1, "int64")))
        one = outlined(node, body.sequence.blocks, body.result)
        result = bb.emit(relax.If(single, one, relax.SeqExpr(halves, result)))
    importer.define_function(function, parameters, relax.SeqExpr(whole, result), function_type.ret)
    return call


def open_sizes(parameters: Sequence[relax.Var], body: relax.SeqExpr) -> list[tirx.Var]:
    """Open dimensions that a body speaks of, and its parameters do not have."""
    function = relax.Function(parameters, body, tvm.ir.TupleType([]), is_pure=True)
    return list(relax.analysis.free_symbolic_vars(function))


def open_parameter(ty: Any) -> Any:
    if not isinstance(ty, relax.TensorType):
        return relax.ShapeType(ndim=len(ty.values))
    if not isinstance(ty.shape, relax.ShapeExpr):
        return relax.TensorType(None, ty.dtype, ndim=ty.ndim)
    return open_type([plain(size) for size in ty.shape.values], str(ty.dtype))
