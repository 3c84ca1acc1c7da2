# SPDX-License-Identifier: Apache-2.0
"""What single operands say of themselves: element type, shape, constant value."""

from __future__ import annotations

import numpy as np
import tvm
from tvm import relax

from tvmgo.compiler.relax.shapes import sizes_of


def is_float(x: relax.Expr) -> bool:
    return "float" in str(x.ty.dtype)


def shape_of(x: relax.Expr) -> tuple[int, ...] | None:
    """Return the shape, or None where it is open, which is refused once all shapes are looked at."""
    shape = x.ty.shape
    return sizes_of(shape.values) if isinstance(shape, relax.ShapeExpr) else None


def known_shape(x: relax.Expr) -> tuple[int, ...]:
    """Return the shape of what was looked at before."""
    shape = shape_of(x)
    assert shape is not None
    return shape


def constant(x: relax.Expr) -> np.ndarray | None:
    return x.value.numpy() if isinstance(x, tvm.ir.GenericConst) else None


def is_number(x: relax.Expr) -> bool:
    """Whether this is a constant without NaN."""
    value = constant(x)
    return value is not None and not np.isnan(value.astype("float64")).any()
