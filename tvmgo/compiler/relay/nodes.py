# SPDX-License-Identifier: Apache-2.0
"""What ONNX says of a node and of the values that it reads and makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import onnx

from tvmgo.compiler.errors import REWRITE_OPERATOR
from tvmgo.compiler.onnx_nodes import default_of, place_of
from tvmgo.exceptions import ExportError

OPSET = 18  # of the normal form


class Spec(NamedTuple):
    """Element type and sizes of a value; None for what is not known."""

    dtype: str | None
    shape: tuple[int | None, ...] | None

    @classmethod
    def of_value(cls, value: Any) -> Spec:
        tensor = value.type.tensor_type
        if not tensor.HasField("shape"):
            return cls(dtype_name(tensor.elem_type), None)
        sizes = (dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim)
        return cls(dtype_name(tensor.elem_type), tuple(sizes))

    @classmethod
    def of_tensor(cls, tensor: Any) -> Spec:
        return cls(dtype_name(tensor.data_type), tuple(tensor.dims))

    def fits(self, found: Spec) -> bool:
        if self.dtype not in (None, found.dtype):
            return False
        return self.shape is None or (
            len(self.shape) == len(found.shape or ())
            and all(a in (None, b) for a, b in zip(self.shape, found.shape or ()))
        )

    def __str__(self) -> str:
        sizes = "?" if self.shape is None else ", ".join(str(size) for size in self.shape)
        return f"{self.dtype}[{sizes}]"


def dtype_name(code: int) -> str | None:
    """Return the name of an element type as TVM spells it."""
    if not code:
        return None
    if code not in onnx.TensorProto.DataType.values():
        return f"type {code}"
    name = onnx.TensorProto.DataType.Name(code).lower()
    return {"float": "float32", "double": "float64"}.get(name, name)


class Node:
    """A node of the model, for those who judge it."""

    def __init__(
        self, proto: Any, specs: Mapping[str, Spec], constants: Callable[[str], np.ndarray | None]
    ) -> None:
        self.proto = proto
        self.operator: str = proto.op_type
        domain = f"{proto.domain}." if proto.domain else ""
        self.place = place_of(proto.name, domain + proto.op_type)
        self.specs = specs
        self.constants = constants  # by name: the value, where it is known now

    @cached_property
    def attributes(self) -> dict[str, Any]:
        return {each.name: onnx.helper.get_attribute_value(each) for each in self.proto.attribute}

    def attribute(self, name: str) -> Any:
        """Return an attribute, or what the standard takes it for when it is not there."""
        return self.attributes.get(name, default_of(self.operator, name, OPSET))

    def has_input(self, index: int) -> bool:
        return index < len(self.proto.input) and self.proto.input[index] != ""

    def spec(self, index: int = 0) -> Spec:
        """Return what is known of an input."""
        if not self.has_input(index):
            return Spec(None, None)
        return self.specs.get(self.proto.input[index], Spec(None, None))

    def constant(self, index: int) -> np.ndarray | None:
        """Return the value of an input that is known now."""
        return self.constants(self.proto.input[index]) if self.has_input(index) else None

    def dtypes(self) -> set[str]:
        """Return the element types of all inputs and outputs."""
        names = (*self.proto.input, *self.proto.output)
        return {spec.dtype for name in names if (spec := self.specs.get(name)) and spec.dtype}

    def refuse(self, reason: str, instead: str = REWRITE_OPERATOR) -> ExportError:
        return ExportError(self.place, reason, instead)
