# SPDX-License-Identifier: Apache-2.0
"""From the lowered ``main`` of Relax to a graph.

Every expression becomes a *value*: an entry of the graph, or a tuple of values. Tuples, aliases and
casts to a known shape leave no trace in the graph. What has no handler in the tables at the end of
this file has no place in a graph and is refused.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Union

import numpy as np
import tvm
from tvm import relax

from tvmgo.compiler.errors import VIRTUAL_MACHINE
from tvmgo.compiler.graph.nodes import (
    KERNEL_PREFIX,
    RESHAPE_IN_PLACE,
    Entry,
    Graph,
    Node,
    TensorSpec,
)
from tvmgo.compiler.relax.kernel_attributes import EXTENDS, IN_PLACE
from tvmgo.compiler.relax.shapes import Subject, describe, shape_sizes, tensor_spec
from tvmgo.exceptions import ExportError

Value = Union[Entry, tuple["Value", ...]]


@dataclass
class LoweredModel:
    """A graph, and the kernels it calls by symbol."""

    graph: Graph
    kernels: dict[str, tvm.tirx.PrimFunc]


def build_graph(module: tvm.IRModule, output_names: Sequence[str] = ()) -> LoweredModel:
    """Read the lowered ``main`` as a graph.

    Parameters
    ----------
    module : tvm.IRModule
        As `lower_to_kernels` returns it.
    output_names : sequence of str
        Names for the nodes that compute the outputs, if the model has them.

    Returns
    -------
    LoweredModel

    Raises
    ------
    ExportError
        If `main` contains what a static graph cannot hold.
    """
    builder = GraphBuilder(module)
    main = module["main"]
    for parameter in main.params:
        builder.add_input(parameter)
    heads = list(flatten(builder.evaluate(main.body)))
    if not heads:
        raise ExportError("main", "the model returns no tensor", "return at least one")
    for head, name in zip(heads, output_names):
        builder.name_output(head, name)
    return LoweredModel(Graph(builder.nodes, heads, builder.params), builder.kernels)


def flatten(value: Value) -> Iterator[Entry]:
    """Yield the entries of a value in order; an entry alone yields itself."""
    if isinstance(value, Entry):
        yield value
    else:
        for item in value:
            yield from flatten(item)


class GraphBuilder:
    """Evaluates expressions of one lowered module into nodes."""

    def __init__(self, module: tvm.IRModule) -> None:
        self.module = module
        self.nodes: list[Node] = []
        self.params: dict[str, np.ndarray] = {}
        self.kernels: dict[str, tvm.tirx.PrimFunc] = {}
        self.values: dict[relax.Var, Value] = {}
        self.constants: dict[tuple[TensorSpec, bytes], Entry] = {}  # by content
        self.names: Counter[str] = Counter()
        self.subject: Subject = "main"  # the binding at work, for errors

    # Parts of the graph

    def add_node(self, node: Node) -> Node:
        self.nodes.append(node)
        return node

    def unique_name(self, name: str) -> str:
        """Return `name`, or with a number behind it if it is taken."""
        candidate = name
        while self.names[candidate]:
            candidate = f"{name}_{self.names[name]}"
            self.names[name] += 1
        self.names[candidate] += 1
        return candidate

    def add_input(self, parameter: relax.Var) -> None:
        self.subject = parameter
        if self.names[parameter.name]:
            raise self.refuse("two inputs have this name", "rename one of them")
        spec = tensor_spec(parameter.ty, parameter)
        node = self.add_node(Node(self.unique_name(parameter.name), [spec]))
        self.values[parameter] = Entry(node, 0)

    def add_constant(self, array: np.ndarray) -> Entry:
        """Return the parameter with this content, made on first use."""
        spec = TensorSpec(array.shape, array.dtype.name)
        key = (spec, hashlib.blake2b(array.tobytes()).digest())
        if key not in self.constants:
            name = self.unique_name(f"p{len(self.params)}")
            self.params[name] = array
            self.constants[key] = Entry(self.add_node(Node(name, [spec])), 0)
        return self.constants[key]

    def add_call(self, function: str, name: str, inputs: list[Entry], result: tvm.ir.Type) -> Value:
        """Add a node that computes a value of type `result`, a tensor or a tuple of tensors."""
        is_tuple = isinstance(result, tvm.ir.TupleType)
        specs = [tensor_spec(ty, self.subject) for ty in (result.fields if is_tuple else [result])]
        node = self.add_node(Node(self.unique_name(name), specs, inputs, function))
        return tuple(node.entries()) if is_tuple else Entry(node, 0)

    def name_output(self, head: Entry, name: str) -> None:
        """Give the node behind an output the output's name, where one name can serve."""
        node = head.node
        if not node.is_placeholder and len(node.outputs) == 1 and not self.names[name]:
            node.name = self.unique_name(name)

    def refuse(self, reason: str, instead: str = VIRTUAL_MACHINE) -> ExportError:
        return ExportError(describe(self.subject), reason, instead)

    def tensors(self, arguments: relax.Expr) -> list[Entry]:
        """Evaluate the arguments of a kernel."""
        return list(flatten(self.evaluate(arguments)))

    # Expressions

    def evaluate(self, expression: relax.Expr) -> Value:
        sizes = shape_sizes(expression.ty)
        if sizes is not None:
            return self.add_constant(np.array(sizes, "int64"))
        handler = EXPRESSIONS.get(type(expression))
        if handler is None:
            raise self.refuse(*UNSUPPORTED.get(type(expression), NOT_A_TENSOR))
        return handler(self, expression)

    def evaluate_body(self, body: relax.SeqExpr) -> Value:
        for block in body.blocks:
            for binding in block.bindings:
                self.subject = binding
                # A match_cast as well: it may change only what is unknown, and nothing is.
                self.values[binding.var] = self.evaluate(binding.value)
        self.subject = "main, result"
        return self.evaluate(body.body)

    def evaluate_variable(self, variable: relax.Var) -> Value:
        return self.values[variable]

    def evaluate_constant(self, constant: tvm.ir.GenericConst) -> Value:
        tensor_spec(constant.ty, self.subject)
        return self.add_constant(constant.value.numpy())

    def evaluate_tuple(self, fields: relax.Tuple) -> Value:
        return tuple(self.evaluate(item) for item in fields.fields)

    def evaluate_item(self, item: relax.TupleGetItem) -> Value:
        fields = self.evaluate(item.tuple_value)
        assert isinstance(fields, tuple)  # Relax has checked the types
        return fields[item.index]

    def evaluate_call(self, call: relax.Call) -> Value:
        if not isinstance(call.op, tvm.ir.Op):
            raise self.refuse(*UNSUPPORTED_CALLEES.get(type(call.op), CLOSURE))
        name = call.op.name
        handler = CALLS.get(name)
        if handler is None:
            raise self.refuse(*UNSUPPORTED_CALLS.get(name, NO_KERNEL))
        return handler(self, call)

    # Calls

    def call_kernel(self, call: relax.Call) -> Value:
        callee, arguments = call.args
        name = callee.name_hint
        kernel = self.kernels[KERNEL_PREFIX + name] = self.module[callee]
        value = self.add_call(KERNEL_PREFIX + name, name, self.tensors(arguments), call.ty)
        extends = kernel.attrs.get(EXTENDS)
        self.nodes[-1].extends = None if extends is None else int(extends)
        self.nodes[-1].in_place = tuple(map(int, kernel.attrs.get(IN_PLACE, ())))
        return value

    def call_extern(self, call: relax.Call) -> Value:
        """The executor finds the function in the library or in the registry, by its own name."""
        name = call.args[0].global_symbol
        return self.add_call(name, name, self.tensors(call.args[1]), call.ty)

    def call_reshape(self, call: relax.Call) -> Value:
        source = self.tensors(call.args[0])
        return self.add_call(RESHAPE_IN_PLACE, "reshape", source, call.ty)

    def call_shape_to_tensor(self, call: relax.Call) -> Value:
        return self.evaluate(call.args[0])


