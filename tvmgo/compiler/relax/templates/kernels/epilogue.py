# SPDX-License-Identifier: Apache-2.0
"""What is computed of a result before it is stored: elementwise kernels, applied to vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

import tvm
from tvm import tirx
from tvm.ir.prim import expr as prim

from tvmgo.compiler.relax.schedule.costs import operations
from tvmgo.compiler.relax.templates.kernels.elementwise import BINARY, LITERALS, Pattern
from tvmgo.compiler.relax.templates.kernels.emitting import (
    Accumulator,
    broadcast,
    load,
    size_of,
)


@dataclass(frozen=True)
class Operand:
    """A tensor that an epilogue reads. Shape and pattern are those of the layout in memory."""

    shape: tuple[int, ...]
    dtype: str
    pattern: Pattern


@dataclass(frozen=True)
class Inner:
    """The result of an earlier step; -1 is what the kernel itself computes."""

    step: int


@dataclass(frozen=True)
class Number:
    value: float  # or int


@dataclass(frozen=True)
class Outer:
    """The operand of this number."""

    number: int


Source = Union[Inner, Number, Outer]


@dataclass(frozen=True)
class Step:
    value: Any  # an expression of one element
    sources: Mapping[Any, Source]  # of what it reads


@dataclass(frozen=True)
class Part:
    """Some channels of a tensor with `channels`, into which a result is written.

    Which they are is told when the kernel runs, so that one serves many parts. What others have written
    before, if it `follows` any, stays.
    """

    channels: int
    follows: bool


@dataclass(frozen=True)
class Epilogue:
    """Steps that make the result of a kernel out of what it computes.

    Attributes
    ----------
    shape : tuple of int
        Of the result, in memory. Vectors run along the last axis.
    dtype : str
        Of the result.
    part : Part, optional
        Of which tensor the result is a part; else it is one of its own.
    """

    shape: tuple[int, ...]
    dtype: str
    steps: Sequence[Step] = ()
    operands: Sequence[Operand] = field(default_factory=list)
    part: Part | None = None

    @property
    def whole(self) -> tuple[int, ...]:
        """The shape of what is written to."""
        return (*self.shape[:-1], self.part.channels) if self.part else self.shape

    def parameters(self) -> list[tuple[str, Sequence[int], str]]:
        """Return name, shape and element type of a kernel's parameters, from the operands on."""
        specs: list[tuple[str, Sequence[int], str]] = [
            (f"operand{i}", operand.shape, operand.dtype) for i, operand in enumerate(self.operands)
        ]
        if self.part:
            specs.append(("first", (1,), "int32"))
            if self.part.follows:
                specs.append(("others", self.whole, self.dtype))
        return [*specs, ("y", self.whole, self.dtype)]

    def extends(self, first: int) -> int | None:
        """Return the parameter of a kernel that the result extends; operands begin at `first`."""
        follows = self.part is not None and self.part.follows
        return first + len(self.operands) + 1 if follows else None

    @property
    def operations(self) -> int:
        """How much is computed of each element, in operations."""
        return sum(operations(step.value) for step in self.steps)

    def in_place(self, first: int) -> list[int]:
        """Return the parameters of a kernel that the result may replace; operands begin at `first`.

        Of these each element is read where that of the result is written, and nowhere else.
        """
        if self.part:
            return []
        axes = tuple(range(len(self.shape)))
        return [
            first + i
            for i, operand in enumerate(self.operands)
            if (operand.shape, operand.dtype, operand.pattern) == (self.shape, self.dtype, axes)
        ]

    def apply(
        self,
        buffers: Sequence[tirx.Buffer],
        value: Any,
        row: Any,
        column: Any,
        lanes: int,
        used: int,
    ) -> Any:
        """Return the vector to store at (row, column), all axes but the last counted as rows."""

        results = [value]

        def read(variable: Any, source: Source) -> Any:
            if isinstance(source, Inner):
                inner = results[source.step + 1]
                own = with_lanes(variable, lanes)  # sums of short floats are wider
                return inner if str(inner.ty.dtype) == own else tirx.Cast(own, inner)
            if isinstance(source, Number):
                return tirx.const(source.value, str(variable.ty.dtype))
            buffer = buffers[source.number]
            index, along = self.locate(self.operands[source.number], row, column)
            return load(buffer, index, lanes, used) if along else buffer[index]

        for step in self.steps:
            vectors = {
                variable: read(variable, source) for variable, source in step.sources.items()
            }
            result = widen(vectorise(step.value, vectors.__getitem__, lanes), lanes)
            dtype = str(step.value.ty.dtype)
            # Numbers are put into memory, as TVM simplifies what has but a name; vectors of truths
            # are not, as not all of its passes know them.
            results.append(result if dtype == "bool" else Accumulator(result, dtype, lanes).value)
        return results[-1]

    def locate(self, operand: Operand, row: Any, column: Any) -> tuple[Any, bool]:
        """Return the flat index of an operand's element, and whether it moves with the column."""
        leading = self.shape[:-1]
        last = len(leading)
        along = last in operand.pattern
        rows = [axis for axis in operand.pattern if axis is not None and axis != last]
        if tuple(rows) == tuple(range(last)) and operand.shape[:last] == leading:
            width = self.shape[-1] if along else 1
            return (row * width + column if along else row), along
        index: Any = column if along else 0
        stride = 1
        for size, axis in reversed(list(zip(operand.shape, operand.pattern))):
            if axis is not None and axis != last and size > 1:
                below = size_of(leading[axis + 1 :])
                position = row // below if below > 1 else row
                if size_of(leading[:axis]) > 1:
                    position = position % leading[axis]
                index = index + position * stride
            stride *= size
        return index, along


def lanes_of(value: Any) -> int:
    return tvm.DataType(str(value.ty.dtype)).lanes


def widen(value: Any, lanes: int) -> Any:
    return broadcast(value, lanes) if lanes_of(value) < lanes else value


def vectorise(value: Any, read: Callable[[Any], Any], lanes: int) -> Any:
    """Rebuild an expression of one element for vectors."""

    def visit(value: Any) -> Any:
        if isinstance(value, LITERALS):
            return value
        if isinstance(value, tvm.ir.TensorLoad):
            return read(value.source)
        if isinstance(value, prim.Cast):
            inner = visit(value.value)
            count = lanes_of(inner)
            return tirx.Cast(with_lanes(value, count), inner)
        if isinstance(value, BINARY):
            return type(value)(*alike(visit(value.a), visit(value.b)))
        if isinstance(value, prim.Not):
            return tirx.Not(visit(value.a))
        if isinstance(value, prim.Select):
            parts = alike(*map(visit, (value.condition, value.true_value, value.false_value)))
            return tirx.Select(*parts)
        parts = alike(*map(visit, value.args))
        return tirx.call_intrin(with_lanes(value, lanes_of(parts[0])), value.op, *parts)

    def alike(*parts: Any) -> list[Any]:
        width = max(map(lanes_of, parts))
        return [widen(part, width) for part in parts]

    return visit(value)


def with_lanes(value: Any, lanes: int) -> str:
    dtype = str(value.ty.dtype)
    return dtype if lanes == 1 else f"{dtype}x{lanes}"
