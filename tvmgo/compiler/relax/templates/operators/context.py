# SPDX-License-Identifier: Apache-2.0
"""What the replacement of an operator works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from tvm import relax, tirx

from tvmgo.compiler.relax.expressions import known_shape
from tvmgo.compiler.relax.templates.kernels.emitting import size_of
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue, Part
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit
from tvmgo.compiler.relax.templates.kernels.windows import Deep, Windows
from tvmgo.compiler.relax.templates.tails import COMPUTED, FLOATS, Block, Tail, make_epilogue
from tvmgo.compiler.relax.templates.values import Place, Value, Values

# Channels up to which an image is read as NCHW, if it is that: pixels side by side lie in few cache
# lines then.
FEW_CHANNELS = 16

# Indices of kernels are 32 bits wide.
MOST_ELEMENTS = 2**31 - 1


@dataclass
class Context:
    """One block of a model, and what it has become so far."""

    block: Block
    values: Values
    builder: relax.BlockBuilder
    unit: VectorUnit
    places: Mapping[relax.Var, Place] = field(default_factory=dict)

    def take_tail(
        self, index: int, *, channels_last: bool, joins: bool = False
    ) -> tuple[Tail, Epilogue, list[relax.Expr]]:
        """Return what is computed together with a binding, as an epilogue and its operands.

        `joins` says that the kernel can write into a part of an image.
        """
        tail = self.block.take_tail(index)
        first = self.block.bindings[index].var
        epilogue, operands = make_epilogue(tail, first, self.values, channels_last)
        if joins:
            epilogue, operands = self.joined(tail, epilogue, operands)
        return tail, epilogue, operands

    def joined(
        self, tail: Tail, epilogue: Epilogue, operands: list[relax.Expr]
    ) -> tuple[Epilogue, list[relax.Expr]]:
        """Return the same for a result that goes into its place, if it has one."""
        place = self.places.get(tail.result)
        if place is None:
            return epilogue, operands
        epilogue, others = self.into(place, epilogue)
        return epilogue, [*operands, *others]

    def into(self, place: Place, epilogue: Epilogue) -> tuple[Epilogue, list[relax.Expr]]:
        """Return an epilogue that writes into a place, and what its kernel takes for that."""
        content = place.joined.content
        others = [relax.const(np.array([place.first], "int32"), "int32")]
        if content is not None:
            others.append(content)
        part = Part(place.joined.channels, follows=content is not None)
        return replace(epilogue, part=part), others

    def call(
        self, kernel: tirx.PrimFunc, name: str, arguments: Sequence[relax.Expr], epilogue: Epilogue
    ) -> relax.Expr:
        callee = self.builder.add_func(kernel, name)
        result = relax.TensorType(epilogue.whole, epilogue.dtype)
        return self.builder.emit(relax.call_tir(callee, list(arguments), result))

    def set(self, variable: relax.Var, result: relax.Expr, *, channels_last: bool) -> None:
        place = self.places.get(variable)
        if channels_last and place is not None and known_shape(result)[-1] != place.count:
            place.joined.content = result
            self.values[variable] = Value(place=place)
        elif channels_last:
            self.values[variable] = Value(channels_last=result)
        else:
            self.values[variable] = Value(plain=result)


def windows_over(
    x: relax.Expr, attrs: Any, outputs: int, size: Sequence[Any], groups: int
) -> Windows:
    """Return what the attributes of an operator say of windows over an image, channels second.

    What has one axis is an image of one row.
    """
    batch, channels, *image = known_shape(x)
    axes = len(image)

    def three(values: Sequence[Any], missing: int) -> tuple[int, ...]:
        return (missing,) * (3 - axes) + tuple(map(int, values))

    depth, height, width = three(image, 1)
    numbers = (three(values, 1) for values in (size, attrs.strides, attrs.dilation))
    (deep, *window), (stride, *strides), (apart, *dilation) = numbers
    before, top, left = three(attrs.padding[:axes], 0)
    behind, bottom, right = three(attrs.padding[axes:], 0)
    return Windows(
        *(batch, height, width, channels, outputs),
        *((window[0], window[1]), (strides[0], strides[1]), (dilation[0], dilation[1])),
        (top, left, bottom, right),
        groups,
        deep=Deep(depth, deep, stride, apart, before, behind),
    )


# Replaces a binding, given its number and its call; returns whether it did.
Operator = Callable[[Context, int, relax.Call], bool]


def sum_type(dtype: str) -> str:
    """Return the element type in which a kernel sums up."""
    return "float32" if dtype == "float16" else dtype


def can_compute(call: relax.Call, *tensors: relax.Expr) -> bool:
    """Whether templates compute with such tensors: of one float type, neither empty nor huge."""
    types = {str(each.ty.dtype) for each in (call, *tensors)}
    return len(types) == 1 and types <= set(FLOATS) and can_index(call, *tensors)


def can_map(call: relax.Call, *tensors: relax.Expr) -> bool:
    """Whether vectors of such tensors can be computed one by one."""
    types = {str(each.ty.dtype) for each in (call, *tensors)}
    return types <= set(COMPUTED) and can_index(call, *tensors)


def can_index(*tensors: relax.Expr) -> bool:
    """Whether no tensor is empty or huge."""
    sizes = [size_of(known_shape(each)) for each in tensors]
    return min(sizes) > 0 and max(sizes) <= MOST_ELEMENTS
