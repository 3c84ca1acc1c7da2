# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``value_test.go``: a value goes through two functions and comes back."""

import random

import numpy as np

import tvmgo
from conformance.catalogue import counterpart
from conformance.library import callback, registered


def loop(x):
    """Send a value to a function that forwards it to a closure, which gives it back."""
    with registered(
        lambda *args: args[0].as_function().invoke(list(args[1:])), "sampleFunctionArg", values=True
    ):
        function = tvmgo.get_global_function("sampleFunctionArg")
        return function.invoke(callback(lambda value: value), x)


@counterpart("tests.TestValueLoopInt64")
def value_loop_int64():
    x = random.Random(0).getrandbits(63)
    assert loop(x).as_int64() == x


@counterpart("tests.TestValueLoopInt32")
def value_loop_int32():
    x = np.int32(random.Random(0).getrandbits(31))
    assert loop(x).as_int64() == x


@counterpart("tests.TestValueLoopFloat32")
def value_loop_float32():
    x = np.random.default_rng(0).random(dtype=np.float32)
    assert loop(x).as_float64() == float(x)


@counterpart("tests.TestValueLoopFloat64")
def value_loop_float64():
    x = random.Random(0).random()
    assert loop(x).as_float64() == x


@counterpart("tests.TestValueLoopString")
def value_loop_string():
    assert loop("TestString").as_str() == "TestString"


@counterpart("tests.TestValueLoopByteSlice")
def value_loop_byte_slice():
    x = random.Random(0).randbytes(1024)
    assert loop(x).as_bytes() == x