Handler = Callable[[GraphBuilder, relax.Expr], Value]

EXPRESSIONS: dict[type, Handler] = {
    relax.SeqExpr: GraphBuilder.evaluate_body,
    relax.Var: GraphBuilder.evaluate_variable,
    relax.DataflowVar: GraphBuilder.evaluate_variable,
    tvm.ir.GenericConst: GraphBuilder.evaluate_constant,
    relax.Tuple: GraphBuilder.evaluate_tuple,
    relax.TupleGetItem: GraphBuilder.evaluate_item,
    relax.Call: GraphBuilder.evaluate_call,
}

CALLS: dict[str, Handler] = {
    "relax.call_tir": GraphBuilder.call_kernel,
    "relax.call_dps_packed": GraphBuilder.call_extern,
    "relax.reshape": GraphBuilder.call_reshape,
    "relax.shape_to_tensor": GraphBuilder.call_shape_to_tensor,
}

# What users meet that has no handler: the reason, and the advice if it is not the virtual machine.

NOT_A_TENSOR = ("kernels of a graph take tensors only", "pass numbers as 0-d tensors")
NO_KERNEL = ("this operator has no kernel that writes into memory given to it",)
CLOSURE = ("a function is a value at run time (closure)",)

UNSUPPORTED: dict[type, tuple[str, ...]] = {
    relax.If: ("a conditional chooses its branch at run time",),
    relax.Function: CLOSURE,
}

UNSUPPORTED_CALLEES: dict[type, tuple[str, ...]] = {
    tvm.ir.GlobalVar: (
        "a function of the module is called that is recursive or not private",
        "make it private, so that it can be inlined; write recursion as a fixed number of steps",
    ),
    relax.ExternFunc: (
        "a packed function is called that may have effects and allocates its own result",
        "call it by call_dps_packed, which passes the memory for the result",
    ),
}

UNSUPPORTED_CALLS: dict[str, tuple[str, ...]] = {
    "relax.call_pure_packed": (
        "call_pure_packed calls a function that allocates its own result",
        f"call it by call_dps_packed if the shape of the result is known, else {VIRTUAL_MACHINE}",
    ),
    "relax.call_tir_inplace": (
        "call_tir_inplace writes into its arguments, which others may still read",
        "call the kernel by call_tir, with memory for the result",
    ),
}
