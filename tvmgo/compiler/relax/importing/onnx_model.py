# SPDX-License-Identifier: Apache-2.0
"""ONNX models: files and `onnx.ModelProto`."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
from types import ModuleType
from typing import Any

from tvmgo.compiler.errors import REWRITE_OPERATOR, as_export_error
from tvmgo.compiler.input_shapes import InputShapes
from tvmgo.compiler.relax.importing.imported_model import DeclaredOutput, ImportedModel
from tvmgo.compiler.simplify.shapes import dimensions_of
from tvmgo.exceptions import TVMFileNotFoundError, TVMImportError


def is_path(model: Any) -> bool:
    return isinstance(model, (str, os.PathLike))


def is_onnx_model(model: Any) -> bool:
    onnx = sys.modules.get("onnx")  # who has one of its models has imported it
    return isinstance(model, getattr(onnx, "ModelProto", ()))


def import_onnx_file(path: str | os.PathLike[str], shapes: InputShapes) -> ImportedModel:
    onnx = require("onnx")
    name = os.fspath(path)
    try:
        os.stat(name)
    except FileNotFoundError as error:
        raise TVMFileNotFoundError.for_argument("model", name) from error
    with as_export_error(f"reading {name}", instead="give an ONNX file"):
        model = onnx.load(name)
    return import_onnx(model, shapes)


def require(package: str) -> ModuleType:
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise TVMImportError(
            f'ONNX models need the package {package}: pip install "tvmgo[compiler]"'
        ) from error


# Operators of com.microsoft that TVM's importer knows, by name alone.
KNOWN_BESIDE_ONNX = {
    *("Attention", "BiasGelu", "EmbedLayerNormalization", "FastGelu", "Gelu"),
    *("MatMulInteger16", "SkipLayerNormalization"),
}


def import_onnx(model: Any, shapes: InputShapes) -> ImportedModel:
    require("onnxruntime")
    from tvmgo.compiler.relax.importing.onnx_importer import from_onnx
    from tvmgo.compiler.simplify.simplifier import simplify

    with (
        as_export_error("importing the ONNX model", instead=REWRITE_OPERATOR),
        # The importer prints an operator that it cannot convert, before it raises.
        contextlib.redirect_stdout(io.StringIO()),
    ):
        simple = simplify(model, shapes, {"com.microsoft": KNOWN_BESIDE_ONNX})
        fixed: Any = {value.name: dimensions_of(value) for value in simple.graph.input}
        module = from_onnx(simple, fixed)
    return ImportedModel(module, [declared_output(value) for value in simple.graph.output])


def declared_output(value: Any) -> DeclaredOutput:
    """Read a declaration; a dimension that has only a name counts as open."""
    from onnx.helper import tensor_dtype_to_np_dtype

    dimensions = dimensions_of(value)
    if dimensions is not None:
        dimensions = [dim if isinstance(dim, int) else None for dim in dimensions]
    code = value.type.tensor_type.elem_type
    return DeclaredOutput(
        value.name, tensor_dtype_to_np_dtype(code).name if code else None, dimensions
    )
