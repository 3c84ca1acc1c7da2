# SPDX-License-Identifier: Apache-2.0
"""Sums of products of bytes, and the floats that they stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tvm
from tvm import relax
from tvm.relax import op as R

from tvmgo.compiler.relax.expressions import constant, known_shape
from tvmgo.compiler.relax.passes.quantized.reading import Reader, along

PRODUCTS = ("relax.nn.conv2d", "relax.matmul")

# By how much a bias may differ from a whole number, absolutely and relative to it.
ABSOLUTE, RELATIVE = 1e-3, 1e-6
LARGEST_BIAS = 2**30


def has_byte_products(module: tvm.IRModule) -> bool:
    """Whether a model has products of bytes."""
    found = []

    def visit(x: relax.Expr) -> None:
        if isinstance(x, relax.Call) and is_product(x):
            found.append(x)

    for _, function in module.functions_items():
        if isinstance(function, relax.Function):
            relax.analysis.post_order_visit(function, visit)
    return bool(found)


def is_product(call: relax.Call) -> bool:
    named = isinstance(call.op, tvm.ir.Op) and call.op.name in PRODUCTS
    return named and isinstance(call.ty, relax.TensorType) and str(call.ty.dtype) == "int32"


@dataclass(frozen=True)
class Scaled:
    """Sums times a factor: one, or one for each place along an axis."""

    sums: relax.Expr
    factor: np.ndarray
    axis: int = 0
    is_scaled: bool = False


class Sums:
    """Reads and rewrites what is computed of sums.

    Parameters
    ----------
    reader : Reader
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def is_sum(self, x: relax.Expr) -> bool:
        """Whether these are sums of products of bytes."""
        call = self.reader.call(x, *PRODUCTS, "relax.add", "relax.subtract")
        if call is None or str(x.ty.dtype) != "int32":
            return False
        return call.op.name in PRODUCTS or self.is_sum(call.args[0])

    def scaled_of(self, x: relax.Expr) -> Scaled | None:
        """Return of which sums floats were computed, and how."""
        call = self.reader.call(x, "relax.multiply")
        content = None if call is None else constant(call.args[1])
        if call is not None and content is not None:
            axis = single_axis(content.shape, len(known_shape(x)))
            first = self.scaled_of(call.args[0])
            if axis is None or first is None or first.is_scaled:
                return None
            return Scaled(first.sums, content.reshape(-1), axis, is_scaled=True)
        call = self.reader.call(x, "relax.astype")
        if call is None or not self.is_sum(call.args[0]):
            return None
        return Scaled(call.args[0], np.ones(1, str(x.ty.dtype)))

    def add(self, call: relax.Call) -> relax.Expr | None:
        """Add a bias to the sums, if it is a whole number there."""
        for x, other in (call.args, reversed(call.args)):
            bias = self.reader.floats_of(other) if is_float(x) else None
            scaled = None if bias is None else self.scaled_of(x)
            if bias is None or scaled is None or known_shape(x) != known_shape(call):
                continue
            exact = bias / along(scaled.factor.astype("float64"), len(known_shape(x)), scaled.axis)
            whole = np.rint(exact)
            tolerance = ABSOLUTE + RELATIVE * np.abs(whole)
            if not (np.abs(exact - whole) <= tolerance).all() or np.abs(whole).max() > LARGEST_BIAS:
                continue
            sums = self.reader.emit(R.add(scaled.sums, relax.const(whole.astype("int32"))))
            floats = R.astype(sums, call.ty.dtype)
            if not scaled.is_scaled:
                return floats
            factor = self.reader.call(x, "relax.multiply").args[1]  # type: ignore[union-attr]
            return R.multiply(self.reader.emit(floats), factor)
        return None

    def astype(self, call: relax.Call) -> relax.Expr | None:
        """Sums that go through float64 are what they were."""
        x = call.args[0]
        scaled = self.scaled_of(x)
        if scaled is None or scaled.is_scaled or str(call.ty.dtype) != "int32":
            return None
        return scaled.sums if str(x.ty.dtype) == "float64" else None


def is_float(x: relax.Expr) -> bool:
    return str(x.ty.dtype) in ("float32", "float64")


def single_axis(shape: tuple[int, ...], ndim: int) -> int | None:
    """Return the axis along which a tensor differs, 0 if it is one number; None for several."""
    axes = [i + ndim - len(shape) for i, size in enumerate(shape) if size > 1]
    if len(axes) > 1 or len(shape) > ndim:
        return None
    return axes[0] if axes else 0
