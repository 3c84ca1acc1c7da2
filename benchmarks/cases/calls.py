# SPDX-License-Identifier: Apache-2.0
"""Calls of a C function that does nothing: with the GIL released, kept, and prepared."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks import native
from benchmarks.bindings import TVM_FFI, TVMGO, Binding, both, floats
from benchmarks.case import Case, Figure, Group, Target, Timed, at_most, cost, equals

LOOP = 1000  # calls in a loop written in C
INT = 1  # kTVMFFIInt
BASELINE = (
    "The same function through tvm_ffi, with its tensors where tvmgo has arrays; the C API called "
    "through ctypes with arguments converted before; for arrays NumPy's smallest job on as many "
    "of them. As floors: an empty Python function with the same arguments; an empty method of a C "
    "extension, which takes anything; bare C, an object written by hand that converts nothing, "
    "checks nothing, gives the GIL away where the bindings do, and calls; the bare "
    "`TVMFFIFunctionCall` in a loop written in C. "
)
RELEASED = Group(
    "Calling a C function",
    "What does it cost to get from Python into a compiled function that does nothing, and back, "
    "if the GIL is released around the call?",
    BASELINE
    + "Both bindings release the GIL unless told otherwise. An array off the 64-byte boundary, "
    "where a compiled kernel may crash, is copied by tvmgo for the call; tvm_ffi hands it over as "
    "it is.",
)
KEPT = Group(
    "Calling a C function, GIL kept",
    "The same for functions that are over too soon to be worth a release: `f.release_gil = False`, "
    "on both sides.",
    BASELINE + "In the last two there is no GIL to be released.",
)
PREPARED = Group(
    "A prepared call",
    "What does a call cost whose arguments were converted once?",
    "The same function through tvm_ffi, which has no prepared calls; an empty Python function "
    "called without arguments, as the prepared call is; an empty C method; bare C, which converts "
    "nothing and checks nothing; the bare `TVMFFIFunctionCall` with the same arguments in a loop "
    "written in C.",
)


@dataclass(frozen=True)
class Call:
    """What is called with, and how."""

    values: Callable[[Callable], Sequence]  # given what makes a rival's array of NumPy's
    release_gil: bool = True

    @property
    def plain(self) -> Sequence:
        """The arguments of who takes anything."""
        return self.values(lambda array: array)


def amount(value: object) -> int:
    """Return what tells a value from another: its size, itself, its first element."""
    if isinstance(value, str | bytes):
        return len(value)
    return int(value if isinstance(value, int | float) else np.from_dlpack(value)[0])


def through_binding(binding: Binding, call: Call) -> Timed:
    arguments = call.values(binding.array)
    arrived = binding.callback(lambda *values: sum(map(amount, values)))
    assert arrived(*arguments) == sum(map(amount, arguments))
    return Timed(partial(binding.function("nop", call.release_gil), *arguments), equals(None))


def through_ctypes(call: Call) -> Timed:
    """The C API called with cells that were filled before: no argument is converted."""
    number = len(call.plain)
    # Ints, whatever the others are given: the function looks at none of them.
    cells = (ctypes.c_int64 * (2 * number))(*([INT, 7] * number)) if number else None
    api = native.c_api(ctypes.CDLL if call.release_gil else ctypes.PyDLL)
    result = ctypes.byref((ctypes.c_int64 * 2)())
    nop = native.c_function("nop")
    return Timed(partial(api.TVMFFIFunctionCall, nop, cells, number, result), equals(0))


def through_numpy(call: Call) -> Timed:
    *arrays, out = call.plain
    function, operands = (np.add, arrays) if arrays else (np.positive, [out])
    expected = sum(operand[0] for operand in operands)
    return Timed(partial(function, *operands, out), lambda _answer: (out == expected).all())


def empty_function(a=None, b=None, c=None):
    """The empty Python function."""


def through_python(call: Call) -> Timed:
    return Timed(partial(empty_function, *call.plain), equals(None))


def c_method(call: Call) -> Timed:
    return Timed(partial(native.floor().nop, *call.plain), equals(None))


def bare_c(call: Call) -> Timed:
    direct = native.floor().direct(native.c_function("nop").value, not call.release_gil)
    return Timed(partial(direct, *call.plain), equals(None))


def c_loop(call: Call) -> Timed:
    repeat, nop = TVMGO.function("repeat"), TVMGO.function("nop")
    return Timed(partial(repeat, nop, LOOP, *call.values(TVMGO.array)), equals(None), LOOP)


def prepared(call: Call) -> Timed:
    nop = TVMGO.function("nop", call.release_gil)
    return Timed(nop.prepare(*call.values(TVMGO.array)), equals(None))


FLOORS = {"Python": through_python, "C method": c_method, "bare C": bare_c}


@dataclass(frozen=True)
class Row:
    """One list of arguments, which makes a case with the GIL released and one with it kept."""

    name: str
    values: Callable[[Callable], Sequence]
    released: float = 0  # the targets
    kept: float = 0
    counted: bool = False  # where the GIL is released


def three_arrays(array: Callable) -> Sequence:
    return [array(floats(value)) for value in (1, 2, 3)]


ROWS = (
    Row("no argument", lambda array: (), 0.75, 0.40, counted=True),
    Row("1 int", lambda array: (7,)),
    Row("2 ints", lambda array: (1, 2), 0.60, 0.33, counted=True),
    Row("3 ints", lambda array: (1, 2, 3), 0.60, 0.33, counted=True),
    Row("int, float, bool", lambda array: (1, 2.0, True), 0.60, 0.33),
    Row("1 str of 16 bytes", lambda array: ("sixteen bytes 16",), 0.45, counted=True),
    Row("1 bytes of 1 KiB", lambda array: (bytes(1024),), 0.60, counted=True),
    Row("3 arrays", three_arrays, 0.60, 0.35, counted=True),
    Row("1 NumPy array", lambda array: (floats(4),), 0.50, counted=True),
    Row("3 NumPy arrays", lambda array: (floats(4), floats(5), floats(6)), 0.50),
    Row("1 NumPy array off the 64-byte boundary", lambda array: (floats(4, offset=16),)),
)


def call_case(group: Group, row: Row) -> Case:
    released = group is RELEASED
    limit = row.released if released else row.kept
    rivals = both(through_binding) | {"ctypes": through_ctypes} | FLOORS | {"C loop": c_loop}
    return Case(
        group,
        row.name,
        partial(Call, row.values, released),
        rivals | ({"NumPy": through_numpy} if "array" in row.name else {}),
        (at_most(limit, floor="bare C"),) if limit else (),
        counted="bare C" if row.counted and released else "",
    )


def prepared_case(name: str, release_gil: bool, counted: str = "") -> Case:
    limit = Figure(
        "max(Python + 25, 3 * C loop)", lambda costs: max(costs["Python"] + 25, 3 * costs["C loop"])
    )
    # Called without arguments, as a prepared call is.
    bare = {
        rival: lambda call, function=function: function(Call(lambda array: (), call.release_gil))
        for rival, function in FLOORS.items()
    }
    return Case(
        PREPARED,
        name,
        partial(Call, three_arrays, release_gil),
        {
            "tvmgo": prepared,
            "tvm_ffi": partial(through_binding, TVM_FFI),
            **bare,
            "C loop": c_loop,
        },
        (Target(cost("tvmgo"), "<=", limit, "ns", floor=cost("bare C")),),
        counted=counted,
    )


CASES = (
    *(call_case(RELEASED, row) for row in ROWS),
    *(call_case(KEPT, row) for row in ROWS),
    prepared_case("3 arrays", True, counted="bare C"),
    prepared_case("3 arrays, GIL kept", False),
)
