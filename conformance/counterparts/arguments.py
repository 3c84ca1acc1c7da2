# SPDX-License-Identifier: Apache-2.0
"""``arg``: what can be passed to a function, and how it arrives."""

import array
import copy
import ctypes
import math
import queue

import numpy as np

import tvmgo
from conformance.catalogue import Gives, Raises, executes, improved, python
from conformance.outcome import TypeCode, attempt, error_of
from conformance.world import callback, received_by_callback


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


# What each case passed, in Python. Made at the time: some are runtime objects.
ARGUMENTS = {
    "uint8_255": lambda world: np.uint8(255),
    "uint16_max": lambda world: np.uint16(65535),
    "uint32_max": lambda world: np.uint32(4294967295),
    "uint64_small": lambda world: np.uint64(7),
    "uint64_int63max": lambda world: np.uint64(2**63 - 1),
    "uint64_int63max_plus1": lambda world: np.uint64(2**63),
    "uint64_max": lambda world: np.uint64(2**64 - 1),
    "int_neg1": lambda world: -1,
    "int32_min": lambda world: np.int32(-(2**31)),
    "int64_max": lambda world: np.int64(2**63 - 1),
    "rune": lambda world: ord("A"),
    "float32_0.1": lambda world: np.float32(0.1),
    "float32_max": lambda world: np.finfo(np.float32).max,
    "float32_16777217": lambda world: np.float32(16777217),
    "float64_0.1": lambda world: 0.1,
    "float64_negzero": lambda world: -0.0,
    "float64_neginf": lambda world: -math.inf,
    "float64_tiny": lambda world: 5e-324,
    "float64_2p53p1": lambda world: float(9007199254740993),
    "bool_true": lambda world: True,
    "nil": lambda world: None,
    "struct": lambda world: S(1, 2),
    "ptr_struct": lambda world: ctypes.pointer(ctypes.c_int64(1)),
    "slice_int": lambda world: [1, 2, 3],
    "slice_int64": lambda world: array.array("q", [1, 2]),
    "slice_float32": lambda world: array.array("f", [1, 2]),
    "slice_string": lambda world: ["a", "b"],
    "array_bytes": lambda world: (ctypes.c_uint8 * 4)(1, 2, 3, 4),
    "complex": lambda world: 1 + 2j,
    "uintptr": lambda world: ctypes.c_size_t(5),
    "nil_error": lambda world: None,
    "named_int": lambda world: MyInt(5),
    "named_string": lambda world: MyStr("x"),
    "named_bytes": lambda world: MyBytes(b"x"),
    "device": lambda world: tvmgo.cpu(0),
    "value_slice_byvalue": lambda world: (),
    "chan": lambda world: queue.Queue(),
    "unsafe_pointer": lambda world: ctypes.c_void_p(None),
    "nil_Function": lambda world: None,
    "nil_Module": lambda world: None,
    "nil_Array": lambda world: None,
    "nil_Value": lambda world: None,
    "nil_ByteArray": lambda world: None,
    "nil_callback": lambda world: None,
    "Value_by_value": lambda world: world.returned("int"),
    "other_func": lambda world: lambda number: number,
    "closure": lambda world: lambda *args: world,
    "Module": lambda world: world.deploy,
    "Array": lambda world: tvmgo.empty([4]),
}


@executes(*[f"arg.{case}" for case in ARGUMENTS])
def argument(world, fact):
    arg = ARGUMENTS[fact.case](world)
    return attempt(received_by_callback, arg, about=arg)


@executes("arg.mixed_kinds")
def mixed_kinds(world, fact):
    return received_by_callback(1, 2.5, "s", b"b", function(), world.deploy, tvmgo.empty([4]))


def arrives(code, **content):
    """The callee gets one Value, of this type code."""
    return Gives([{"type_code": TypeCode(code), **content}])


improved("arg.uint64_int63max_plus1", arrives(8, holds=2**63))
improved("arg.uint64_max", arrives(8, holds=2**64 - 1))
improved(
    "arg.nil_*",
    arrives(4),
    "A typed nil pointer panicked, a nil function only when it was called. Python has one "
    "None, and it arrives as null.",
)
improved(
    "arg.device",
    arrives(6, holds=tvmgo.cpu(0)),
    "gotvm had no way to pass a device, which the runtime can carry.",
)

