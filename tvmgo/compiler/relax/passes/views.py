# SPDX-License-Identifier: Apache-2.0
"""Tensors whose elements are those of another one, elsewhere: transposed, cut out, repeated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tvm
from tvm import relax

from tvmgo.compiler.relax.attention import Place
from tvmgo.compiler.relax.expressions import constant, known_shape

# Where the arrays begin that stand for tensors. Their elements have a byte each, and nobody reads
# them: only their shapes, strides and addresses matter.
ORIGIN = np.zeros(1, "int8")


@dataclass(frozen=True)
class View:
    """A tensor is `array` of the elements of `base`, times `scale`."""

    base: relax.Expr
    array: np.ndarray
    scale: float = 1.0

    @property
    def place(self) -> Place:
        address = self.array.__array_interface__["data"][0]
        origin = ORIGIN.__array_interface__["data"][0]
        return Place([int(stride) for stride in self.array.strides], address - origin)

    def with_array(self, array: np.ndarray) -> View:
        return View(self.base, array, self.scale)

    def broadcast(self, shape: Sequence[int]) -> View:
        return self.with_array(np.broadcast_to(self.array, shape))


def whole(expression: relax.Expr) -> View:
    shape = known_shape(expression)
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    return View(expression, np.lib.stride_tricks.as_strided(ORIGIN, shape, strides))


class Views:
    """Finds the views of a block, whose bindings are given by variable."""

    def __init__(self, bound: Mapping[relax.Var, relax.Expr]) -> None:
        self.bound = bound

    def of(self, expression: relax.Expr) -> View:
        """Return a tensor as a view of what is not a view itself, at worst of itself."""
        value = self.bound.get(expression) if isinstance(expression, relax.Var) else None
        found = None
        if isinstance(value, relax.TupleGetItem):
            found = self.part(value)
        elif isinstance(value, relax.Call) and isinstance(value.op, tvm.ir.Op):
            made = VIEWS.get(value.op.name)
            found = made and made(self, value)
        return found or whole(expression)

    def part(self, item: relax.TupleGetItem) -> View | None:
        split = self.bound.get(item.tuple_value)
        if not isinstance(split, relax.Call) or split.op != tvm.ir.Op.get("relax.split"):
            return None
        view = self.of(split.args[0])
        axis = int(split.attrs.axis) % view.array.ndim
        sizes = [known_shape_of(field)[axis] for field in split.ty.fields]
        start = sum(sizes[: item.index])
        places = [slice(None)] * view.array.ndim
        places[axis] = slice(start, start + sizes[item.index])
        return view.with_array(view.array[tuple(places)])

    def transposed(self, call: relax.Call) -> View:
        view = self.of(call.args[0])
        axes = call.attrs.axes and [int(axis) for axis in call.attrs.axes]
        return view.with_array(view.array.transpose(axes))

    def reshaped(self, call: relax.Call) -> View | None:
        view = self.of(call.args[0])
        array = view.array.view()
        try:
            array.shape = known_shape(call)
        except AttributeError:  # not without a copy
            return None
        return view.with_array(array)

    def cut(self, call: relax.Call) -> View | None:
        view = self.of(call.args[0])
        numbers = [[number_of(each) for each in part.fields] for part in call.args[1:5]]
        if any(each is None for part in numbers for each in part):
            return None
        places = [slice(None)] * view.array.ndim
        for axis, begin, end, step in zip(*numbers):
            places[axis] = slice(begin, end, step)
        array = view.array[tuple(places)]
        return view.with_array(array) if array.shape == known_shape(call) else None

    def one(self, call: relax.Call) -> View | None:
        index = constant(call.args[1])
        if index is None or index.ndim or call.attrs.axis is None:
            return None
        view = self.of(call.args[0])
        axis = int(call.attrs.axis) % view.array.ndim
        if not 0 <= int(index) < view.array.shape[axis]:
            return None
        places: list[Any] = [slice(None)] * view.array.ndim
        places[axis] = int(index)
        return view.with_array(view.array[tuple(places)])

    def widened(self, call: relax.Call) -> View | None:
        """What reads a view takes halves for floats."""
        (x,) = call.args
        types = str(x.ty.dtype), str(call.ty.dtype)
        return self.of(x) if types == ("float16", "float32") else None

    def repeated(self, call: relax.Call) -> View:
        return self.of(call.args[0]).broadcast(known_shape(call))

    def scaled(self, call: relax.Call) -> View | None:
        by = factor(call)
        if by is None:
            return None
        tensor, number = by
        view = self.of(tensor)
        return View(view.base, view.array, view.scale * number)


def factor(call: relax.Call) -> tuple[relax.Expr, float] | None:
    """Return what is multiplied or divided by a constant number, and that, as a factor."""
    a, b = call.args
    for tensor, other in ((a, b), (b, a)):
        number = constant(other)
        if number is None or number.size != 1 or known_shape(tensor) != known_shape(call):
            continue
        value = float(number.reshape(()))
        if call.op.name == "relax.multiply":
            return tensor, value
        if tensor is a and value != 0:
            return tensor, 1 / value
    return None


def known_shape_of(ty: Any) -> tuple[int, ...]:
    return tuple(int(size) for size in ty.shape.values)


def number_of(value: Any) -> int | None:
    value = getattr(value, "value", value)
    return int(value) if isinstance(value, int | tvm.tirx.IntImm) else None


VIEWS = {
    "relax.permute_dims": Views.transposed,
    "relax.reshape": Views.reshaped,
    "relax.squeeze": Views.reshaped,
    "relax.expand_dims": Views.reshaped,
    "relax.strided_slice": Views.cut,
    "relax.take": Views.one,
    "relax.astype": Views.widened,
    "relax.broadcast_to": Views.repeated,
    "relax.multiply": Views.scaled,
    "relax.divide": Views.scaled,
}
