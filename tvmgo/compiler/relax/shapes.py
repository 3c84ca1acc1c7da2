# SPDX-License-Identifier: Apache-2.0
"""Shapes that are known at export, and the refusal of all others."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, Union

import tvm
from tvm import relax

from tvmgo.compiler.errors import FIX_SHAPES, VIRTUAL_MACHINE
from tvmgo.compiler.graph.element_types import ELEMENT_TYPES
from tvmgo.compiler.graph.nodes import TensorSpec
from tvmgo.exceptions import ExportError

# What an error is about: a binding, a parameter of main, or anything else in words.
Subject = Union[relax.Binding, relax.Var, str]


def sizes_of(dimensions: Sequence[Any] | None) -> tuple[int, ...] | None:
    """Return the dimensions of a shape as numbers, or None if one of them is open."""
    if dimensions is None or not all(isinstance(dim, tvm.tirx.IntImm) for dim in dimensions):
        return None
    return tuple(int(dim) for dim in dimensions)


def shape_sizes(ty: tvm.ir.Type) -> tuple[int, ...] | None:
    """Return what a value that is itself a shape holds; None for open shapes and other values."""
    return sizes_of(ty.values) if isinstance(ty, relax.ShapeType) else None


def tensor_spec(ty: tvm.ir.Type, subject: Subject) -> TensorSpec:
    """Return shape and element type of a tensor, or refuse what a graph cannot hold.

    Parameters
    ----------
    ty : tvm.ir.Type
    subject : Subject
        What this is the type of, for the error.
    """
    if not isinstance(ty, relax.TensorType):
        reason = f"a graph holds tensors, not {ty}"
        raise ExportError(describe(subject), reason, "pass separate tensors in and out of main")
    sizes = sizes_of(ty.shape.values if isinstance(ty.shape, relax.ShapeExpr) else None)
    if sizes is None:
        # Within main only data leaves a shape open, once those of the parameters are known.
        instead = FIX_SHAPES if isinstance(subject, relax.Var) else VIRTUAL_MACHINE
        raise ExportError(
            describe(subject), f"the shape of {ty} is known only at run time", instead
        )
    dtype = str(ty.dtype)
    if dtype not in ELEMENT_TYPES:
        reason = f"a graph has no element type {dtype!r}"
        raise ExportError(describe(subject), reason, "cast to a type of whole bytes")
    return TensorSpec(sizes, dtype)


def require_static_shapes(main: relax.Function) -> None:
    """Refuse the first value of `main` whose shape is open.

    TVM's later passes fail on such values with errors that do not name them.
    """
    for parameter in main.params:
        tensor_spec(parameter.ty, parameter)
    for block in main.body.blocks:
        for binding in block.bindings:
            check_type(binding.var.ty, binding)


def check_type(ty: tvm.ir.Type, subject: Subject) -> None:
    if isinstance(ty, tvm.ir.TupleType):
        for item in ty.fields:
            check_type(item, subject)
    elif isinstance(ty, relax.TensorType):
        tensor_spec(ty, subject)
    elif isinstance(ty, relax.ShapeType) and shape_sizes(ty) is None:
        raise ExportError(describe(subject), "a shape is computed at run time", VIRTUAL_MACHINE)


def describe(subject: Subject) -> str:
    """Say where in main something stands; printing an expression is slow, so only for errors."""
    if isinstance(subject, str):
        return subject
    if isinstance(subject, relax.Var):
        return f"main, input `{subject.name}`"
    script = [line for line in str(subject.value).splitlines() if line and not line.startswith("#")]
    expression = script[0] if len(script) == 1 else type(subject.value).__name__
    return (
        textwrap.shorten(f"main, `{subject.var.name} = {expression}", 120, placeholder=" ...") + "`"
    )
