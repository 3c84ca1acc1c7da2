# SPDX-License-Identifier: Apache-2.0
"""Calls of a Python function: through the runtime, and from a loop written in C."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks import native
from benchmarks.bindings import Binding, both
from benchmarks.case import Case, Group, Timed, at_most, equals

LOOP = 1000  # calls in a loop written in C
CALLBACK = Group(
    "Calling a Python function through the runtime",
    "What does the way into the runtime and back out to Python add to a Python call?",
    "The same callback registered with tvm_ffi and got by its name; the callback called directly.",
)
CALLED_BACK = Group(
    "Calling a Python function from C",
    "What does a call cost a loop written in C that calls a Python function?",
    "The same callback converted by tvm_ffi, called by the same loop; bare C, a loop that knows "
    "Python and does no more than take the GIL, call and give it away; the callback called "
    "directly from Python. The loop is entered with the GIL released, so that each call takes it, "
    "or kept.",
)


@dataclass(frozen=True)
class Callback:
    """A Python function, what it is called with, and what it answers."""

    function: Callable
    arguments: tuple
    answer: object
    release_gil: bool = True  # by who enters the loop


def through_runtime(binding: Binding, callback: Callback) -> Timed:
    # As gotvm's samples do: register, get, invoke.
    name = f"benchmarks.{callback.function.__name__}"
    binding.register(callback.function, name)
    registered = binding.global_function(name)
    return Timed(partial(registered, *callback.arguments), equals(callback.answer))


def directly(callback: Callback) -> Timed:
    return Timed(partial(callback.function, *callback.arguments), equals(callback.answer))


def from_c(binding: Binding, callback: Callback) -> Timed:
    repeat = binding.function("repeat", callback.release_gil)
    converted = binding.callback(callback.function)
    return Timed(
        partial(repeat, converted, LOOP, *callback.arguments), equals(callback.answer), LOOP
    )


def bare_c(callback: Callback) -> Timed:
    repeat = native.floor().repeat if callback.release_gil else native.floor().repeat_kept
    return Timed(
        partial(repeat, callback.function, LOOP, *callback.arguments), equals(callback.answer), LOOP
    )


def nothing():
    """The empty Python function without parameters."""


def add(a, b):
    return a + b


NOTHING, ADD = partial(Callback, nothing, (), None), partial(Callback, add, (1, 2), 3)


def through_runtime_case(name: str, setup: Callable, counted: str = "") -> Case:
    rivals = both(through_runtime) | {"Python": directly}
    return Case(CALLBACK, name, setup, rivals, (at_most(0.40),), counted=counted)


def from_c_case(name: str, setup: Callable) -> Case:
    rivals = both(from_c) | {"bare C": bare_c, "Python": directly}
    return Case(CALLED_BACK, name, setup, rivals, (at_most(0.80, floor="bare C"),))


CASES = (
    through_runtime_case("0 ints", NOTHING),
    # No bare C stands beside it: the nearest floor is the callback itself.
    through_runtime_case("2 ints", ADD, counted="Python"),
    from_c_case("0 ints", NOTHING),
    from_c_case("2 ints", ADD),
    from_c_case("0 ints, GIL kept", partial(NOTHING, release_gil=False)),
    from_c_case("2 ints, GIL kept", partial(ADD, release_gil=False)),
)