NUMBERS_AND_NONE = "bool and None are values like others; None is the null that functions return."
CONTAINERS = "Lists, tuples and dicts are how a Python program passes several values."
SUBCLASSES = "An instance of a subclass can stand wherever its class can."

python("arg.bool_true", arrives(0, AsInt64=1, holds=True), NUMBERS_AND_NONE)
python("arg.nil", arrives(4), NUMBERS_AND_NONE)
python("arg.nil_error", arrives(4), NUMBERS_AND_NONE)
python("arg.slice_int", arrives(8, holds=[1, 2, 3]), CONTAINERS)
python("arg.slice_string", arrives(8, holds=["a", "b"]), CONTAINERS)
python("arg.value_slice_byvalue", arrives(8, holds=[]), CONTAINERS)
python("arg.named_int", arrives(0, AsInt64=5), SUBCLASSES)
python("arg.named_string", arrives(11, AsStr="x"), SUBCLASSES)
python("arg.named_bytes", arrives(12, AsBytes=b"x"), SUBCLASSES)
python(
    "arg.other_func",
    arrives(10, handle_is_null=False),
    "A Python callable takes what it is given; its signature is no type.",
)


@executes("arg.error")
def exception_passed(world, fact):
    error = RuntimeError("boom")
    (received,) = received_by_callback(error)
    return {"type_code": TypeCode(received.type_code), "is_it": received.to_python() is error}


python(
    "arg.error",
    Gives({"type_code": TypeCode(8), "is_it": True}, "the callee gets the very exception"),
    "Exceptions are objects, which programs collect and pass on.",
)


# ---------------------------------------------------------------- by value


@executes("arg.Function_by_value")
def function_by_value(world, fact):
    handle = function()
    return attempt(lambda: received_by_callback(copy.copy(handle)), about=handle)


@executes("arg.Array_by_value")
def array_by_value(world, fact):
    handle = tvmgo.array([1, 2], "float32")
    (received,) = received_by_callback(copy.copy(handle))
    content = received.as_array()
    return {
        "type_code": TypeCode(received.type_code),
        "content": content.numpy(),
        "is_the_original": content == handle,
    }


improved(
    "arg.Array_by_value",
    Gives(
        {"type_code": TypeCode(7), "content": [1, 2], "is_the_original": False},
        "the callee gets the copy, with its content",
    ),
    "A dereferenced Array could not be passed. A copy of an Array is an Array.",
)


@executes("arg.error_position")
def error_position(world, fact):
    called = []
    refused = S(1, 2)
    observed = attempt(
        callback(lambda *args: called.append(args)).invoke, 1, True, refused, about=True
    )
    observed.extra["callee_called"] = bool(called)
    return observed


python(
    "arg.error_position",
    Raises(TypeError, "argument 2: cannot pass"),
    "bool can be passed, so that the first refused argument is the struct; its position is told.",
)


# ---------------------------------------------------------------- as C sees them


@executes("arg.rawbits.*")
def raw_bits(world, fact):
    arg = {
        "uint64_max": np.uint64(2**64 - 1),
        "float32_0.1": np.float32(0.1),
        "float64_0.1": 0.1,
        "int_neg1": -1,
    }[fact.case.partition(".")[2]]
    return f"{world.kernel('rawbits').invoke(arg).as_int64() % 2**64:#x}"


improved(
    "arg.rawbits.uint64_max",
    Raises(OverflowError, str(2**64 - 1)),
    "C saw a negative number. A classic function has no room for more than 64 bits with a "
    "sign, and is not called.",
)


@executes("arg.count.*")
def count(world, fact):
    args = range(int(fact.case.partition(".")[2]))
    summing = callback(lambda *values: sum(value.as_int64() for value in values))
    return {
        "err_c": error_of(world.kernel("nargs").invoke, *args),
        "err_cb": error_of(summing.invoke, *args),
        "nargs_c": world.kernel("nargs").invoke(*args).as_int64(),
        "sum_cb": summing.invoke(*args).as_int64(),
    }
