# SPDX-License-Identifier: Apache-2.0
"""The nodes of a model one after the other, with shapes that may depend on inputs and data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tvm
from onnx import helper
from tvm import relax, tirx

from tvmgo.compiler.onnx_nodes import TrackedInputs, ignored, unread
from tvmgo.compiler.relax.importing.dynamic.control_flow import convert_if, convert_loop
from tvmgo.compiler.relax.importing.dynamic.integers import (
    MOST,
    Follower,
    Integers,
    Size,
    Sizes,
    array_of,
    plain,
)
from tvmgo.compiler.relax.importing.dynamic.node import (
    DynamicNode,
    integers_of,
    sizes_of,
    tensor_of,
)
from tvmgo.compiler.relax.importing.dynamic.open_sizes import prepare
from tvmgo.compiler.relax.importing.dynamic.operators import DYNAMIC
from tvmgo.compiler.relax.importing.dynamic.scanning import convert_scan
from tvmgo.compiler.relax.importing.onnx_importer import (
    HARMLESS,
    ONNX_DOMAINS,
    WITH_PLACEHOLDERS,
    StrictImporter,
)


def from_dynamic_onnx(model: Any) -> tvm.IRModule:
    """Convert a model in the normal form, whose inputs may have open dimensions."""
    opset = next(each.version for each in model.opset_import if each.domain in ONNX_DOMAINS)
    return DynamicImporter().from_onnx(model.graph, opset)


CONTROL_FLOW = {"If": convert_if, "Loop": convert_loop, "Scan": convert_scan}

# The type of what is followed as integers, where it is not that of the first input.
BOOLEANS = {"Equal", "Less", "Greater", "Not"}
INTEGERS = {"int64", "int32"}


class DynamicImporter(StrictImporter):
    """Imports models with open dimensions, branches, loops and sizes that depend on data."""

    def __init__(self) -> None:
        super().__init__({}, "float32", sanitize=False)
        self.sizes = Sizes()
        self._follower = Follower(self.sizes)
        self._nodes: dict[str, relax.Expr] = {}
        self._known: dict[str, tuple[Integers, str]] = {}
        self._types: dict[str, Any] = {}  # what ONNX's inference says
        self._names: set[str] = set()
        self._used: set[str] = set()  # what some node reads, or the model gives
        self.depth = 0  # how many blocks are around the one that is made
        self.raises = False  # whether the model checks what no size tells
        self._functions: dict[tvm.ir.GlobalVar, relax.Function] = {}

    def from_onnx(self, graph: Any, opset: int) -> tvm.IRModule:
        self.opset = opset
        self._used = names_used(graph)
        self._read_types(graph)
        dimensions: dict[str, tirx.Var] = {}
        inputs = [self._input(value, dimensions) for value in graph.input]
        with self.bb.function("main", inputs):
            for value, variable in zip(graph.input, inputs):
                self._nodes[value.name] = variable
            results = self.convert(graph)
            outputs = results[0] if len(results) == 1 else relax.Tuple(results)
            self.bb.emit_func_output(outputs)
        module = self.bb.get()
        functions = {module.get_global_var("main"): module["main"], **self._functions}
        for variable, function in functions.items():
            if self.raises:  # its calls are no less free to be joined or moved
                function = function.with_attr("relax.force_pure", True)
            module.update_func(variable, function)
        return module

    def _input(self, value: Any, dimensions: dict[str, tirx.Var]) -> relax.Var:
        shape: list[Size] = []
        for place, dim in enumerate(value.type.tensor_type.shape.dim):
            if dim.HasField("dim_value"):
                shape.append(dim.dim_value)
                continue
            name = dim.dim_param or f"{value.name}_{place}"
            if name not in dimensions:
                dimensions[name] = self.new_size(name)
            shape.append(dimensions[name])
        return relax.Var(value.name, relax.TensorType(shape, dtype_name(value)))

    def new_size(self, hint: str) -> tirx.Var:
        """Make an open dimension that no other has the name of."""
        name = base = "".join(c if c.isalnum() else "_" for c in hint) or "n"
        while name in self._names:
            name = f"{base}_{len(self._names)}"
        self._names.add(name)
        return self.sizes.new(name)

    def new_function(self, hint: str, ty: relax.FuncType) -> tvm.ir.GlobalVar:
        """Name a private function, so that it can be called before it is defined."""
        name = f"{''.join(c if c.isalnum() else '_' for c in hint)}_{len(self._functions)}"
        variable = tvm.ir.GlobalVar(name)
        relax.expr._update_type(variable, ty)
        self._functions[variable] = None
        return variable

    def define_function(
        self,
        variable: tvm.ir.GlobalVar,
        parameters: Sequence[relax.Var],
        body: relax.Expr,
        result: Any,
    ) -> None:
        """Define it; `parameters` may be variables of the functions that call it."""
        function = relax.Function(list(parameters), body, result, is_pure=True)
        self._functions[variable] = relax.utils.copy_with_new_vars(function)

    def bind(self, values: dict[str, relax.Expr]) -> None:
        self._nodes.update(values)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """What is made inside is not seen outside."""
        nodes, known = self._nodes, self._known
        self._nodes, self._known = dict(nodes), dict(known)
        try:
            yield
        finally:
            self._nodes, self._known = nodes, known

    @contextmanager
    def block(self) -> Iterator[list[Any]]:
        """Collect what is emitted inside as a block of its own, the list's only item afterwards."""
        made: list[Any] = []
        self.bb._begin_binding_block()
        self.depth += 1
        with self.scope():
            try:
                yield made
            finally:
                self.depth -= 1
                made.append(self.bb._end_block())

    def _read_types(self, graph: Any) -> None:
        for value in (*graph.input, *graph.value_info, *graph.output):
            if value.type.HasField("tensor_type"):
                self._types[value.name] = value.type.tensor_type

    def convert(self, graph: Any) -> list[relax.Expr]:
        """Convert the nodes of a graph; its inputs are known already. Return its outputs."""
        self._read_types(graph)
        for tensor in graph.initializer:
            self._nodes[tensor.name] = relax.const(self._parse_array(tensor))
        for proto in graph.node:
            self.convert_node(proto)
        return [self.value(value.name) for value in graph.output]

    def convert_node(self, proto: Any) -> None:
        node = DynamicNode(self, proto, self._parse_attr(proto.attribute))
        if self._follow(node):
            return
        if proto.op_type in CONTROL_FLOW:
            results = CONTROL_FLOW[proto.op_type](node)
        else:
            results = self._fields(self._result(node))
        if len(results) < len(node.outputs):
            raise node.refuse(
                f"it has {len(node.outputs)} outputs, of which TVM makes {len(results)}"
            )
        for place, (name, result) in enumerate(zip(node.outputs, results)):
            if place and node.operator in WITH_PLACEHOLDERS and name in self._used:
                raise node.refuse(f"TVM makes no output {place} of it, `{name}`")
            if name:
                self._nodes[name] = self._settle(node, name, result)

    def _result(self, node: DynamicNode) -> relax.Expr:
        convert = DYNAMIC.get(node.operator)
        result = convert(node) if convert else None
        if result is not None:
            self._refuse_unread(node)
            return self.bb.normalize(result)
        if not node.is_static:
            prepare(node)
        inputs = self._arguments(node)
        attributes = dict(node.attributes)
        attributes["tvm_custom"] = {"name": node.name, "num_outputs": len(node.outputs)}
        return self.bb.normalize(
            self._convert_operator(node.operator, inputs, attributes, self.opset)
        )

    def _refuse_unread(self, node: DynamicNode) -> None:
        """Refuse what a converter of ours has not read; it has seen all inputs."""
        nothing = TrackedInputs([])
        for what in unread(
            node.operator, self.opset, node.attributes, nothing, HARMLESS, lambda _: True
        ):
            raise node.refuse(ignored(what))

    def _arguments(self, node: DynamicNode) -> Any:
        from tvm.relax.frontend.onnx.onnx_frontend import onnx_input

        return onnx_input(node.replaced or node.values())

    def _fields(self, result: relax.Expr) -> list[relax.Expr]:
        if isinstance(result, relax.Tuple):
            return list(result.fields)
        if not isinstance(result.ty, tvm.ir.TupleType):
            return [result]
        whole = result if isinstance(result, relax.Var) else self.bb.emit(result)
        return [relax.TupleGetItem(whole, i) for i in range(len(result.ty.fields))]

    def _settle(self, node: DynamicNode, name: str, value: relax.Expr) -> relax.Expr:
        """Bind a result, and give names to sizes of it that are known only at run time."""
        value = self.bb.normalize(value)
        if not isinstance(value.ty, relax.TensorType) or not value.ty.dtype:
            raise node.refuse(f"its output `{name}` is {value.ty}, no tensor")
        if not isinstance(value, (relax.Var, tvm.ir.GenericConst)):
            value = self.bb.emit(value)
        shape = self._declared_shape(node, name, value)
        if isinstance(value.ty.shape, relax.ShapeExpr):
            return value
        if shape is None:
            raise node.refuse(f"how many dimensions its output `{name}` has depends on data")
        sizes = [
            self.new_size(f"{name}_{place}") if size is None else size
            for place, size in enumerate(shape)
        ]
        return self.bb.match_cast(value, relax.TensorType(sizes, value.ty.dtype))

    def _declared_shape(
        self, node: DynamicNode, name: str, value: relax.Expr
    ) -> list[int | None] | None:
        """Return what ONNX's inference says of a shape, which TVM's must not contradict."""
        ty, declared = value.ty, self._types.get(name)
        found: list[int | None] | None = [None] * ty.ndim if ty.ndim >= 0 else None
        if isinstance(ty.shape, relax.ShapeExpr):
            found = [size if isinstance(size, int) else None for size in sizes_of(value)]
        if declared is None:
            return found
        said = found
        if declared.HasField("shape"):
            dims = declared.shape.dim
            said = [dim.dim_value if dim.HasField("dim_value") else None for dim in dims]
        code = declared.elem_type
        same_type = not code or helper.tensor_dtype_to_np_dtype(code).name == str(ty.dtype)
        if found is None or said is None:
            same_shape = True
        else:
            same_shape = len(found) == len(said) and all(
                None in pair or pair[0] == pair[1] for pair in zip(found, said)
            )
        if not same_type or not same_shape:
            raise node.refuse(f"TVM's importer makes {ty} of its output `{name}`, ONNX {said}")
        return said

    # What is known of values.

    def value(self, name: str) -> relax.Expr:
        if name not in self._nodes:
            values, dtype = self._known[name]
            self._nodes[name] = tensor_of(self.bb, values, dtype)
        return self._nodes[name]

    def shape_of(self, name: str) -> list[Size]:
        if name in self._nodes:
            return [plain(size) for size in self._nodes[name].ty.shape.values]
        return list(self._known[name][0].shape)

    def dtype_of(self, name: str) -> str:
        return str(self._nodes[name].ty.dtype) if name in self._nodes else self._known[name][1]

    def constant(self, name: str) -> np.ndarray[Any, Any] | None:
        value = self._nodes.get(name)
        if isinstance(value, tvm.ir.GenericConst):
            return np.asarray(value.value.numpy())
        return None

    def known(self, name: str) -> Integers | None:
        if name in self._known:
            return self._known[name][0]
        value = self.constant(name)
        if value is None or value.dtype.kind not in "iub" or value.size > MOST:
            return None
        return array_of(value.astype("int64"))

    def run_time_integers(self, name: str, node: DynamicNode) -> list[Size]:
        found = self.known(name)
        if found is None:
            shape = self.shape_of(name)
            if len(shape) > 1 or not all(isinstance(size, int) for size in shape):
                raise node.refuse(f"how many numbers `{name}` has depends on data")
            count = shape[0] if shape else 1
            names = [
                tirx.Var(f"{node.operator.lower()}_{len(self._names)}_{i}", "int64")
                for i in range(count)
            ]
            self._names.update(each.name for each in names)
            if count:
                integers_of(self.bb, self._nodes[name], names)
            found = array_of(names).reshape(shape)
            self._known[name] = found, self.dtype_of(name)
        return list(found.reshape(-1))

    def _follow(self, node: DynamicNode) -> bool:
        """Keep the integers that a node computes as expressions, if they are some."""
        if len(node.outputs) != 1:
            return False
        if node.operator in ("Shape", "Size"):
            shape = array_of(node.shape())
            if node.operator == "Size":
                result, dtype = array_of(np.prod(shape) if shape.size else 1), "int64"
            else:
                first, last = (node.attributes.get(end) for end in ("start", "end"))
                result, dtype = shape[slice(first, last)], "int64"
            self._known[node.outputs[0]] = result, dtype
            return True
        inputs = [node.known(i) for i in range(len(node.inputs))]
        if not any(name in self._known for name in node.inputs) or any(
            value is None for value, name in zip(inputs, node.inputs) if name
        ):
            return False
        if node.operator == "Cast":
            dtype = helper.tensor_dtype_to_np_dtype(node.attributes["to"]).name
        else:
            dtype = "bool" if node.operator in BOOLEANS else node.dtype(node.operator == "Where")
        if dtype not in (*INTEGERS, "bool"):
            return False
        found = self._follower.compute(node.operator, node.attributes, inputs)
        if found is None:
            return False
        self._known[node.outputs[0]] = found, dtype
        return True


def dtype_name(value: Any) -> str:
    code = value.type.tensor_type.elem_type
    return str(helper.tensor_dtype_to_np_dtype(code).name)


def names_used(graph: Any) -> set[str]:
    """Return the names of values that nodes read or graphs give, in this graph and those inside."""
    names = {value.name for value in graph.output}
    for node in graph.node:
        names.update(node.input)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                names |= names_used(attribute.g)
    return names
