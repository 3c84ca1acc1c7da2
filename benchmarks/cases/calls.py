# SPDX-License-Identifier: Apache-2.0
"""Calls of a C function that does nothing: with the GIL released, kept, and prepared."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks import native
from benchmarks.bindings import Binding, TvmFfi, Tvmgo, both, floats
from benchmarks.case import Case, Figure, Group, Target, Timed, at_most, cost, equals

LOOP = 1000  # calls in a loop written in C
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
    checksum: int = 0
    release_gil: bool = True

    @property
    def plain(self) -> Sequence:
        """The arguments of who takes anything."""
        return self.values(lambda array: array)


def through_binding(binding: Binding, call: Call) -> Timed:
    arguments = call.values(binding.array)
    assert binding.function("checksum")(*arguments) == call.checksum
    return Timed(partial(binding.function("nop", call.release_gil), *arguments), equals(None))


class Any(ctypes.Structure):
    """TVMFFIAny: one value as the C API passes it."""

    _fields_ = [
        ("type_index", ctypes.c_int32),
        ("padding", ctypes.c_uint32),
        ("value", ctypes.c_int64),
    ]


def through_ctypes(call: Call) -> Timed:
    """The C API called with cells that were filled before: no argument is converted."""
    number = len(call.plain)
    # Ints, whatever the others are given: the function looks at none of them.
    cells = (Any * number)(*(Any(1, 0, value) for value in range(number))) if number else None
    api = native.c_api(ctypes.CDLL if call.release_gil else ctypes.PyDLL)
    result = ctypes.byref(Any())
    bound = partial(api.TVMFFIFunctionCall, native.c_function("nop"), cells, number, result)
    return Timed(bound, equals(0))


def numpy_add(call: Call) -> Timed:
    a, b, c = call.plain
    expected = a[0] + b[0]
    return Timed(partial(np.add, a, b, c), lambda _answer: (c == expected).all())


def numpy_positive(call: Call) -> Timed:
    (array,) = call.plain
    return Timed(partial(np.positive, array, array), lambda _answer: (array == 4).all())


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
    repeat, nop = Tvmgo.function("repeat"), Tvmgo.function("nop")
    return Timed(partial(repeat, nop, LOOP, *call.values(Tvmgo.array)), equals(None), LOOP)


def prepared(call: Call) -> Timed:
    nop = Tvmgo.function("nop", call.release_gil)
    return Timed(nop.prepare(*call.values(Tvmgo.array)), equals(None))


def without_arguments(rival: Callable[[Call], Timed]) -> Callable[[Call], Timed]:
    """Return a rival that calls without arguments, as a prepared call is called."""
    return lambda call: rival(Call(lambda array: (), release_gil=call.release_gil))


FLOORS = {"Python": through_python, "C method": c_method, "bare C": bare_c}


@dataclass(frozen=True)
class Row:
    """One list of arguments, which makes a case with the GIL released and one with it kept."""

    name: str
    values: Callable[[Callable], Sequence]
    checksum: int
    released: float = 0  # the targets
    kept: float = 0
    numpy: Callable[[Call], Timed] | None = None
    gotvm: str = ""
    counted: bool = False  # where the GIL is released


def call_case(group: Group, row: Row) -> Case:
    release_gil = group is RELEASED
    limit = row.released if release_gil else row.kept
    return Case(
        group,
        row.name,
        partial(Call, row.values, row.checksum, release_gil),
        {
            **both(through_binding),
            "ctypes": through_ctypes,
            **({"NumPy": row.numpy} if row.numpy else {}),
            **FLOORS,
            "C loop": c_loop,
        },
        (at_most(limit, floor="bare C"),) if limit else (),
        gotvm=row.gotvm,
        counted="bare C" if row.counted and release_gil else "",
    )


def prepared_case(name: str, release_gil: bool, counted: str = "") -> Case:
    limit = Figure(
        "max(Python + 25, 3 * C loop)", lambda costs: max(costs["Python"] + 25, 3 * costs["C loop"])
    )
    return Case(
        PREPARED,
        name,
        partial(Call, three_arrays, 6, release_gil),
        {
            "tvmgo": prepared,
            "tvm_ffi": partial(through_binding, TvmFfi),
            **{rival: without_arguments(function) for rival, function in FLOORS.items()},
            "C loop": c_loop,
        },
        (Target(cost("tvmgo"), "<=", limit, "ns", floor=cost("bare C")),),
        counted=counted,
    )


def three_arrays(array: Callable) -> Sequence:
    return [array(floats(value)) for value in (1, 2, 3)]


ROWS = (
    Row("no argument", lambda array: (), 0, 0.75, 0.40, gotvm="InvokeC_0args", counted=True),
    Row("1 int", lambda array: (7,), 7, gotvm="InvokeC_1int"),
    Row("2 ints", lambda array: (1, 2), 3, 0.60, 0.33, counted=True),
    Row("3 ints", lambda array: (1, 2, 3), 6, 0.60, 0.33, gotvm="InvokeC_3int", counted=True),
    Row("int, float, bool", lambda array: (1, 2.0, True), 4, 0.60, 0.33),
    Row(
        "1 str of 16 bytes",
        lambda array: ("sixteen bytes 16",),
        16,
        0.45,
        gotvm="InvokeC_string16",
        counted=True,
    ),
    Row(
        "1 bytes of 1 KiB",
        lambda array: (bytes(1024),),
        1024,
        0.60,
        gotvm="InvokeC_bytes1KiB",
        counted=True,
    ),
    Row(
        "3 arrays",
        three_arrays,
        6,
        0.60,
        0.35,
        numpy_add,
        gotvm="InvokeC_3array_myadd4",
        counted=True,
    ),
    Row("1 NumPy array", lambda array: (floats(4),), 4, 0.50, numpy=numpy_positive, counted=True),
    Row(
        "3 NumPy arrays", lambda array: (floats(4), floats(5), floats(6)), 15, 0.50, numpy=numpy_add
    ),
    Row(
        "1 NumPy array off the 64-byte boundary",
        lambda array: (floats(4, offset=16),),
        4,
        numpy=numpy_positive,
    ),
)

CASES = (
    *(call_case(RELEASED, row) for row in ROWS),
    *(call_case(KEPT, row) for row in ROWS),
    prepared_case("3 arrays", True, counted="bare C"),
    prepared_case("3 arrays, GIL kept", False),
)
