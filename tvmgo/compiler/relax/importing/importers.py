# SPDX-License-Identifier: Apache-2.0
"""Which importer reads which kind of model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tvmgo.compiler.input_shapes import InputShapes, check_sizes
from tvmgo.compiler.relax.importing.imported_model import ImportedModel
from tvmgo.compiler.relax.importing.onnx_model import (
    import_onnx,
    import_onnx_file,
    is_onnx_model,
    is_path,
)
from tvmgo.compiler.relax.importing.relax_module import import_relax, is_relax_module
from tvmgo.exceptions import TVMTypeError


@dataclass(frozen=True)
class Importer:
    """How one kind of model is recognised and read; `kind` is what errors call it."""

    kind: str
    recognises: Callable[[Any], bool]
    read: Callable[[Any, InputShapes], ImportedModel]


# The first that recognises a model reads it.
IMPORTERS = (
    Importer("an ONNX path", is_path, import_onnx_file),
    Importer("an onnx.ModelProto", is_onnx_model, import_onnx),
    Importer("a tvm.IRModule", is_relax_module, import_relax),
)


def import_model(model: Any, shapes: InputShapes) -> ImportedModel:
    """Read a model of any supported kind.

    Parameters
    ----------
    model : one of the kinds of `IMPORTERS`
    shapes : mapping of str to sequence of int
        Shapes of inputs, which fix their symbolic dimensions.

    Returns
    -------
    ImportedModel

    Raises
    ------
    ExportError
        If the file is no ONNX, the model has no ``main``, or TVM cannot import it.
    TVMFileNotFoundError
        If there is no such file.
    TVMValueError
        If `shapes` does not fit the model.
    TVMTypeError
        If `model` is none of these, or a shape is no sequence of integers.
    TVMImportError
        If the package that reads the model is missing.
    """
    shapes = {name: check_sizes(name, shape) for name, shape in shapes.items()}
    for importer in IMPORTERS:
        if importer.recognises(model):
            return importer.read(model, shapes)
    *kinds, last = (importer.kind for importer in IMPORTERS)
    expected = f"{', '.join(kinds)} or {last}"
    raise TVMTypeError(f"model: expected {expected}, got {type(model).__name__}")
