# SPDX-License-Identifier: Apache-2.0
"""A node and its inputs as converters of dynamic models see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tvm import relax, te, tirx

from tvmgo.compiler.onnx_nodes import TrackedAttributes, place_of
from tvmgo.compiler.relax.importing.dynamic.integers import (
    Integers,
    Size,
    all_numbers,
    expression,
    plain,
)
from tvmgo.exceptions import ExportError


class DynamicNode:
    """What converters read of a node, and what they compute with."""

    def __init__(self, importer: Any, proto: Any, attributes: dict[str, Any]) -> None:
        self.importer = importer  # a DynamicImporter, which makes nodes
        self.bb: relax.BlockBuilder = importer.bb
        self.sizes = importer.sizes
        self.operator: str = proto.op_type
        self.name: str = proto.name
        self.outputs: list[str] = list(proto.output)
        self.inputs: list[str] = list(proto.input)
        self.attributes = TrackedAttributes(attributes)
        self.place = place_of(proto.name, proto.op_type)
        self.replaced: list[relax.Expr | None] | None = None  # inputs, as prepared for TVM

    def has(self, index: int) -> bool:
        return index < len(self.inputs) and bool(self.inputs[index])

    def value(self, index: int = 0) -> relax.Expr:
        return self.importer.value(self.inputs[index])

    def values(self) -> list[relax.Expr | None]:
        return [self.importer.value(name) if name else None for name in self.inputs]

    def shape(self, index: int = 0) -> list[Size]:
        return self.importer.shape_of(self.inputs[index])

    def dtype(self, index: int = 0) -> str:
        return self.importer.dtype_of(self.inputs[index])

    def known(self, index: int) -> Integers | None:
        """Return the integers of an input as far as they are known now; None if they are not."""
        return self.importer.known(self.inputs[index]) if self.has(index) else None

    def integers(self, index: int) -> list[Size]:
        """Return the integers of an input, as names for what is known at run time only."""
        return self.importer.run_time_integers(self.inputs[index], self)

    def constant(self, index: int) -> np.ndarray[Any, Any] | None:
        value = self.importer.constant(self.inputs[index]) if self.has(index) else None
        return None if value is None else np.asarray(value)

    def need_constant(self, index: int, what: str) -> np.ndarray[Any, Any]:
        value = self.constant(index)
        if value is None:
            raise self.refuse(f"its {what} is computed while the model runs")
        return value

    @property
    def is_static(self) -> bool:
        """Whether all inputs have fixed shapes."""
        return all(
            isinstance(size, int)
            for name in self.inputs
            if name
            for size in self.importer.shape_of(name)
        )

    def emit_te(self, kernel: Any, *arguments: Any, name: str = "") -> relax.Var:
        hint = name or self.operator.lower()
        return self.bb.emit_te(kernel, *arguments, primfunc_name_hint=hint)

    def refuse(self, reason: str, instead: str = "rewrite the operator") -> ExportError:
        return ExportError(self.place, reason, instead)


def sizes_of(value: relax.Expr) -> list[Size]:
    return [plain(size) for size in value.ty.shape.values]


def shape_expr(sizes: Sequence[Size]) -> relax.ShapeExpr:
    return relax.ShapeExpr([expression(size) for size in sizes])


def tensor_of(bb: relax.BlockBuilder, values: Integers, dtype: str) -> relax.Expr:
    """Make a tensor of integers that are known."""
    if all_numbers(values):
        return relax.const(values.astype(dtype), dtype)
    flat = [expression(value) for value in values.reshape(-1)]
    shape = [tirx.const(size, "int64") for size in values.shape]

    def kernel(elements: relax.ShapeExpr) -> te.Tensor:
        def element(*index: Any) -> Any:
            place: Any = tirx.const(0, "int64")
            for position, size in zip(index, shape):
                place = place * size + position
            result = elements[-1]
            for number in range(len(elements) - 2, -1, -1):
                result = tirx.Select(place == tirx.const(number, "int64"), elements[number], result)
            return result.astype(dtype)

        return te.compute(shape, element)

    return bb.emit_te(kernel, relax.ShapeExpr(flat), primfunc_name_hint="integers")


def integers_of(bb: relax.BlockBuilder, tensor: relax.Expr, names: Sequence[tirx.Var]) -> None:
    """Give names to the elements of a tensor, in the order of memory, when the model runs."""
    count = len(names)
    flat = bb.normalize(relax.op.reshape(tensor, (count,)))
    if str(flat.ty.dtype) != "int64":
        flat = bb.normalize(relax.op.astype(flat, "int64"))
    pattern = [relax.ShapeType(ndim=count)]
    shape = relax.call_pure_packed("vm.builtin.tensor_to_shape", flat, ty_args=pattern)
    bb.match_cast(bb.emit(shape), relax.ShapeType(list(names)))
