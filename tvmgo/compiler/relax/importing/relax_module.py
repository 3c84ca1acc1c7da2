# SPDX-License-Identifier: Apache-2.0
"""Relax modules: parameters bound, shapes given."""

from __future__ import annotations

from typing import Any

import tvm
from tvm import relax

from tvmgo.compiler.input_shapes import InputShapes, match_dimensions
from tvmgo.compiler.relax.importing.imported_model import ImportedModel
from tvmgo.compiler.relax.shapes import tensor_spec
from tvmgo.exceptions import TVMValueError


def import_relax(
    module: tvm.IRModule, shapes: InputShapes, *, keep_open: bool = False
) -> ImportedModel:
    """Give a module's inputs the shapes; others may stay open with `keep_open`."""
    module = give_missing_shapes(module, shapes)
    parameters = module["main"].params
    sizes = match_dimensions({p.name: relax_dimensions(p) for p in parameters}, shapes)
    if sizes:
        module = relax.transform.BindSymbolicVars(sizes, "main")(module)
    for parameter in module["main"].params:
        if keep_open and parameter.name not in shapes:
            continue
        found = tensor_spec(parameter.ty, parameter).shape
        wanted = shapes.get(parameter.name, found)
        if wanted != found:
            raise TVMValueError(f"shapes[{parameter.name!r}]: expected {found}, got {wanted}")
    return ImportedModel(module, tensors=tensors_of(module["main"]))


def tensors_of(main: relax.Function) -> dict[str, Any]:
    """Describe the inputs and outputs; outputs have no names in Relax."""
    return {
        "inputs": [described(p.name, p.ty) for p in main.params],
        "outputs": [described(str(i), kind) for i, kind in enumerate(leaves(main.ret_ty))],
    }


def leaves(kind: relax.Type) -> list[Any]:
    if isinstance(kind, relax.TupleType):
        return [leaf for field in kind.fields for leaf in leaves(field)]
    return [kind]


def described(name: str, kind: Any) -> dict[str, Any]:
    shape = getattr(kind, "shape", None)
    sizes = list(shape.values) if isinstance(shape, relax.ShapeExpr) else None
    return {
        "name": name,
        "shape": sizes and [int(n) if isinstance(n, tvm.tirx.IntImm) else str(n) for n in sizes],
        "dtype": str(getattr(kind, "dtype", "")) or None,
    }


def bind_attached_params(module: tvm.IRModule) -> tvm.IRModule:
    """Make constants of the values that a frontend attached to main (``keep_params_in_input``)."""
    module, attached = relax.frontend.detach_params(module)
    values = attached.get("main", [])
    if not values:
        return module
    parameters = module["main"].params[-len(values) :]
    return relax.transform.BindParams("main", dict(zip(parameters, values)))(module)


def give_missing_shapes(module: tvm.IRModule, shapes: InputShapes) -> tvm.IRModule:
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
