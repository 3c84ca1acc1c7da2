# SPDX-License-Identifier: Apache-2.0
"""From what users have to a Relax module with fixed shapes."""

from __future__ import annotations

import contextlib
import io
import operator
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import tvm
from tvm import relax

from tvmgo.compiler.errors import REWRITE_OPERATOR, ExportError, refusals_of
from tvmgo.compiler.graph import TensorSpec
from tvmgo.compiler.shapes import FIX_SHAPES, tensor_spec

Shapes = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Output:
    """What a model declares of one of its outputs; None for sizes that it leaves open."""

    name: str
    dtype: str | None
    dimensions: Sequence[Any] | None

    def check(self, found: TensorSpec) -> None:
        """Refuse an output that came out otherwise; TVM's importer skips part of some operators."""
        shape_fits = self.dimensions is None or (
            len(self.dimensions) == len(found.shape)
            and all(dim in (None, size) for dim, size in zip(self.dimensions, found.shape))
        )
        if not shape_fits or self.dtype not in (None, found.dtype):
            raise ExportError(
                f"output `{self.name}`",
                f"the model declares type {self.dtype} and shape {self.dimensions}, "
                f"TVM's importer made {found.dtype} and {list(found.shape)}",
                "correct the declaration, or rewrite the operator that makes it",
            )


@dataclass
class Model:
    """A Relax module, and its outputs where the format declares them."""

    module: tvm.IRModule
    outputs: Sequence[Output] = ()


def import_model(model: Any, shapes: Shapes) -> Model:
    """Read a model of any supported kind.

    Parameters
    ----------
    model : str, os.PathLike, onnx.ModelProto or tvm.IRModule
        A path names an ONNX file.
    shapes : mapping of str to sequence of int
        Shapes of inputs, which fix their symbolic dimensions.

    Returns
    -------
    Model

    Raises
    ------
    ExportError
        If the file is no ONNX, the model has no ``main``, or TVM cannot import it.
    FileNotFoundError
        If there is no such file.
    ValueError
        If `shapes` does not fit the model.
    TypeError
        If `model` is none of these.
    """
    shapes = {name: read_shape(name, shape) for name, shape in shapes.items()}
    if isinstance(model, tvm.IRModule):
        return import_relax(model, shapes)
    onnx = require_onnx()
    if isinstance(model, (str, os.PathLike)):
        os.stat(model)  # raises if there is no file, which is not the model's fault
        with refusals_of(f"reading {os.fspath(model)}", instead="give an ONNX file"):
            model = onnx.load(os.fspath(model))
    if isinstance(model, onnx.ModelProto):
        return import_onnx(model, shapes)
    raise TypeError(
        "model: expected an ONNX path, an onnx.ModelProto or a tvm.IRModule, "
        f"got {type(model).__name__}"
    )


def require_onnx() -> ModuleType:
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise ImportError(
            'ONNX models need the package onnx: pip install "tvmgo[compiler]"'
        ) from error
    return onnx


# ONNX


def import_onnx(model: Any, shapes: Shapes) -> Model:
    from tvmgo.compiler.onnx_importer import from_onnx

    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    declared = {value.name: onnx_dimensions(value) for value in inputs}
    sizes = match_dimensions(declared, shapes)
    fixed = {
        name: fix_dimensions(name, declared[name], shapes.get(name), sizes) for name in declared
    }
    with (
        refusals_of("importing the ONNX model", instead=REWRITE_OPERATOR),
        # The importer prints an operator that it cannot convert, before it raises.
        contextlib.redirect_stdout(io.StringIO()),
    ):
        module = from_onnx(model, fixed)
    return Model(module, [onnx_output(value) for value in model.graph.output])


def onnx_output(value: Any) -> Output:
    """Read a declaration; a dimension that has only a name counts as open."""
    from onnx.helper import tensor_dtype_to_np_dtype

    dimensions = onnx_dimensions(value)
    if dimensions is not None:
        dimensions = [dim if isinstance(dim, int) else None for dim in dimensions]
    code = value.type.tensor_type.elem_type
    return Output(value.name, tensor_dtype_to_np_dtype(code).name if code else None, dimensions)


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


