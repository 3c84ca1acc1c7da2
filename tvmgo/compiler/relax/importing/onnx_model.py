# SPDX-License-Identifier: Apache-2.0
"""ONNX models: files and `onnx.ModelProto`."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from tvmgo.compiler.errors import REWRITE_OPERATOR, as_export_error
from tvmgo.compiler.relax.importing.imported_model import DeclaredOutput, ImportedModel
from tvmgo.compiler.relax.importing.input_shapes import InputShapes, match_dimensions
from tvmgo.compiler.relax.shapes import FIX_SHAPES
from tvmgo.exceptions import ExportError, TVMFileNotFoundError, TVMImportError


def is_path(model: Any) -> bool:
    return isinstance(model, (str, os.PathLike))


def is_onnx_model(model: Any) -> bool:
    onnx = sys.modules.get("onnx")  # who has one of its models has imported it
    return isinstance(model, getattr(onnx, "ModelProto", ()))


def import_onnx_file(path: str | os.PathLike[str], shapes: InputShapes) -> ImportedModel:
    onnx = require_onnx()
    name = os.fspath(path)
    try:
        os.stat(name)
    except FileNotFoundError as error:
        raise TVMFileNotFoundError.for_argument("model", name) from error
    with as_export_error(f"reading {name}", instead="give an ONNX file"):
        model = onnx.load(name)
    return import_onnx(model, shapes)


def require_onnx() -> ModuleType:
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise TVMImportError(
            'ONNX models need the package onnx: pip install "tvmgo[compiler]"'
        ) from error
    return onnx


def import_onnx(model: Any, shapes: InputShapes) -> ImportedModel:
    from tvmgo.compiler.relax.importing.onnx_importer import from_onnx

    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    declared = {value.name: onnx_dimensions(value) for value in inputs}
    sizes = match_dimensions(declared, shapes)
    fixed = {
        name: fix_dimensions(name, declared[name], shapes.get(name), sizes) for name in declared
    }
    with (
        as_export_error("importing the ONNX model", instead=REWRITE_OPERATOR),
        # The importer prints an operator that it cannot convert, before it raises.
        contextlib.redirect_stdout(io.StringIO()),
    ):
        module = from_onnx(model, fixed)
    return ImportedModel(module, [declared_output(value) for value in model.graph.output])


def declared_output(value: Any) -> DeclaredOutput:
    """Read a declaration; a dimension that has only a name counts as open."""
    from onnx.helper import tensor_dtype_to_np_dtype

    dimensions = onnx_dimensions(value)
    if dimensions is not None:
        dimensions = [dim if isinstance(dim, int) else None for dim in dimensions]
    code = value.type.tensor_type.elem_type
    return DeclaredOutput(
        value.name, tensor_dtype_to_np_dtype(code).name if code else None, dimensions
    )


def onnx_dimensions(value: Any) -> list[int | str | None] | None:
    """Return sizes, names of symbolic dimensions, and None where even the name is missing."""
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        raise ExportError(f"value `{value.name}`", f"it is of kind {kind}", "pass separate tensors")
    if not value.type.tensor_type.HasField("shape"):
        return None
    return [
        dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None
        for dim in value.type.tensor_type.shape.dim
    ]


def fix_dimensions(
    name: str,
    dimensions: Sequence[Any] | None,
    shape: Sequence[int] | None,
    sizes: Mapping[Any, int],
) -> list[int]:
    """Return the full shape of an input: as given, or as declared with its dimensions' sizes."""
    if shape is not None:
        return list(shape)
    if dimensions is None:
        raise ExportError(f"input `{name}`", "it declares no shape", FIX_SHAPES)
    fixed = [sizes.get(dim, dim) for dim in dimensions]
    if not all(isinstance(dim, int) for dim in fixed):
        dims = ", ".join("?" if dim is None else str(dim) for dim in fixed)
        raise ExportError(f"input `{name}`", f"its shape [{dims}] has open dimensions", FIX_SHAPES)
    return fixed
