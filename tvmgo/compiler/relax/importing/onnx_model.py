# SPDX-License-Identifier: Apache-2.0
"""ONNX models in the normal form."""

from __future__ import annotations

import contextlib
import io
import os
from typing import Any

import onnx
from onnx.helper import tensor_dtype_to_np_dtype

from tvmgo.compiler.errors import REWRITE_OPERATOR, as_export_error
from tvmgo.compiler.relax.importing.dynamic.importer import from_dynamic_onnx
from tvmgo.compiler.relax.importing.imported_model import DeclaredOutput, ImportedModel
from tvmgo.compiler.relax.importing.onnx_importer import from_onnx

PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul", "MatMulInteger")


def import_onnx(path: str | os.PathLike[str], *, keep_open: bool = False) -> ImportedModel:
    """Import the file that `tvmgo.compiler.simplify` has written.

    With `keep_open` for the virtual machine, otherwise for a graph.
    """
    with (
        as_export_error("importing the ONNX model", instead=REWRITE_OPERATOR),
        # The importer prints an operator that it cannot convert, before it raises.
        contextlib.redirect_stdout(io.StringIO()),
    ):
        model = onnx.load(path)
        if keep_open:
            module = from_dynamic_onnx(model)
        else:
            shapes: Any = {value.name: dimensions_of(value) for value in model.graph.input}
            module = from_onnx(model, shapes)
    products = [
        each.name or each.output[0] for each in model.graph.node if each.op_type in PRODUCTS
    ]
    outputs = [declared_output(value) for value in model.graph.output]
    return ImportedModel(module, outputs, products=products)


def dimensions_of(value: Any) -> list[int | None]:
    """Return the sizes of a tensor, None for those that are open."""
    dimensions = value.type.tensor_type.shape.dim
    return [dim.dim_value if dim.HasField("dim_value") else None for dim in dimensions]


def declared_output(value: Any) -> DeclaredOutput:
    code = value.type.tensor_type.elem_type
    known = value.type.tensor_type.HasField("shape")
    return DeclaredOutput(
        value.name,
        tensor_dtype_to_np_dtype(code).name if code else None,
        dimensions_of(value) if known else None,
    )
