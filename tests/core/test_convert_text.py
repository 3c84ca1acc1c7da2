# SPDX-License-Identifier: Apache-2.0
"""Strings, bytes and the plain results of kernels across the border."""

import numpy as np
import pytest

import tvmgo
from tests.core.conversion import (
    BOOL,
    BYTE_ARRAY,
    DEVICE,
    DTYPE,
    FLOAT,
    INT,
    NONE,
    POINTER,
    RAW_STR,
    SMALL_BYTES,
    SMALL_STR,
    STR,
    MyBytes,
    MyStr,
    StringEnum,
)

# ---------------------------------------------------------------- strings and bytes


TEXTS = [
    "",
    "a",
    "1234567",
    "12345678",
    "\0",
    "a\0b",
    "1234567\0",
    "a longer\0 text\0 with nuls",
    "größer",
    "日本語",
    "🎉",
    "🎉🎉",
    "x" * 100_000,
    "é" * 50_000,
    "\x7f\x80\xff",
    "\uffff",
    "\U0010ffff",
    "\r\n\t",
    "%s%d%n",
    "e\u0301",
    "\ufeffbom",
]


def describe(text):
    return f"{len(text)}-{text[:8]!r}"


@pytest.mark.parametrize("text", TEXTS, ids=describe)
def test_str_comes_back(through, text):
    answer = through(text)
    assert type(answer) is str
    assert answer == text


@pytest.mark.parametrize("text", TEXTS, ids=describe)
def test_str_arrives_as_its_utf8(kernels, text):
    assert kernels["str_length"](text) == len(text.encode())
    assert kernels["byte_sum"](text) == sum(text.encode())


@pytest.mark.parametrize(
    "text, index",
    [
        ("", SMALL_STR),
        ("1234567", SMALL_STR),
        ("a\0b", SMALL_STR),
        ("12345678", RAW_STR),
        ("1234\x00678", STR),
    ],
    ids=repr,
)
def test_str_travels_in_the_cheapest_form_that_carries_it(kernels, text, index):
    assert kernels["type_index"](text) == index


@pytest.mark.parametrize(
    "data",
    [b"\xff", b"\xc3", b"bad \xff\xfe bytes", b"\xed\xb3\xbf", b"\xf8\x88\x80\x80\x80"],
    ids=repr,
)
def test_str_of_bytes_that_are_no_utf8_comes_back(through, data):
    text = data.decode("utf-8", "surrogateescape")
    assert through(text) == text


@pytest.mark.parametrize("data", [b"\xff", b"bad \xff\xfe bytes"], ids=repr)
def test_str_of_bytes_that_are_no_utf8_arrives_as_these_bytes(kernels, data):
    assert kernels["byte_sum"](data.decode("utf-8", "surrogateescape")) == sum(data)


@pytest.mark.parametrize(
    "text", ["\ud800", "\udbff\udfff", "a\ud83cb", "a longer text \ud800"], ids=ascii
)
def test_str_with_a_surrogate_that_stands_for_nothing_raises_value_error(kernels, text):
    message = r"expected text, got a str with the surrogate '\\ud[0-9a-f]{3}' at "
    with pytest.raises(tvmgo.TVMValueError, match=f"^argument 1: {message}"):
        kernels["nargs"](0, text)
    with pytest.raises(tvmgo.TVMValueError, match=f"^argument 0: {message}"):
        kernels["nargs"]([text])
    with pytest.raises(tvmgo.TVMValueError, match=f"^name: {message}"):
        tvmgo.get_global_function(text)
    with pytest.raises(tvmgo.TVMValueError, match=f"^the return value of the callback: {message}"):
        tvmgo.convert_function(lambda: text)()


@pytest.mark.parametrize(
    "text",
    [MyStr("short"), MyStr("a longer text"), StringEnum.NAME, np.str_("größer text")],
    ids=lambda x: type(x).__name__,
)
def test_str_subclass_comes_back_as_str(through, text):
    answer = through(text)
    assert type(answer) is str
    assert answer == str.__str__(text)


DATA = [
    b"",
    b"a",
    b"1234567",
    b"12345678",
    b"\0",
    b"\0" * 7,
    b"\0" * 8,
    b"a\0b",
    bytes(range(256)),
    bytes(300),
    bytes(100_000),
    b"\xff\xfe",
]


@pytest.mark.parametrize("data", DATA, ids=describe)
def test_bytes_come_back(through, data):
    answer = through(data)
    assert type(answer) is bytes
    assert answer == data


