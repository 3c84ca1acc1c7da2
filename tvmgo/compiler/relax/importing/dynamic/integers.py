# SPDX-License-Identifier: Apache-2.0
"""Integers that are known as expressions of open dimensions, computed when a model is imported.

Models compute shapes with the operators that they compute data with: Shape, Gather, Mul, Concat,
Reshape. Where such a value is known as an expression, what has that shape does not lose its
relation to the inputs'. Values are NumPy arrays of objects, each an int or an expression of TVM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tvm
from onnx import numpy_helper
from tvm import tirx
from tvm.sym import Analyzer

from tvmgo.compiler.relax.schedule.expressions import substitute

Size = Any  # an int, or an expression of TVM of type int64
Integers = np.ndarray[Any, Any]
Attributes = Mapping[str, Any]

MOST = 64  # elements that are followed; what has more is data, and no shape


def plain(size: Any) -> Size:
    """Return an int where an expression is one."""
    if isinstance(size, tirx.IntImm):
        return int(size.value)
    return size if isinstance(size, tvm.ir.Expr) else int(size)


def array_of(values: Any) -> Integers:
    """Make an array of objects of nested lists or another array."""
    values = np.array(values, object)
    flat = [plain(value) for value in values.reshape(-1)]
    made = np.empty(len(flat), object)
    made[:] = flat
    return made.reshape(values.shape)


def expression(size: Size) -> tirx.Expr:
    return tirx.const(size, "int64") if isinstance(size, int) else size


def all_numbers(values: Integers) -> bool:
    return all(isinstance(value, int) for value in values.reshape(-1))


class Sizes:
    """Makes open dimensions, and knows that none is negative."""

    def __init__(self) -> None:
        self._analyzer = Analyzer()
        self._meanings: dict[tirx.Var, tirx.Expr] = {}

    def new(self, name: str) -> tirx.Var:
        """Make an open dimension."""
        made = tirx.Var(name, "int64")
        most = tirx.const(1 << 40, "int64")
        self._analyzer.bind(made, tvm.ir.Range(tirx.const(0, "int64"), most))
        return made

    def mean(self, made: tirx.Var, meaning: tirx.Expr) -> None:
        """Remember of what an open dimension is computed when the model runs."""
        self._meanings[made] = self._meant(meaning)

    def _meant(self, size: tirx.Expr) -> tirx.Expr:
        """Say a size by dimensions that nothing says more of."""
        return substitute(size, self._meanings)

    def is_one_where(self, size: Size, other: tirx.Var) -> bool:
        """Whether a size is 1 wherever another one is, as far as can be told."""
        meant = self._meant(expression(size))
        if self.equal(meant, self._meant(other)):
            return True
        return self.equal(self.simplify(substitute(meant, {other: tirx.const(1, "int64")})), 1)

    def simplify(self, size: Size) -> Size:
        return size if isinstance(size, int) else plain(self._analyzer.simplify(size))

    def equal(self, a: Size, b: Size) -> bool:
        """Whether two sizes are the same whatever the inputs are."""
        if isinstance(a, int) and isinstance(b, int):
            return a == b
        return bool(self._analyzer.can_prove_equal(expression(a), expression(b)))

    def decide(self, condition: Any) -> bool | None:
        """Whether a condition always holds, or never; None if that depends."""
        if isinstance(condition, (bool, np.bool_)):
            return bool(condition)
        condition = getattr(condition, "asobject", lambda: condition)()  # of == and !=
        if self._analyzer.can_prove(condition):
            return True
        return False if self._analyzer.can_prove(tirx.Not(condition)) else None

    def divide(self, a: Size, b: Size) -> Size:
        """Divide as processors do, towards 0."""
        if isinstance(a, int) and isinstance(b, int):
            quotient = abs(a) // abs(b)
            return quotient if (a < 0) == (b < 0) else -quotient
        a, b = expression(a), expression(b)
        positive = self.decide(a >= 0) and self.decide(b > 0)
        return (tirx.floordiv if positive else tirx.truncdiv)(a, b)


class Undecided(Exception):
    """What an operator gives depends on an open dimension in a way no expression says."""


class Follower:
    """Computes operators on integers that are known."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self._operators: Mapping[str, Callable[..., Any]] = {
            "Add": lambda _, a, b: a + b,
            "Sub": lambda _, a, b: a - b,
            "Mul": lambda _, a, b: a * b,
            "Div": lambda _, a, b: self._each(self._divided, a, b),
            "Neg": lambda _, a: 0 - a,
            "Max": lambda _, *given: self._pick(given, lambda a, b: a >= b),
            "Min": lambda _, *given: self._pick(given, lambda a, b: a <= b),
            "Cast": lambda _, a: a,
            "Identity": lambda _, a: a,
            "Gather": self._gather,
            "Slice": self._slice,
            "Concat": lambda attributes, *parts: np.concatenate(parts, attributes["axis"]),
            "Squeeze": lambda _, a, axes=None: np.squeeze(a, numbers_or_none(axes)),
            "Unsqueeze": lambda _, a, axes: np.expand_dims(a, numbers(axes)),
            "Reshape": self._reshape,
            "Expand": lambda _, a, shape: a * np.ones(numbers(shape), object),
            "ConstantOfShape": self._filled,
            "Tile": lambda _, a, repeats: np.tile(a, numbers(repeats)),
            "ReduceProd": lambda attributes, a, axes=None: self._product(attributes, a, axes),
            "Range": lambda _, start, stop, step: np.arange(
                number(start), number(stop), number(step)
            ),
            "Equal": lambda _, a, b: self._each(lambda x, y: self._decided(x == y), a, b),
            "Less": lambda _, a, b: self._each(lambda x, y: self._decided(x < y), a, b),
            "Greater": lambda _, a, b: self._each(lambda x, y: self._decided(x > y), a, b),
            "Not": lambda _, a: self._each(lambda x: int(not x), a),
            "Where": lambda _, c, a, b: self._each(lambda p, x, y: x if p else y, c, a, b),
        }

    def compute(
        self, operator: str, attributes: Attributes, inputs: Sequence[Integers | None]
    ) -> Integers | None:
        """Return the result, or None where it is not known until the model runs."""
        compute = self._operators.get(operator)
        if compute is None or len(inputs) == 0 or inputs[0] is None:
            return None
        given = list(inputs)
        while given and given[-1] is None:
            given.pop()
        try:
            result = array_of(compute(attributes, *given))
        except (Undecided, KeyError):
            return None
        return self._each(self.sizes.simplify, result) if result.size <= MOST else None

    def _each(self, compute: Callable[..., Any], *arrays: Integers) -> Integers:
        arrays = tuple(np.broadcast_arrays(*(np.asarray(each, object) for each in arrays)))
        made = np.empty(arrays[0].shape, object)
        for place in np.ndindex(*made.shape):
            made[place] = compute(*(array[place] for array in arrays))
        return made

    def _decided(self, condition: Any) -> int:
        """As 0 or 1."""
        found = self.sizes.decide(condition)
        if found is None:
            raise Undecided
        return int(found)

    def _divided(self, a: Size, b: Size) -> Size:
        if isinstance(b, int) and b == 0:
            raise Undecided
        return self.sizes.divide(a, b)

    def _pick(self, given: Sequence[Integers], first: Callable[[Any, Any], Any]) -> Integers:
        result = given[0]
        for other in given[1:]:
            result = self._each(lambda a, b: a if self._decided(first(a, b)) else b, result, other)
        return result

    def _gather(self, attributes: Attributes, data: Integers, indices: Integers) -> Any:
        axis = attributes.get("axis", 0)
        places = np.array(numbers(indices), int).reshape(indices.shape)
        size = data.shape[axis]
        if ((places < -size) | (places >= size)).any():
            raise Undecided  # refused or clamped where it is computed
        return np.take(data, places, axis)

    def _slice(
        self,
        _: Attributes,
        data: Integers,
        starts: Integers,
        ends: Integers,
        axes: Integers | None = None,
        steps: Integers | None = None,
    ) -> Any:
        first, last = numbers(starts), numbers(ends)
        parts = [slice(None)] * data.ndim
        for place, axis in enumerate(range(len(first)) if axes is None else numbers(axes)):
            step = 1 if steps is None else numbers(steps)[place]
            end = last[place]
            stop = None if step < 0 and end < -data.shape[axis] else end
            parts[axis] = slice(first[place], stop, step)
        return data[tuple(parts)]

    def _filled(self, attributes: Attributes, shape: Integers) -> Any:
        tensor = attributes.get("value")
        value = 0.0 if tensor is None else numpy_helper.to_array(tensor).reshape(-1)[0]
        if isinstance(value, (float, np.floating)):
            raise Undecided  # no integers
        return np.full(numbers(shape), int(value), object)

    def _reshape(self, _: Attributes, data: Integers, shape: Integers) -> Any:
        wanted = numbers(shape)
        if 0 in wanted:
            raise Undecided
        return data.reshape(wanted)

    def _product(self, attributes: Attributes, a: Integers, axes: Integers | None) -> Any:
        if axes is not None and a.ndim != 1:
            raise Undecided
        result = np.prod(a.reshape(-1)) if a.size else 1
        return np.reshape(np.array(result, object), [1] * a.ndim * attributes.get("keepdims", 1))


def number(value: Integers) -> int:
    (only,) = numbers(value)
    return only


def numbers(values: Integers) -> tuple[int, ...]:
    flat = np.asarray(values, object).reshape(-1)
    if not all_numbers(flat):
        raise Undecided
    return tuple(int(value) for value in flat)


def numbers_or_none(values: Integers | None) -> tuple[int, ...] | None:
    return None if values is None else numbers(values)


def product(sizes: Sequence[Size]) -> Size:
    result: Size = 1
    for size in sizes:
        result = result * size
    return result
