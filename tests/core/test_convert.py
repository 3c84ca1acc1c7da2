# SPDX-License-Identifier: Apache-2.0
"""What crosses the border as which type, what cannot, and who holds it meanwhile."""

import array
import collections
import sys

import numpy as np
import pytest

import tvmgo
from tests.core.conversion import (
    ARRAY,
    DEVICE,
    DTYPE,
    ERROR,
    FLOAT,
    FUNCTION,
    MAP,
    MODULE,
    NONE,
    STR,
    TENSOR,
    Float,
    Index,
    MyStr,
    identity,
)
from tests.helpers import Exporter


@pytest.mark.parametrize(
    "make, index",
    [
        (lambda k: tvmgo.cuda(1), DEVICE),
        (lambda k: tvmgo.DType("int8"), DTYPE),
        (lambda k: tvmgo.empty(1), TENSOR),
        (lambda k: identity, FUNCTION),
        (lambda k: k, MODULE),
        (lambda k: [], ARRAY),
        (lambda k: (), ARRAY),
        (lambda k: {}, MAP),
        (lambda k: print, FUNCTION),
        (lambda k: ValueError("x"), ERROR),
        (lambda k: tvmgo.Value(2.5), FLOAT),
        (lambda k: tvmgo.Value("a long text"), STR),
        (lambda k: tvmgo.Value(None), NONE),
        (lambda k: int, FUNCTION),
        (lambda k: tvmgo.Value, FUNCTION),
    ],
    ids=[
        "device",
        "dtype",
        "array",
        "function",
        "module",
        "list",
        "tuple",
        "dict",
        "callable",
        "exception",
        "float value",
        "str value",
        "None value",
        "class",
        "our class",
    ],
)
def test_argument_travels_as_its_type(kernels, make, index):
    assert kernels["type_index"](make(kernels)) == index


@pytest.mark.parametrize(
    "make",
    [
        lambda k: tvmgo.cuda(1),
        lambda k: tvmgo.DType("int8"),
        lambda k: tvmgo.empty(1),
        lambda k: identity,
        lambda k: k,
    ],
    ids=["device", "dtype", "array", "function", "module"],
)
def test_object_comes_back_equal(kernels, through, make):
    x = make(kernels)
    answer = through(x)
    assert type(answer) is type(x)
    assert answer == x


@pytest.mark.parametrize(
    "x",
    [
        object(),
        1j,
        {1, 2},
        frozenset(),
        range(3),
        iter([]),
        (i for i in ()),
        slice(3),
        Ellipsis,
        NotImplemented,
        type("Mine", (), {})(),
        sys,
        collections.deque(),
        array.array("i", [1]),
    ],
    ids=lambda x: type(x).__name__,
)
def test_object_that_cannot_be_passed_raises_type_error(kernels, x):
    module = type(x).__module__
    name = f"{'' if module == 'builtins' else module + '.'}{type(x).__name__}"
    with pytest.raises(TypeError, match=f"^argument 0: cannot pass {name}; expected None, bool"):
        kernels["nargs"](x)


@pytest.mark.parametrize("name", ["float32", "int8", "bool", "complex64"])
def test_numpy_dtype_arrives_as_dtype(through, name):
    received = through(np.dtype(name))
    assert type(received) is tvmgo.DType and received == name


def test_numpy_dtype_no_tensor_can_have_is_refused(kernels):
    with pytest.raises(TypeError, match="argument 1: dtype: .*M8"):
        kernels["nargs"](0, np.dtype("datetime64[s]"))


def test_object_that_cannot_be_passed_prevents_the_call():
    calls = []
    with pytest.raises(TypeError):
        tvmgo.convert_function(lambda *args: calls.append(args))(1, object())
    assert calls == []


def test_result_that_cannot_be_passed_raises_type_error(kernels):
    message = "^the return value of the callback: cannot pass object; expected None, bool"
    callback = tvmgo.convert_function(object)
    for call in (callback, callback.invoke, lambda: kernels["forward"](callback)):
        with pytest.raises(tvmgo.TVMTypeError, match=message):
            call()


def test_object_with_number_and_call_is_a_number(kernels):
    class Both:
        def __index__(self):
            return 5

        def __call__(self):
            raise AssertionError("called")

    assert kernels["echo"](Both()) == 5


def test_object_with_dlpack_and_float_is_an_array(kernels):
    class Both(Exporter):
        def __float__(self):
            raise AssertionError("asked for a float")

    assert kernels["type_index"](Both(np.zeros(1))) == TENSOR


def test_object_with_only_dlpack_device_is_a_device(kernels):
    class Place:
        def __dlpack_device__(self):
            return 2, 1

    assert kernels["echo"](Place()) == tvmgo.cuda(1)


def test_class_that_changes_its_protocol_is_not_misread(kernels):
    class Changing:
        def __index__(self):
            return 5

    assert kernels["echo"](Changing()) == 5
    del Changing.__index__
    Changing.__float__ = lambda self: 2.5
    with pytest.raises((AttributeError, TypeError)):
        assert kernels["echo"](Changing()) == 2.5
        raise TypeError("noticed, which is as good")


def test_many_classes_do_not_pile_up(kernels):
    for number in range(3000):
        assert kernels["echo"](type("Fresh", (int,), {})(number)) == number


@pytest.mark.parametrize(
    "x", [5, 2**70, 2.5, "a text", b"some bytes", None, True, "🎉", b""], ids=repr
)
def test_reference_count_of_an_argument_stays(kernels, x):
    before = sys.getrefcount(x)
    for _ in range(100):
        kernels["nargs"](x, x)
    assert abs(sys.getrefcount(x) - before) < 50


@pytest.mark.parametrize(
    "make",
    [
        lambda: "a text of its own"[:-1] + "!",
        lambda: bytes(bytearray(b"some bytes")),
        lambda: 2**70 + 1,
        lambda: [1, "two"],
        lambda: {"a": 1},
        lambda: np.zeros(3),
        lambda: tvmgo.empty(3),
        lambda: Exporter(np.zeros(3)),
        lambda: lambda: 0,
        lambda: ValueError("x"),
        lambda: bytearray(10),
        lambda: tvmgo.ByteArray(bytearray(10)),
        lambda: tvmgo.Value("x" * 20),
        lambda: tvmgo.cpu(),
        lambda: tvmgo.DType("int8"),
        lambda: Index(5),
        lambda: Float(2.5),
        lambda: MyStr("text"),
    ],
    ids=[
        "str",
        "bytes",
        "big int",
        "list",
        "dict",
        "ndarray",
        "Array",
        "dlpack",
        "callable",
        "exception",
        "bytearray",
        "ByteArray",
        "Value",
        "Device",
        "DType",
        "index",
        "float",
        "str subclass",
    ],
)
def test_reference_count_of_a_passed_object_is_unchanged(kernels, make):
    x = make()
    before = sys.getrefcount(x)
    for _ in range(10):
        kernels["nargs"](x, x)
        identity(x)
    assert sys.getrefcount(x) == before
