# SPDX-License-Identifier: Apache-2.0
"""``arg``: what can be passed to a function, and how it arrives."""

import array
import copy
import ctypes
import math
import queue

import numpy as np

import tvmgo
from conformance import library
from conformance.catalogue import counterpart
from conformance.library import callback, received_by_callback
from conformance.outcome import TypeCode, attempt, error_of


class S:
    """A type of the program's own; ``type S struct{ A, B int }``."""

    def __init__(self, a, b):
        self.a, self.b = a, b


class MyInt(int):
    """``type MyInt int``"""


class MyStr(str):
    """``type MyStr string``"""


class MyBytes(bytes):
    """``type MyBytes []byte``"""


def function():
    """Return a function that was made for the purpose."""
    return callback(lambda *args: None)


def function_of_captured(content):
    """Return a closure."""
    return lambda *args: content


# What each case passed, in Python. Made at the time: some are runtime objects.
ARGUMENTS = {
    "uint8_255": lambda: np.uint8(255),
    "uint16_max": lambda: np.uint16(65535),
    "uint32_max": lambda: np.uint32(4294967295),
    "uint64_small": lambda: np.uint64(7),
    "uint64_int63max": lambda: np.uint64(2**63 - 1),
    "uint64_int63max_plus1": lambda: np.uint64(2**63),
    "uint64_max": lambda: np.uint64(2**64 - 1),
    "int_neg1": lambda: -1,
    "int32_min": lambda: np.int32(-(2**31)),
    "int64_max": lambda: np.int64(2**63 - 1),
    "rune": lambda: ord("A"),
    "float32_0.1": lambda: np.float32(0.1),
    "float32_max": lambda: np.finfo(np.float32).max,
    "float32_16777217": lambda: np.float32(16777217),
    "float64_0.1": lambda: 0.1,
    "float64_negzero": lambda: -0.0,
    "float64_neginf": lambda: -math.inf,
    "float64_tiny": lambda: 5e-324,
    "float64_2p53p1": lambda: float(9007199254740993),
    "bool_true": lambda: True,
    "nil": lambda: None,
    "struct": lambda: S(1, 2),
    "ptr_struct": lambda: ctypes.pointer(ctypes.c_int64(1)),
    "slice_int": lambda: [1, 2, 3],
    "slice_int64": lambda: array.array("q", [1, 2]),
    "slice_float32": lambda: array.array("f", [1, 2]),
    "slice_string": lambda: ["a", "b"],
    "array_bytes": lambda: (ctypes.c_uint8 * 4)(1, 2, 3, 4),
    "complex": lambda: 1 + 2j,
    "uintptr": lambda: ctypes.c_size_t(5),
    "nil_error": lambda: None,
    "named_int": lambda: MyInt(5),
    "named_string": lambda: MyStr("x"),
    "named_bytes": lambda: MyBytes(b"x"),
    "device": lambda: tvmgo.cpu(0),
    "value_slice_byvalue": lambda: (),
    "chan": lambda: queue.Queue(),
    "unsafe_pointer": lambda: ctypes.c_void_p(None),
    "nil_Function": lambda: None,
    "nil_Module": lambda: None,
    "nil_Array": lambda: None,
    "nil_Value": lambda: None,
    "nil_ByteArray": lambda: None,
    "nil_callback": lambda: None,
    "Value_by_value": lambda: library.returned("int"),
    "other_func": lambda: lambda number: number,
    "closure": lambda: function_of_captured(5),
    "Module": lambda: library.deploy(),
    "Array": lambda: tvmgo.empty([4]),
}


@counterpart(*[f"arg.{case}" for case in ARGUMENTS])
def argument(fact):
    arg = ARGUMENTS[fact.case]()
    return attempt(received_by_callback, arg, about=arg)


@counterpart("arg.mixed_kinds")
def mixed_kinds():
    return received_by_callback(1, 2.5, "s", b"b", function(), library.deploy(), tvmgo.empty([4]))


@counterpart("arg.error")
def exception_passed():
    error = RuntimeError("boom")
    (received,) = received_by_callback(error)
    return {"type_code": TypeCode(received.type_code), "is_it": received.to_python() is error}


# ---------------------------------------------------------------- by value


@counterpart("arg.Function_by_value")
def function_by_value():
    handle = function()
    return attempt(lambda: received_by_callback(copy.copy(handle)), about=handle)


@counterpart("arg.Array_by_value")
def array_by_value():
    handle = tvmgo.array([1, 2], "float32")
    (received,) = received_by_callback(copy.copy(handle))
    content = received.as_array()
    return {
        "type_code": TypeCode(received.type_code),
        "content": content.numpy(),
        "is_the_original": content == handle,
    }


@counterpart("arg.error_position")
def error_position():
    called = []
    refused = S(1, 2)
    observed = attempt(
        callback(lambda *args: called.append(args)).invoke, 1, True, refused, about=True
    )
    observed.extra["callee_called"] = bool(called)
    return observed


# ---------------------------------------------------------------- as C sees them


@counterpart("arg.rawbits.*")
def raw_bits(fact):
    arg = {
        "uint64_max": np.uint64(2**64 - 1),
        "float32_0.1": np.float32(0.1),
        "float64_0.1": 0.1,
        "int_neg1": -1,
    }[fact.case.partition(".")[2]]
    return f"{library.kernel('rawbits').invoke(arg).as_int64() % 2**64:#x}"


@counterpart("arg.count.*")
def count(fact):
    args = range(int(fact.case.partition(".")[2]))
    summing = callback(lambda *values: sum(value.as_int64() for value in values))
    return {
        "err_c": error_of(library.kernel("nargs").invoke, *args),
        "err_cb": error_of(summing.invoke, *args),
        "nargs_c": library.kernel("nargs").invoke(*args).as_int64(),
        "sum_cb": summing.invoke(*args).as_int64(),
    }
