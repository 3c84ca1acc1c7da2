# SPDX-License-Identifier: Apache-2.0
"""``ret``: what a callback and a kernel can give back, and how it arrives."""

import copy
import ctypes

import numpy as np

import tvmgo
from conformance.catalogue import Gives, executes, improved, python
from conformance.counterparts.arguments import CONTAINERS, NUMBERS_AND_NONE, SUBCLASSES, MyInt, S
from conformance.outcome import Observed, TypeCode, attempt
from conformance.world import callback

RESULTS = {
    "nil_Value": lambda world: None,
    "int8_neg": lambda world: np.int8(-5),
    "uint64_max": lambda world: np.uint64(2**64 - 1),
    "int64_min": lambda world: np.int64(-(2**63)),
    "float32": lambda world: np.float32(0.1),
    "float64": lambda world: 0.1,
    "string": lambda world: "text",
    "string_empty": lambda world: "",
    "bytes": lambda world: b"\0\1\2",
    "bytes_empty": lambda world: b"",
    "bytes_nil": lambda world: b"",
    "bool": lambda world: True,
    "struct": lambda world: S(1, 2),
    "slice_int": lambda world: [1],
    "map": lambda world: {"a": 1},
    "nil_Module": lambda world: None,
    "nil_callback": lambda world: None,
    "rune": lambda world: ord("A"),
    "device": lambda world: tvmgo.cpu(0),
    "named_int": lambda world: MyInt(5),
    "ptr_int": lambda world: ctypes.pointer(ctypes.c_int64(1)),
    "Function": lambda world: world.kernel("ret_int"),
    "Module": lambda world: world.deploy,
}


@executes(*[f"ret.{case}" for case in RESULTS])
def result(world, fact):
    given = RESULTS[fact.case](world)
    return attempt(callback(lambda: given).invoke, about=given)


def comes_back(code, **content):
    """The caller gets a Value of this type code."""
    return Gives({"type_code": TypeCode(code), **content})


improved("ret.uint64_max", comes_back(8, holds=2**64 - 1))
improved("ret.nil_Module", comes_back(4), "A typed nil pointer panicked. Python has one None.")
improved(
    "ret.nil_callback",
    comes_back(4),
    "A nil function was accepted, and panicked when it was called. Python has one None.",
)
improved(
    "ret.device",
    comes_back(6, holds=tvmgo.cpu(0)),
    "gotvm had no way to return a device, which the runtime can carry.",
)
python("ret.bool", comes_back(0, AsInt64=1, holds=True), NUMBERS_AND_NONE)
python("ret.slice_int", comes_back(8, holds=[1]), CONTAINERS)
python("ret.map", comes_back(8, holds={"a": 1}), CONTAINERS)
python("ret.named_int", comes_back(0, AsInt64=5), SUBCLASSES)


@executes("ret.error_as_value")
def exception_returned(world, fact):
    error = RuntimeError("x")
    value = callback(lambda: error).invoke()
    return {"type_code": TypeCode(value.type_code), "is_it": value.to_python() is error}


python(
    "ret.error_as_value",
    Gives(
        {"type_code": TypeCode(8), "is_it": True},
        "the caller gets the very exception, returned, not raised",
    ),
    "Exceptions are objects, which programs collect and pass on.",
)


@executes("ret.Function_by_value")
def function_by_value(world, fact):
    handle = world.kernel("ret_int")
    return attempt(callback(lambda: copy.copy(handle)).invoke, about=handle)


@executes("ret.Array")
def array(world, fact):
    value = callback(lambda: tvmgo.array([1, 2], "float32")).invoke()
    return {"type_code": TypeCode(value.type_code), "content": value.as_array().numpy()}


improved(
    "ret.Array",
    Gives(
        {"type_code": TypeCode(7), "content": [1, 2]},
        "`as_array()` reads it, though the callback dropped its own",
    ),
)


