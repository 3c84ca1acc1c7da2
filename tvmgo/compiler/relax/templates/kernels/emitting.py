# SPDX-License-Identifier: Apache-2.0
"""Kernels under construction, and the few statements that all of them are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from tvm import tirx
from tvm.script.ir_builder import IRBuilder
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.graph.element_types import ELEMENT_TYPES
from tvmgo.compiler.relax.kernel_attributes import EXTENDS, IN_PLACE, IS_FLAT
from tvmgo.compiler.relax.schedule.functions import lanes_of, scalar_type

# Of an opaque kernel: TVM fuses nothing into it.
OPAQUE = 8

# Element types of which TVM's passes cannot read or write a part of a vector.
NEVER_MASKED = ("float16",)


class Kernel:
    """A kernel; what is emitted while it is entered becomes its body.

    Its tensors have the rank that callers see and are read and written by flat indices. Only the
    alignment of an element is asked of them, so that they may be memory of any caller.

    Parameters
    ----------
    name : str
    in_place : sequence of int
        Numbers of parameters in whose memory the result may be put.
    extends : int, optional
        The parameter in whose memory it must be put, as it adds to that.
    """

    def __init__(self, name: str, in_place: Sequence[int] = (), extends: int | None = None) -> None:
        self.in_place = in_place
        self.extends = extends
        self.builder = IRBuilder()
        self.frame = T.prim_func(private=True, s_tir=True)
        self.root = T.sblock("root")  # some passes look no further
        self.name = name
        self.function: tirx.PrimFunc | None = None

    def __enter__(self) -> Kernel:
        self.builder.__enter__()
        self.frame.__enter__()
        T.func_name(self.name)
        attributes: dict[str, Any] = {
            "tirx.is_scheduled": True,
            "op_pattern": OPAQUE,
            IS_FLAT: True,
        }
        if self.in_place:
            attributes[IN_PLACE] = list(self.in_place)
        else:
            attributes["tirx.noalias"] = True  # also of what is extended, as it is not read
        if self.extends is not None:
            attributes[EXTENDS] = self.extends
        T.func_attr(attributes)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.root.__exit__(kind, error, trace)
        self.frame.__exit__(kind, error, trace)
        self.builder.__exit__(kind, error, trace)
        if error is None:
            self.function = self.builder.get()

    def tensors(self, specs: Sequence[tuple[str, Sequence[int], str]]) -> list[tirx.Buffer]:
        """Declare all parameters, (name, shape, element type), and return them as flat buffers."""
        parameters = [
            T.arg(name, T.buffer(tuple(shape), dtype, align=ELEMENT_TYPES[dtype].nbytes))
            for name, shape, dtype in specs
        ]
        self.root.__enter__()
        return [
            T.decl_buffer((size_of(shape),), dtype, data=parameter.data)
            for parameter, (_, shape, dtype) in zip(parameters, specs)
        ]


def size_of(shape: Sequence[int]) -> int:
    size = 1
    for each in shape:
        size *= each
    return size


def broadcast(value: Any, lanes: int) -> Any:
    return value if lanes == 1 else T.Broadcast(value, lanes)


def lanes_at(index: Any, lanes: int) -> Any:
    return index if lanes == 1 else T.Ramp(index, 1, lanes)


def first_lanes(count: int, lanes: int) -> Any:
    """Return the mask of the first lanes."""
    return T.Ramp(0, 1, lanes) < T.Broadcast(count, lanes)


def load(buffer: tirx.Buffer, index: Any, lanes: int, used: int) -> Any:
    """Read a vector of which `used` lanes lie in the tensor; no others are touched."""
    if used == lanes:
        return buffer[lanes_at(index, lanes)]
    if buffer.dtype in NEVER_MASKED:
        parts = [buffer[index + lane] for lane in range(used)]
        parts += [zero(buffer.dtype)] * (lanes - used)
        return tirx.Shuffle(parts, list(range(lanes)))
    dtype = f"{buffer.dtype}x{lanes}"
    return T.masked_load(dtype, buffer, lanes_at(index, lanes), first_lanes(used, lanes))


def store(buffer: tirx.Buffer, value: Any, index: Any, lanes: int, used: int) -> None:
    if used == lanes:
        T.buffer_store(buffer, value, [lanes_at(index, lanes)])
    elif buffer.dtype in NEVER_MASKED:
        value = T.bind(value)
        for lane in range(used):
            T.buffer_store(buffer, tirx.Shuffle([value], [lane]), [index + lane])
    else:
        mask = first_lanes(used, lanes)
        T.evaluate(T.masked_store(buffer, value, lanes_at(index, lanes), mask))


class Accumulator:
    """A vector in a register.

    It is a buffer of its own and less than 1024 bytes large: then TVM puts it on the stack, and
    LLVM into a register. Anything else goes to the heap, at half the speed.
    """

    def __init__(self, start: Any, dtype: str, lanes: int) -> None:
        self.index = lanes_at(0, lanes)
        self.buffer = T.alloc_buffer((lanes,), dtype, scope="global")
        self.set(start)

    @property
    def value(self) -> Any:
        return self.buffer[self.index]

    def set(self, value: Any) -> None:
        T.buffer_store(self.buffer, value, [self.index])


def kept(value: Any) -> Any:
    """Give a value that is used several times a register.

    TVM puts what `T.bind` names into what it is used for, as often as it is: of a few functions with
    choices in a row, each of which looks at its argument three times, that makes hundreds.
    """
    return Accumulator(value, scalar_type(value), lanes_of(value)).value


def zero(dtype: str) -> Any:
    return tirx.const(0, dtype)


def loop(count: int, body: Callable[[Any], None], parallel: bool = False) -> None:
    """Emit a loop, unless it is a single step."""
    if count == 1:
        body(0)
        return
    with (T.parallel if parallel else T.serial)(0, count) as variable:
        body(variable)
