# SPDX-License-Identifier: Apache-2.0
"""``ret``: what a callback and a kernel can give back, and how it arrives."""

import copy
import ctypes

import numpy as np

import tvmgo
from conformance import library
from conformance.catalogue import counterpart
from conformance.counterparts.arguments import MyInt, S
from conformance.library import callback
from conformance.outcome import Observed, TypeCode, attempt

RESULTS = {
    "nil_Value": lambda: None,
    "int8_neg": lambda: np.int8(-5),
    "uint64_max": lambda: np.uint64(2**64 - 1),
    "int64_min": lambda: np.int64(-(2**63)),
    "float32": lambda: np.float32(0.1),
    "float64": lambda: 0.1,
    "string": lambda: "text",
    "string_empty": lambda: "",
    "bytes": lambda: b"\0\1\2",
    "bytes_empty": lambda: b"",
    "bytes_nil": lambda: b"",
    "bool": lambda: True,
    "struct": lambda: S(1, 2),
    "slice_int": lambda: [1],
    "map": lambda: {"a": 1},
    "nil_Module": lambda: None,
    "nil_callback": lambda: None,
    "rune": lambda: ord("A"),
    "device": lambda: tvmgo.cpu(0),
    "named_int": lambda: MyInt(5),
    "ptr_int": lambda: ctypes.pointer(ctypes.c_int64(1)),
    "Function": lambda: library.kernel("ret_int"),
    "Module": lambda: library.deploy(),
}


@counterpart(*[f"ret.{case}" for case in RESULTS])
def result(fact):
    given = RESULTS[fact.case]()
    return attempt(callback(lambda: given).invoke, about=given)


@counterpart("ret.error_as_value")
def exception_returned():
    error = RuntimeError("x")
    value = callback(lambda: error).invoke()
    return {"type_code": TypeCode(value.type_code), "is_it": value.to_python() is error}


@counterpart("ret.Function_by_value")
def function_by_value():
    handle = library.kernel("ret_int")
    return attempt(callback(lambda: copy.copy(handle)).invoke, about=handle)


@counterpart("ret.Array")
def array():
    value = callback(lambda: tvmgo.array([1, 2], "float32")).invoke()
    return {"type_code": TypeCode(value.type_code), "content": value.as_array().numpy()}


@counterpart("ret.array.use")
def array_used():
    value = callback(lambda: tvmgo.array([1, 2], "float32")).invoke()
    total = tvmgo.empty([2])
    library.kernel("myadd").invoke(value, value, total)
    return {
        "tensor_info": library.kernel("tensor_info").invoke(value).as_int64(),
        "myadd": total.numpy(),
        "returned_code": TypeCode(value.type_code),
    }


# ---------------------------------------------------------------- kernels


@counterpart("ret.kernel.*")
def kernel(fact):
    return library.kernel(fact.case.partition(".")[2]).invoke()


@counterpart("ret.C.int")
def kernel_int():
    value = library.kernel("ret_int").invoke()
    return {"AsInt64": value.as_int64(), "code": TypeCode(value.type_code)}


# ---------------------------------------------------------------- arguments given back


@counterpart("ret.forward_arg.*")
def argument_given_back(fact):
    seen = {}

    def give_back(value):
        seen["arg"] = value
        seen["code_at_callee"] = TypeCode(value.type_code)
        return value

    value = callback(give_back).invoke(library.returned(fact.case.partition(".")[2]))
    return {
        "code_at_callee": seen["code_at_callee"],
        "code_of_arg_after": TypeCode(seen["arg"].type_code),
        "code_of_result": TypeCode(value.type_code),
    }


@counterpart("ret.forward_arg.string_text")
def string_given_back():
    return callback(lambda value: value).invoke("text").as_str()


@counterpart("ret.forward_arg.bytes_data")
def bytes_given_back():
    return callback(lambda value: value).invoke(b"\x09\x00\x08").as_bytes()


@counterpart("ret.forward_arg.by_value")
def value_given_back():
    value = callback(lambda value: value).invoke(42)
    return {"AsInt64": value.as_int64(), "code": TypeCode(value.type_code)}


# ---------------------------------------------------------------- functions


@counterpart("ret.closure.captures")
def closure_captures():
    def counter():
        calls = 0

        def count():
            nonlocal calls
            calls += 1
            return calls

        return count

    count = callback(counter).invoke().as_function()
    return [count.invoke().as_int64() for _ in range(3)]


@counterpart("ret.c_calls_callback")
def c_calls_callback():
    summing = callback(lambda a, b: a.as_int64() + b.as_int64())
    return library.kernel("call_func").invoke(summing, 30, 12).as_int64()


@counterpart("ret.panic_in_callback")
def panic():
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