@executes("ret.array.use")
def array_used(world, fact):
    value = callback(lambda: tvmgo.array([1, 2], "float32")).invoke()
    total = tvmgo.empty([2])
    world.kernel("myadd").invoke(value, value, total)
    return {
        "tensor_info": world.kernel("tensor_info").invoke(value).as_int64(),
        "myadd": total.numpy(),
        "returned_code": TypeCode(value.type_code),
    }


improved(
    "ret.array.use",
    Gives(
        {"tensor_info": 1200321, "myadd": [2, 4], "returned_code": TypeCode(7)},
        "gives the right sums, and the Value stays the array it was",
    ),
)


# ---------------------------------------------------------------- kernels


@executes("ret.kernel.*")
def kernel(world, fact):
    return world.kernel(fact.case.partition(".")[2]).invoke()


improved(
    "ret.kernel.ret_str",
    comes_back(11, AsStr="from-c"),
    "The runtime refused text from C, because nobody owned it. It is copied when the call returns.",
)
improved(
    "ret.kernel.ret_dtype",
    comes_back(5, holds=tvmgo.DType("float32x4")),
    "The runtime turned a data type into text. It stays a data type.",
)


@executes("ret.C.int")
def kernel_int(world, fact):
    value = world.kernel("ret_int").invoke()
    return {"AsInt64": value.as_int64(), "code": TypeCode(value.type_code)}


# ---------------------------------------------------------------- arguments given back


@executes("ret.forward_arg.*")
def argument_given_back(world, fact):
    seen = {}

    def give_back(value):
        seen["arg"] = value
        seen["code_at_callee"] = TypeCode(value.type_code)
        return value

    value = callback(give_back).invoke(world.returned(fact.case.partition(".")[2]))
    return {
        "code_at_callee": seen["code_at_callee"],
        "code_of_arg_after": TypeCode(seen["arg"].type_code),
        "code_of_result": TypeCode(value.type_code),
    }


def stays(fact):
    """All three codes are that of the argument."""
    kind = fact.case.partition(".")[2]
    code = TypeCode(
        {
            "null": 4,
            "int_big": 0,
            "uint": 0,
            "float": 2,
            "handle": 3,
            "device": 6,
            "dtype": 5,
            "func": 10,
            "array": 7,
        }[kind]
    )
    return Gives(
        {"code_at_callee": code, "code_of_arg_after": code, "code_of_result": code},
        f"callee, result and the argument afterwards have the type code {code}",
    )


improved("ret.forward_arg.*", stays, "Giving an argument back emptied it. It stays what it is.")


@executes("ret.forward_arg.string_text")
def string_given_back(world, fact):
    return callback(lambda value: value).invoke("text").as_str()


@executes("ret.forward_arg.bytes_data")
def bytes_given_back(world, fact):
    return callback(lambda value: value).invoke(b"\x09\x00\x08").as_bytes()


@executes("ret.forward_arg.by_value")
def value_given_back(world, fact):
    value = callback(lambda value: value).invoke(42)
    return {"AsInt64": value.as_int64(), "code": TypeCode(value.type_code)}


# ---------------------------------------------------------------- functions


@executes("ret.closure.captures")
def closure_captures(world, fact):
    def counter():
        calls = 0

        def count():
            nonlocal calls
            calls += 1
            return calls

        return count

    count = callback(counter).invoke().as_function()
    return [count.invoke().as_int64() for _ in range(3)]


@executes("ret.c_calls_callback")
def c_calls_callback(world, fact):
    summing = callback(lambda a, b: a.as_int64() + b.as_int64())
    return world.kernel("call_func").invoke(summing, 30, 12).as_int64()


@executes("ret.panic_in_callback")
def panic(world, fact):
    raised = RuntimeError("kaboom")

    def panics():
        raise raised

    observed = attempt(callback(panics).invoke)
    return Observed(
        {
            "same_object": observed.error is raised,
            "usable_after": callback(lambda: 7).invoke().as_int64(),
        }
    )


improved(
    "ret.panic_in_callback",
    Gives(
        {"same_object": True, "usable_after": 7},
        "the call raises the very exception, and the next works",
    ),
)
