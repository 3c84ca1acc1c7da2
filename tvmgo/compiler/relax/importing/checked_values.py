# SPDX-License-Identifier: Apache-2.0
"""Every value that the importer makes, beside what ONNX infers of its type and shape."""

from __future__ import annotations

from typing import Any

from onnx.helper import tensor_dtype_to_np_dtype
from tvm import relax

from tvmgo.compiler.errors import REWRITE_OPERATOR
from tvmgo.compiler.onnx_nodes import place_of
from tvmgo.compiler.relax.expressions import shape_of
from tvmgo.exceptions import ExportError


class CheckedValues(dict[str, Any]):
    """Values by name; refuses one that came out otherwise, of what node it may be."""

    def __init__(self, graph: Any) -> None:
        super().__init__()
        self._types = {
            value.name: value.type.tensor_type for value in (*graph.value_info, *graph.output)
        }
        self._makers = {name: node for node in graph.node for name in node.output if name}

    def __setitem__(self, name: str, value: Any) -> None:
        maker, known = self._makers.get(name), self._types.get(name)
        if maker is not None and known is not None:
            difference = difference_from(known, value)
            if difference:
                raise ExportError(
                    place_of(maker.name, maker.op_type),
                    f"TVM's importer makes its output `{name}` {difference}",
                    REWRITE_OPERATOR,
                )
        super().__setitem__(name, value)


def difference_from(known: Any, value: Any) -> str:
    """Say how a tensor differs from its inferred type; nothing where that is not known."""
    if not isinstance(value, relax.Expr) or not isinstance(value.ty, relax.TensorType):
        return ""
    shape, inferred = shape_of(value), known.shape.dim
    fits = (
        shape is None
        or not known.HasField("shape")
        or (
            len(shape) == len(inferred)
            and all(
                size == dim.dim_value
                for size, dim in zip(shape, inferred)
                if dim.HasField("dim_value")
            )
        )
    )
    dtype = str(value.ty.dtype)
    expected = tensor_dtype_to_np_dtype(known.elem_type).name if known.elem_type else dtype
    if fits and dtype == expected:
        return ""
    sizes = [dim.dim_value if dim.HasField("dim_value") else "?" for dim in inferred]
    return (
        f"{dtype} of shape {list(shape or ())}, where ONNX infers {expected} of shape "
        f"[{', '.join(map(str, sizes))}]"
    )
