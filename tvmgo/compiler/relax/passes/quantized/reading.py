# SPDX-License-Identifier: Apache-2.0
"""Which floats of a model are bytes minus a zero point, times a scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tvm
from tvm import relax
from tvm.relax import op as R

from tvmgo.compiler.relax.expressions import constant, known_shape, shape_of
from tvmgo.compiler.relax.passes.quantized.moving import moved_like, source_of

BYTES = ("int8", "uint8")

# The largest difference of two bytes.
MOST = 255


@dataclass(frozen=True)
class Bytes:
    """`scale` times what `value` is more than `zero`.

    Attributes
    ----------
    value : relax.Expr
        Of int8 or uint8.
    zero : int or relax.Expr
        A number, or a tensor with one byte.
    scale : numpy.float32 or int
    """

    value: relax.Expr
    zero: Any
    scale: Any = 1


@dataclass(frozen=True)
class Whole:
    """Constant whole numbers, times a scale: one, or one for each place along an axis."""

    values: np.ndarray  # int32
    scale: np.ndarray
    axis: int = 0


class Reader:
    """Reads expressions of a model.

    Parameters
    ----------
    define : callable
        Returns what a variable stands for, or None.
    emit : callable
        Binds an expression to a new variable.
    """

    def __init__(
        self,
        define: Callable[[relax.Var], relax.Expr | None],
        emit: Callable[[relax.Expr], relax.Var],
    ) -> None:
        self.look_up = define
        self.emit = emit
        self.unsigned: dict[relax.Var, relax.Expr] = {}  # of int8: what is 128 more

    def define(self, x: relax.Expr) -> relax.Expr | None:
        """Return what a variable stands for, however often it was given another name."""
        x = self.resolved(x)
        return self.look_up(x) if isinstance(x, relax.Var) else x

    def resolved(self, x: relax.Expr) -> relax.Expr:
        while isinstance(x, relax.Var) and isinstance(value := self.look_up(x), relax.Var):
            x = value
        return x

    def unsigned_of(self, x: relax.Expr) -> relax.Expr | None:
        """Return the uint8 tensor that an int8 tensor was made of."""
        x = self.resolved(x)
        return self.unsigned.get(x) if isinstance(x, relax.Var) else None

    def signed(self, x: relax.Expr) -> relax.Var:
        """Return a uint8 tensor less 128, as int8. Who knows it here, takes the uint8 instead."""
        result = self.emit(R.astype(self.emit(less_128(x)), "int8"))
        self.unsigned[result] = x
        return result

    def dequantize(self, call: relax.Call) -> relax.Expr | None:
        """Dequantise the uint8 tensor instead of the int8 one that was made of it."""
        x, scale, zero = call.args
        unsigned, content = self.unsigned_of(x), constant(zero)
        if unsigned is None or content is None or content.dtype != "int8":
            return None
        zero = relax.const((content.astype("int16") + 128).astype("uint8"))
        return R.dequantize(unsigned, scale, zero, call.attrs.axis, call.attrs.out_dtype)

    def move(self, call: relax.Call) -> relax.Expr | None:
        """Move the uint8 tensor instead of the int8 one that was made of it."""
        unsigned = self.unsigned_of(call.args[0])
        return None if unsigned is None else self.signed(self.emit(moved_like(call, unsigned)))

    def call(self, x: relax.Expr, *operators: str) -> relax.Call | None:
        """Return the call that a variable stands for, if it is of one of these operators."""
        value = self.define(x)
        if isinstance(value, relax.Call) and isinstance(value.op, tvm.ir.Op):
            return value if value.op.name in operators else None
        return None

    def bytes_of(self, x: relax.Expr) -> Bytes | None:
        """Return the bytes that a tensor of floats was computed of; what moves them is emitted."""
        call = self.call(x, "relax.dequantize", "relax.subtract", "relax.astype")
        if call is None:
            return self.moved_bytes_of(x)
        value = call.args[0]
        if call.op.name == "relax.subtract":
            first, zero = self.bytes_of(value), self.zero_of(call.args[1])
            if first is None or zero is None or first.scale != 1 or not isinstance(first.zero, int):
                return None
            if isinstance(zero, int):
                return replace(first, zero=first.zero + zero)
            return replace(first, zero=zero) if first.zero == 0 else None
        if not is_bytes(value) or constant(value) is not None:
            return None
        unsigned = self.unsigned_of(value)
        value, offset = (value, 0) if unsigned is None else (unsigned, 128)
        if call.op.name == "relax.astype":
            return Bytes(value, offset)
        scale, zero = (single(each) for each in call.args[1:])
        if scale is None or zero is None:
            return None
        return Bytes(value, int(zero) + offset, np.float32(scale))

    def moved_bytes_of(self, x: relax.Expr) -> Bytes | None:
        concat = self.call(x, "relax.concat")
        if concat is not None:
            return self.joined_bytes_of(concat)
        call = self.define(x)
        source = source_of(call)
        first = None if source is None else self.bytes_of(source)
        if first is None:
            return None
        return replace(first, value=self.emit(moved_like(call, first.value)))

    def joined_bytes_of(self, concat: relax.Call) -> Bytes | None:
        """Return bytes beside each other, if all mean the same."""
        parts = self.define(concat.args[0])
        if not isinstance(parts, relax.Tuple):
            return None
        found = [self.bytes_of(each) for each in parts.fields]
        first = found[0]
        if first is None or not isinstance(first.zero, int):
            return None
        kind = (first.zero, first.scale, str(first.value.ty.dtype))
        known = [each for each in found if each is not None]
        if any((each.zero, each.scale, str(each.value.ty.dtype)) != kind for each in known):
            return None
        if len(known) < len(found):
            return None
        joined = R.concat([each.value for each in known], concat.attrs.axis)
        return replace(first, value=self.emit(joined))

    def zero_of(self, x: relax.Expr) -> Any:
        """Return a zero point: a number, or the byte that it is computed of."""
        number = single(x)
        if number is not None:
            return int(number) if is_whole(number) else None
        call = self.call(x, "relax.astype")
        if call is None or not is_bytes(call.args[0]):
            return None
        return call.args[0] if math.prod(known_shape(call.args[0])) == 1 else None

    def whole_of(self, x: relax.Expr) -> Whole | None:
        """Return the whole numbers that constants are made of."""
        content = constant(x)
        if content is not None:
            if content.size == 0 or not is_whole(content):
                return None
            return Whole(content.astype("int32"), np.ones((), "float32"))
        call = self.call(x, "relax.astype", "relax.subtract")
        if call is not None:
            whole = [self.whole_of(each) for each in call.args]
            unscaled = [
                each.values for each in whole if each is not None and (each.scale == 1).all()
            ]
            if len(unscaled) < len(call.args):
                return None
            difference = unscaled[0] if len(unscaled) == 1 else unscaled[0] - unscaled[1]
            return Whole(difference, np.ones((), "float32")) if is_whole(difference) else None
        call = self.call(x, "relax.reshape", "relax.expand_dims")
        first = None if call is None else self.whole_of(call.args[0])
        if first is not None and first.scale.size == 1:
            return replace(first, values=first.values.reshape(known_shape(x)), axis=0)
        call = self.call(x, "relax.permute_dims")
        first = None if call is None else self.whole_of(call.args[0])
        if call is not None and first is not None:
            axes = axes_of(call, first.values.ndim)
            return Whole(first.values.transpose(axes), first.scale, axes.index(first.axis))
        found = self.dequantised_constant(x)
        if found is None:
            return None
        values, zero, scale, axis = found
        if values.dtype not in BYTES or values.size == 0:
            return None
        centred = values.astype("int32") - along(zero.astype("int32"), values.ndim, axis)
        return Whole(centred, scale.reshape(-1) if scale.size > 1 else scale.reshape(()), axis)

    def floats_of(self, x: relax.Expr) -> np.ndarray | None:
        """Return a constant, or what is computed of constants as quantised models have a bias."""
        content = constant(x)
        if content is not None:
            return content
        call = self.call(x, "relax.reshape")
        if call is not None:
            first = self.floats_of(call.args[0])
            return None if first is None else first.reshape(known_shape(x))
        found = self.dequantised_constant(x)
        if found is None:
            return None
        values, zero, scale, axis = found
        centred = values.astype("float64") - along(zero, values.ndim, axis)
        return np.asarray(centred * along(scale, values.ndim, axis))

    def dequantised_constant(
        self, x: relax.Expr
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, int] | None:
        """Return values, zero point, scale and axis of what is dequantised, if all are constants."""
        call = self.call(x, "relax.dequantize")
        if call is None:
            return None
        values, scale, zero = (constant(part) for part in call.args)
        if values is None or scale is None or zero is None:
            return None
        return values, zero, scale, int(call.attrs.axis) % max(values.ndim, 1)


def less_128(x: relax.Expr) -> relax.Expr:
    return R.subtract(R.astype(x, "int32"), relax.const(128, "int32"))


def axes_of(call: relax.Call, ndim: int) -> list[int]:
    """Return what permute_dims does; without axes it reverses them."""
    axes = call.attrs.axes
    return list(range(ndim))[::-1] if axes is None else [int(axis) % ndim for axis in axes]


def along(content: np.ndarray, ndim: int, axis: int) -> np.ndarray:
    """Return one number as it is, and a row of numbers so that it lies along an axis."""
    if content.size == 1:
        return content.reshape(())
    return content.reshape([-1 if i == axis else 1 for i in range(ndim)])


def single(x: relax.Expr) -> Any:
    """Return the number that a constant of one element is; None for all else."""
    content = constant(x)
    return None if content is None or content.size != 1 else content.reshape(())[()]


def is_bytes(x: relax.Expr) -> bool:
    return str(x.ty.dtype) in BYTES and shape_of(x) is not None


def is_whole(content: Any) -> bool:
    return bool((np.rint(content) == content).all() and (np.abs(content) <= MOST).all())
