# SPDX-License-Identifier: Apache-2.0
"""What is computed together with an operator: the elementwise kernels that follow it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tvm
from tvm import relax
from tvm.relax.analysis import free_vars

from tvmgo.compiler.relax.expressions import constant, known_shape
from tvmgo.compiler.relax.templates.kernels.elementwise import (
    Elementwise,
    Pattern,
    read_elementwise,
)
from tvmgo.compiler.relax.templates.kernels.epilogue import (
    Epilogue,
    Inner,
    Number,
    Operand,
    Outer,
    Source,
    Step,
)
from tvmgo.compiler.relax.templates.values import Values, to_channels_last

FLOATS = ("float16", "float32", "float64")
BYTES = ("int8", "uint8")

# Element types that vectors of a tail have, of as many lanes each.
COMPUTED = (*FLOATS, *BYTES, "int32")

# More steps than any network has between two products; what is longer is cut.
LONGEST = 32


@dataclass
class Tail:
    """Kernels computed with an operator.

    Attributes
    ----------
    result : relax.Var
        The last one's; the operator's own if there are none.
    calls : sequence of (relax.Var, relax.Call, Elementwise)
    """

    result: relax.Var
    calls: Sequence[tuple[relax.Var, relax.Call, Elementwise]] = ()

    @property
    def name(self) -> str:
        return "".join(
            f"_{call.args[0].name_hint.rstrip('0123456789')}" for _, call, _ in self.calls
        )


class Block:
    """The bindings of a block of a model, who reads them, and which are taken."""

    def __init__(self, module: tvm.IRModule, block: relax.DataflowBlock) -> None:
        self.module = module
        self.bindings = list(block.bindings)
        self.made_at = {binding.var: i for i, binding in enumerate(self.bindings)}
        self.position = dict(self.made_at)  # from where on a value is there
        self.users: dict[relax.Var, list[int]] = defaultdict(list)
        for i, binding in enumerate(self.bindings):
            for variable in free_vars(binding.value):
                self.users[variable].append(i)
        self.taken: set[int] = set()
        self.kernels: dict[Any, Elementwise | None] = {}

    def elementwise(self, value: relax.Expr) -> Elementwise | None:
        """Read what is called, if it is an elementwise kernel."""
        if not isinstance(value, relax.Call) or value.op != tvm.ir.Op.get("relax.call_tir"):
            return None
        if not isinstance(value.ty, relax.TensorType):
            return None
        callee = value.args[0]
        if callee not in self.kernels:
            self.kernels[callee] = read_elementwise(self.module[callee])
        return self.kernels[callee]

    def take_tail(self, start: int) -> Tail:
        """Return the longest tail of a binding, whose kernels are then taken.

        No result but the last may be wanted by anybody else, and all else that is read must be
        there when the operator is computed.
        """
        first = self.bindings[start].var
        shape = known_shape(first)
        members = {first}
        chosen: list[int] = []
        longest = 0
        waiting = set(self.users[first])
        while waiting and len(chosen) < LONGEST:
            i = min(waiting)
            waiting.remove(i)
            binding = self.bindings[i]
            if i in self.taken or not self.fits(binding, members, start, shape):
                break
            chosen.append(i)
            inner = members
            members = {*members, binding.var}
            waiting.update(self.users[binding.var])
            # Who reads the floats of bytes computes them again, and the bytes are shorter.
            ends = (
                str(binding.var.ty.dtype) in COMPUTED
                and self.dequantised(binding.var, i, shape) is None
            )
            if ends and all(self.is_inside(variable, chosen) for variable in inner):
                longest = len(chosen)
        chosen = chosen[:longest]
        self.taken.update(chosen)
        for i in chosen:
            self.position[self.bindings[i].var] = start  # from then on it is there
        calls: list[tuple[relax.Var, relax.Call, Elementwise]] = []
        known = {first}
        for i in chosen:
            variable, call = self.bindings[i].var, self.bindings[i].value
            for argument in call.args[1].fields:
                found = self.dequantised(argument, start, shape)
                if argument not in known and found is not None:
                    calls.append((argument, *found))
                    known.add(argument)
            kernel = self.elementwise(call)
            assert kernel is not None  # it fits
            calls.append((variable, call, kernel))
            known.add(variable)
        return Tail(self.bindings[chosen[-1]].var if chosen else first, calls)

    def is_image(self, variable: relax.Var) -> bool:
        """Whether a convolution or a pool reads a variable."""
        readers = (self.bindings[i].value for i in self.users[variable])
        names = (
            call.op.name
            for call in readers
            if isinstance(call, relax.Call) and isinstance(call.op, tvm.ir.Op)
        )
        return any(
            name.startswith("relax.nn.") and name.endswith(("1d", "2d", "3d")) for name in names
        )

    def is_inside(self, variable: relax.Var, chosen: Sequence[int]) -> bool:
        """Whether only these read a variable."""
        return isinstance(variable, relax.DataflowVar) and set(self.users[variable]) <= set(chosen)

    def fits(self, binding: relax.Binding, members: set[relax.Var], start: int, shape: Any) -> bool:
        """Whether a binding can be a further step of a tail."""
        kernel = self.elementwise(binding.value)
        if kernel is None or not kernel.is_vectorised:
            return False
        dtype = str(binding.value.ty.dtype)
        if known_shape(binding.value) != shape or dtype not in (*COMPUTED, "bool"):
            return False
        types = {str(argument.ty.dtype) for argument in binding.value.args[1].fields}
        if dtype == "int32" and types & set(BYTES):
            return False  # the operand of a product of bytes, which takes these as they are
        for parameter, argument in zip(kernel.parameters, binding.value.args[1].fields):
            if parameter not in kernel.patterns:
                continue
            pattern = kernel.patterns[parameter]
            if not is_aligned(pattern, len(shape)):
                return False
            if argument in members:
                if any(axis is None and shape[i] != 1 for i, axis in enumerate(pattern)):
                    return False
            elif self.dequantised(argument, start, shape) is None and (
                str(argument.ty.dtype) not in COMPUTED or self.position.get(argument, -1) >= start
            ):
                return False
        return True

    def dequantised(
        self, variable: relax.Expr, start: int, shape: Any
    ) -> tuple[relax.Call, Elementwise] | None:
        """Return what computes floats of bytes, if a tail does better to compute them again."""
        if not isinstance(variable, relax.Var) or variable not in self.made_at:
            return None
        call = self.bindings[self.made_at[variable]].value
        kernel = self.elementwise(call)
        if kernel is None or not kernel.is_vectorised or len(kernel.patterns) != 1:
            return None
        ((parameter, pattern),) = kernel.patterns.items()
        source = dict(zip(kernel.parameters, call.args[1].fields))[parameter]
        fits = (
            str(source.ty.dtype) in BYTES
            and str(variable.ty.dtype) in FLOATS
            and known_shape(variable) == shape == known_shape(source)
            and is_aligned(pattern, len(shape))
            and self.position.get(source, -1) < start
        )
        return (call, kernel) if fits else None


def is_aligned(pattern: Pattern, rank: int) -> bool:
    """Whether the axes of a tensor are the last ones of the result, in their order."""
    skipped = rank - len(pattern)
    return all(axis is None or axis == i + skipped for i, axis in enumerate(pattern))


def make_epilogue(
    tail: Tail, first: relax.Var, values: Values, channels_last: bool
) -> tuple[Epilogue, list[relax.Expr]]:
    """Return what a tail computes, and the tensors that it reads.

    Parameters
    ----------
    tail : Tail
    first : relax.Var
        Of the operator itself.
    values : Values
    channels_last : bool
        Whether the result has its channels last, where the model has them second.
    """
    shape = known_shape(first)
    order = to_channels_last(len(shape)) if channels_last else tuple(range(len(shape)))
    numbers = {first: -1}
    operands = Operands(values, channels_last, len(shape))
    steps: list[Step] = []
    for variable, call, kernel in tail.calls:
        sources: dict[Any, Source] = {}
        for parameter, argument in zip(kernel.parameters, call.args[1].fields):
            if parameter not in kernel.patterns:
                continue
            content = constant(argument)
            if argument in numbers:
                sources[parameter] = Inner(numbers[argument])
            elif content is not None and content.size == 1:
                sources[parameter] = Number(content.reshape(()).item())
            else:
                sources[parameter] = Outer(operands.add(argument, kernel.patterns[parameter]))
        numbers[variable] = len(steps)
        steps.append(Step(kernel.value, sources))
    dtype = str(tail.result.ty.dtype)
    epilogue = Epilogue(tuple(shape[i] for i in order), dtype, steps, operands.specs)
    return epilogue, operands.expressions


@dataclass
class Operands:
    """Tensors that a tail reads, in the layout of its result."""

    values: Values
    channels_last: bool
    rank: int
    specs: list[Operand] = field(default_factory=list)
    expressions: list[relax.Expr] = field(default_factory=list)

    def add(self, argument: relax.Expr, pattern: Pattern) -> int:
        shape = known_shape(argument)
        content = constant(argument)
        if self.channels_last:
            order = to_channels_last(self.rank)
            missing = self.rank - len(shape)
            full = (1,) * missing + tuple(shape)
            pattern = (None,) * missing + tuple(pattern)
            if content is not None:
                content = np.ascontiguousarray(content.reshape(full).transpose(order))
                expression = relax.const(content, str(argument.ty.dtype))
            elif missing:
                reshaped = relax.op.reshape(self.values.plain(argument), full)
                expression = self.values.permuted(
                    self.values.builder.emit(reshaped), to_channels_last
                )
            else:
                expression = self.values.channels_last(argument)
            places = {axis: place for place, axis in enumerate(order)}
            axes = [pattern[axis] for axis in order]
            pattern = tuple(None if axis is None else places[axis] for axis in axes)
            shape = tuple(full[axis] for axis in order)
        else:
            expression = self.values.plain(argument)
        self.specs.append(Operand(tuple(shape), str(argument.ty.dtype), tuple(pattern)))
        self.expressions.append(expression)
        return len(self.specs) - 1
