# SPDX-License-Identifier: Apache-2.0
"""What C functions give back: arrays, strings, lists, errors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks import native
from benchmarks.bindings import TVMGO, Binding, both, floats
from benchmarks.case import Case, Group, Timed, at_most, equals

LOOP = 100  # of what takes a loop of its own: its function's cost shall not be seen
RESULT = Group(
    "Results",
    "What does a call cost that returns an array, a string of 16 bytes, a list of three ints?",
    "The same function through tvm_ffi. Its lists are views whose elements are converted when they "
    "are read, tvmgo's are Python's: in the last row both make a Python list of what they got.",
)
ERROR = Group(
    "Errors",
    "What does a ValueError cost that C raises and Python catches?",
    "The same function through tvm_ffi; a Python function that raises the same error; bare C, "
    "which drops the function's error unread and raises one of its own; a loop written in C that "
    "calls the function and drops the error or, in the first row, does no more than raise and drop "
    "it: that much of the row is libtvm_ffi's own. The usual way to raise in C, "
    "`TVMFFIErrorSetRaisedFromCStr`, has libtvm_ffi walk the C stack, which takes the longer the "
    "deeper it is; `TVMFFIErrorCreate` takes the backtrace it is given, here none. For a function "
    "of a module libtvm_ffi throws and catches a C++ exception on the way, unless it is entered at "
    "its code, as tvmgo does; for one that was made by `TVMFFIFunctionCreate` it does not.",
)
TEXT = "sixteen bytes 16"
MESSAGE = "this kernel always fails"


def array(binding: Binding, _shared) -> Timed:
    give = binding.function("constant")(binding.array(floats(1)))
    return Timed(give, lambda answer: (np.from_dlpack(answer) == 1).all())


def string(binding: Binding, _shared) -> Timed:
    return Timed(binding.function("constant")(TEXT), equals(TEXT))


def three_ints(binding: Binding, _shared) -> Timed:
    give = binding.function("constant")(binding.global_function("ffi.Array")(1, 2, 3))
    return Timed(give, lambda answer: list(answer) == [1, 2, 3])


def all_read(binding: Binding, _shared) -> Timed:
    give = three_ints(binding, _shared).call

    def give_and_read():
        for _ in range(LOOP):
            answer = list(give())
        return answer

    return Timed(give_and_read, equals([1, 2, 3]), LOOP)


def result_case(name: str, rival: Callable[..., Timed], limit: float, counted: str = "") -> Case:
    return Case(RESULT, name, lambda: None, both(rival), (at_most(limit),), counted=counted)


def catching(function: Callable[[], object]) -> Timed:
    """Calls of a function that raises ValueError."""

    def catch():
        for _ in range(LOOP):
            try:
                function()
            except ValueError as error:
                message = error.args
        return message

    return Timed(catch, equals((MESSAGE,)), LOOP)


def failing(binding: Binding, name: str) -> Callable:
    """Return one of the kernels that fail, `fail_alone` being one no module stands behind."""
    made = name == "fail_alone"
    return binding.function("make_fail_alone")() if made else binding.function(name)


def from_binding(binding: Binding, name: str) -> Timed:
    return catching(failing(binding, name))


def from_python(_name: str) -> Timed:
    def fail():
        raise ValueError(MESSAGE)

    return catching(fail)


def bare_c(_name: str) -> Timed:
    return catching(native.floor().direct(native.c_function("fail_plainly").value, False))


def raised_in_c(_name: str) -> Timed:
    return Timed(partial(TVMGO.function("repeat_raise"), LOOP), equals(None), LOOP)


def dropped_in_c(name: str) -> Timed:
    repeat = TVMGO.function("repeat_error")
    return Timed(partial(repeat, failing(TVMGO, name), LOOP), equals(None), LOOP)


def error_case(name: str, kernel: str, others: dict, floor: str, counted: str = "") -> Case:
    rivals = both(from_binding) | {"Python": from_python} | others
    targets = (at_most(0.30, floor=floor),)
    return Case(ERROR, name, lambda: kernel, rivals, targets, counted=counted)


DROPPED = {"bare C": bare_c, "C loop": dropped_in_c}
CASES = (
    # No bare C stands beside the first two: the nearest floor is the same function in tvm_ffi.
    result_case("array", array, 0.80, counted="tvm_ffi"),
    result_case("str", string, 0.50, counted="tvm_ffi"),
    result_case("list", three_ints, 0.80),
    result_case("list, all read", all_read, 0.80),
    # Its floor is what libtvm_ffi takes to raise and drop the error.
    error_case("with a backtrace", "fail", {"C loop": raised_in_c}, "C loop", counted="C loop"),
    error_case("without a backtrace", "fail_plainly", DROPPED, "bare C"),
    error_case("without a backtrace or a module", "fail_alone", DROPPED, "bare C"),
)