@pytest.mark.parametrize("size", [*range(10), 255, 256, 300])
def test_bytes_of_any_size_arrive(kernels, size):
    data = bytes(i % 256 for i in range(size))
    assert kernels["byte_sum"](data) == sum(data)


@pytest.mark.parametrize(
    "size, index", [(0, SMALL_BYTES), (7, SMALL_BYTES), (8, BYTE_ARRAY), (300, BYTE_ARRAY)]
)
def test_bytes_travel_in_the_cheapest_form_that_carries_them(kernels, size, index):
    assert kernels["type_index"](bytes(size)) == index


def test_long_bytes_are_lent_not_copied(kernels):
    data = bytes(range(100))
    assert kernels["byte_address"](data) == np.frombuffer(data, np.uint8).ctypes.data


@pytest.mark.parametrize(
    "make",
    [
        bytearray,
        memoryview,
        lambda d: memoryview(bytearray(d)),
        MyBytes,
        np.bytes_,
        lambda d: memoryview(d + d)[::2] if len(set(d)) < 2 else memoryview(d),
    ],
    ids=["bytearray", "memoryview", "writable memoryview", "subclass", "np.bytes_", "strided"],
)
@pytest.mark.parametrize("data", [b"", b"abc", b"a longer text", bytes([7]) * 20], ids=repr)
def test_bytes_like_comes_back_as_bytes(through, make, data):
    answer = through(make(data))
    assert type(answer) is bytes
    assert answer == data


def test_bytearray_may_change_while_the_call_runs(kernels):
    data = bytearray(b"0123456789")
    assert kernels["call_then_byte_sum"](data.clear, data) == sum(b"0123456789")
    assert data == b""


@pytest.mark.parametrize("size", [0, 5, 7, 8, 256])
def test_str_result_of_a_kernel_comes_out(kernels, size):
    assert kernels["make_text"](size, 0) == bytes(range(size)).decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("size", [0, 5, 7, 8, 256])
def test_bytes_result_of_a_kernel_comes_out(kernels, size):
    assert kernels["make_text"](size, 1) == bytes(range(size))


# ---------------------------------------------------------------- plain results of kernels


@pytest.mark.parametrize(
    "index, expected",
    [
        (NONE, None),
        (INT, -7),
        (BOOL, True),
        (FLOAT, 2.5),
        (DTYPE, "float32x4"),
        (DEVICE, tvmgo.vulkan(3)),
        (RAW_STR, "raw text"),
        (BYTE_ARRAY, b"by\0tes"),
        (SMALL_STR, "sm\0ll"),
        (SMALL_BYTES, b"\0\xffsmall"),
    ],
    ids=[
        "None",
        "int",
        "bool",
        "float",
        "dtype",
        "device",
        "raw str",
        "byte array",
        "small str",
        "small bytes",
    ],
)
def test_result_of_a_kernel_is_the_python_object(kernels, index, expected):
    assert kernels["give"](index) == expected


def test_bool_result_of_a_kernel_is_a_bool(kernels):
    assert kernels["give"](BOOL) is True


@pytest.mark.parametrize("index", [13, 14, 63, -1, -(2**31)])
def test_result_of_an_unknown_type_raises_type_error(kernels, index):
    with pytest.raises(TypeError, match=f"unknown type index {index}"):
        kernels["give"](index)


def test_pointer_result_comes_out_and_can_be_passed_on(kernels):
    pointer = kernels["give"](POINTER)
    assert type(pointer) is tvmgo.Pointer
    assert pointer.address == 0x1234
    assert kernels["type_index"](pointer) == POINTER
    assert kernels["cell_bits"](pointer) == 0x1234


def test_pointers_to_one_address_are_equal(kernels):
    assert kernels["give"](POINTER) == kernels["give"](POINTER)
    assert hash(kernels["give"](POINTER)) == hash(kernels["give"](POINTER))


@pytest.mark.parametrize("other", [0x1234, None, "0x1234"], ids=repr)
def test_pointer_differs_from_what_it_is_not(kernels, other):
    assert kernels["give"](POINTER) != other


def test_pointer_repr_shows_the_address(kernels):
    assert repr(kernels["give"](POINTER)) == "<tvmgo.Pointer 0x1234>"


def test_pointer_cannot_be_made_by_python():
    with pytest.raises(TypeError, match="made by functions that return an address"):
        tvmgo.Pointer(1)