# Relax


def import_relax(module: tvm.IRModule, shapes: Shapes) -> Model:
    functions = {variable.name_hint: function for variable, function in module.functions.items()}
    if not isinstance(functions.get("main"), relax.Function):
        raise ExportError(
            "the module", "it has no Relax function `main`", "name the entry function main"
        )
    module = give_missing_shapes(bind_attached_params(module), shapes)
    parameters = module["main"].params
    sizes = match_dimensions({p.name: relax_dimensions(p) for p in parameters}, shapes)
    if sizes:
        module = relax.transform.BindSymbolicVars(sizes, "main")(module)
    for parameter in module["main"].params:
        found = tensor_spec(parameter.ty, parameter).shape
        wanted = shapes.get(parameter.name, found)
        if wanted != found:
            raise ValueError(f"shapes[{parameter.name!r}]: expected {found}, got {wanted}")
    return Model(module)


def bind_attached_params(module: tvm.IRModule) -> tvm.IRModule:
    """Make constants of the values that a frontend attached to main (``keep_params_in_input``)."""
    module, attached = relax.frontend.detach_params(module)
    values = attached.get("main", [])
    if not values:
        return module
    parameters = module["main"].params[-len(values) :]
    return relax.transform.BindParams("main", dict(zip(parameters, values)))(module)


def give_missing_shapes(module: tvm.IRModule, shapes: Shapes) -> tvm.IRModule:
    """Declare the shapes of those tensors among the inputs that declare none."""
    missing = {
        parameter: relax.TensorType(list(shapes[parameter.name]), parameter.ty.dtype)
        for parameter in module["main"].params
        if parameter.name in shapes
        and isinstance(parameter.ty, relax.TensorType)
        and parameter.ty.shape is None
    }
    return relax.transform.UpdateParamType(missing.get)(module) if missing else module


def relax_dimensions(parameter: relax.Var) -> list[Any] | None:
    """Return sizes, symbolic dimensions, and None for what is computed from them."""
    shape = getattr(parameter.ty, "shape", None)
    if not isinstance(shape, relax.ShapeExpr):
        return None
    sizes = (int(dim) if isinstance(dim, tvm.tirx.IntImm) else dim for dim in shape.values)
    return [dim if isinstance(dim, (int, tvm.tirx.Var)) else None for dim in sizes]


# Shapes


def read_shape(name: str, shape: Sequence[int]) -> tuple[int, ...]:
    sizes = tuple(operator.index(size) for size in shape)
    if min(sizes, default=0) < 0:
        raise ValueError(f"shapes[{name!r}]: {sizes} has a negative size")
    return sizes


def match_dimensions(
    declared: Mapping[str, Sequence[Any] | None], shapes: Shapes
) -> dict[Any, int]:
    """Compare shapes with declarations and return the size of every symbolic dimension.

    Parameters
    ----------
    declared : mapping of str to list or None
        By input: sizes (int), symbolic dimensions (anything hashable), None for what is not known.
    shapes : mapping of str to sequence of int

    Raises
    ------
    ValueError
        If a name is no input's, a rank or a size differs, or one dimension gets two sizes.
    """
    sizes: dict[Any, int] = {}
    for name, shape in shapes.items():
        if name not in declared:
            raise ValueError(f"shapes: the model has no input {name!r}; it has {sorted(declared)}")
        dimensions = declared[name]
        if dimensions is None:
            continue
        if len(dimensions) != len(shape):
            raise ValueError(
                f"shapes[{name!r}]: expected {len(dimensions)} dimensions, got {len(shape)}"
            )
        for dim, size in zip(dimensions, shape):
            if dim is None:
                continue
            expected = dim if isinstance(dim, int) else sizes.setdefault(dim, size)
            if expected != size:
                raise ValueError(
                    f"shapes[{name!r}]: expected {expected} for dimension {dim}, got {size}"
                )
    return sizes
