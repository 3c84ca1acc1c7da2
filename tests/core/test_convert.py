# SPDX-License-Identifier: Apache-2.0
"""What crosses the border, and how: every kind of argument and result, at its limits."""

import array
import collections
import decimal
import enum
import fractions
import math
import struct
import sys
import threading
import time

import ml_dtypes
import numpy as np
import pytest

import tvmgo
from tests.helpers import Exporter, OldExporter, address_of

# The runtime's type indices, as a callee sees them (tvm/ffi/c_api.h).
NONE, INT, BOOL, FLOAT, POINTER, DTYPE, DEVICE, RAW_STR, BYTE_ARRAY = 0, 1, 2, 3, 4, 5, 6, 8, 9
SMALL_STR, SMALL_BYTES, STR, BYTES, ERROR, FUNCTION = 11, 12, 65, 66, 67, 68
TENSOR, ARRAY, MAP, MODULE, BIG_INT = 70, 71, 72, 73, 78

identity = tvmgo.convert_function(lambda x: x)
identity_of_values = tvmgo.convert_function(lambda x: x, values=True)


@pytest.fixture(params=["kernel", "callback", "callback below", "callback with values", "value"])
def through(request, kernels):
    """Every way a value can take through the runtime and back."""
    return {
        "kernel": lambda x: kernels["echo"](x),
        "callback": identity,
        # A callback called by Python may be called directly; from below it never is.
        "callback below": lambda x: kernels["forward"](identity, x),
        "callback with values": identity_of_values,
        "value": lambda x: tvmgo.Value(x).to_python(),
    }[request.param]


# ---------------------------------------------------------------- numbers


INTS = [0, 1, -1, 255, -256, 2**31, -(2**31) - 1, 2**32, 2**62, 2**63 - 1, -(2**63)]
BIG_INTS = [
    2**63,
    -(2**63) - 1,
    2**64 - 1,
    2**64,
    -(2**64),
    2**127 - 1,
    2**127,
    -(2**127),
    -(2**127) - 1,
    2**128,
    2**191,
    2**200,
    -(2**200),
    10**1000,
    -(10**1000),
]


@pytest.mark.parametrize("number", INTS, ids=str)
def test_int_comes_back(through, number):
    answer = through(number)
    assert type(answer) is int
    assert answer == number


@pytest.mark.parametrize("number", INTS, ids=str)
def test_int_of_64_bits_travels_as_an_int(kernels, number):
    assert kernels["type_index"](number) == INT
    assert kernels["cell_bits"](number) == number


@pytest.mark.parametrize(
    "number", BIG_INTS, ids=lambda n: f"{n.bit_length()} bits, {'-' if n < 0 else '+'}"
)
def test_big_int_comes_back(through, number):
    answer = through(number)
    assert type(answer) is int
    assert answer == number


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**200], ids=str)
def test_int_outside_64_bits_travels_as_a_big_int(kernels, number):
    assert kernels["type_index"](number) == BIG_INT


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64 - 1], ids=str)
def test_int_outside_64_bits_for_a_function_of_ints_raises_and_does_not_wrap(kernels, number):
    with pytest.raises(ValueError, match="takes ints"):
        kernels["sum_ints"](number)


@pytest.mark.parametrize("value", [True, False])
def test_bool_comes_back(through, value):
    assert through(value) is value


def test_bool_travels_as_a_bool(kernels):
    assert (
        kernels["type_index"](True),
        kernels["cell_bits"](True),
        kernels["cell_bits"](False),
    ) == (BOOL, 1, 0)


FLOATS = [
    0.0,
    1.5,
    0.1,
    -2.5,
    math.inf,
    -math.inf,
    sys.float_info.max,
    sys.float_info.min,
    5e-324,
    -5e-324,
    2.0**53 + 2,
]


@pytest.mark.parametrize("number", FLOATS, ids=str)
def test_float_comes_back(through, number):
    answer = through(number)
    assert type(answer) is float
    assert answer == number


@pytest.mark.parametrize(
    "bits",
    [
        0x8000000000000000,
        0x7FF8000000000000,
        0xFFF8000000000000,
        0x7FF8000000000123,
        0x0000000000000001,
    ],
    ids=["-0", "nan", "-nan", "nan payload", "denormal"],
)
def test_float_keeps_its_bits(kernels, through, bits):
    number = struct.unpack("=d", struct.pack("=Q", bits))[0]
    assert struct.pack("=d", through(number)) == struct.pack("=Q", bits)


@pytest.mark.parametrize("number", FLOATS, ids=str)
def test_float_travels_as_a_float(kernels, number):
    assert kernels["type_index"](number) == FLOAT
    assert kernels["cell_bits"](number) == struct.unpack("=q", struct.pack("=d", number))[0]


def test_none_comes_back(through):
    assert through(None) is None


def test_none_travels_as_none(kernels):
    assert kernels["type_index"](None) == NONE


class Color(enum.IntEnum):
    RED = 7


class Flag(enum.IntFlag):
    A = 8


class StringEnum(str, enum.Enum):
    NAME = "name of a colour"


class MyInt(int):
    pass


class MyFloat(float):
    pass


class MyStr(str):
    pass


class MyBytes(bytes):
    pass


class Index:
    def __init__(self, answer):
        self.answer = answer

    def __index__(self):
        return self.answer


class Float:
    def __init__(self, answer):
        self.answer = answer

    def __float__(self):
        return self.answer


@pytest.mark.parametrize(
    "number, expected",
    [
        (np.int8(-5), -5),
        (np.int64(2**63 - 1), 2**63 - 1),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.intp(3), 3),
        (Color.RED, 7),
        (Flag.A, 8),
        (MyInt(9), 9),
        (MyInt(2**70), 2**70),
        (Index(5), 5),
        (Index(2**100), 2**100),
    ],
    ids=lambda x: f"{type(x).__name__}({x})" if not isinstance(x, Index) else "index",
)
def test_integer_like_comes_back_as_int(through, number, expected):
    answer = through(number)
    assert type(answer) is int
    assert answer == expected


@pytest.mark.parametrize(
    "number",
    [np.int8(5), np.uint64(5), Color.RED, MyInt(9), Index(5)],
    ids=lambda x: type(x).__name__,
)
def test_integer_like_travels_as_an_int(kernels, number):
    assert kernels["type_index"](number) == INT


@pytest.mark.parametrize(
    "number, expected",
    [
        (np.float16(1.5), 1.5),
        (np.float32(0.1), 0.10000000149011612),
        (np.float64(0.1), 0.1),
        (np.longdouble(1.5), 1.5),
        (ml_dtypes.bfloat16(1.5), 1.5),
        (ml_dtypes.float8_e4m3fn(1.5), 1.5),
        (MyFloat(2.5), 2.5),
        (decimal.Decimal("0.1"), 0.1),
        (fractions.Fraction(1, 4), 0.25),
        (Float(0.5), 0.5),
    ],
    ids=lambda x: type(x).__name__,
)
def test_float_like_comes_back_as_float(through, number, expected):
    answer = through(number)
    assert type(answer) is float
    assert answer == expected


@pytest.mark.parametrize("value", [True, False])
def test_numpy_bool_comes_back_as_bool(through, value):
    assert through(np.bool_(value)) is value


@pytest.mark.parametrize("x", [1j, np.complex64(1 + 2j), np.complex128(1)], ids=repr)
def test_complex_raises_type_error(kernels, x):
    with pytest.raises(TypeError):
        kernels["echo"](x)


@pytest.mark.parametrize("answer", [2.5, "2", None, b"2", 1j, object()], ids=repr)
def test_index_that_returns_no_int_raises_type_error(kernels, answer):
    with pytest.raises(TypeError):
        kernels["echo"](Index(answer))


@pytest.mark.parametrize("answer", ["2", None, b"2", 1j, object()], ids=repr)
def test_float_method_that_returns_no_float_raises_type_error(kernels, answer):
    with pytest.raises(TypeError):
        kernels["echo"](Float(answer))


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
    with pytest.raises(TypeError, match="made by tvmgo.s functions"):
        tvmgo.Pointer(1)


# ---------------------------------------------------------------- arrays


ACCEPTED = [
    lambda x: x,
    tvmgo.array,
    Exporter,
    OldExporter,
    tvmgo.from_dlpack,
    lambda x: tvmgo.Value(x),
]
ACCEPTED_IDS = ["ndarray", "Array", "dlpack", "old dlpack", "shared", "Value"]


@pytest.mark.parametrize("make", ACCEPTED, ids=ACCEPTED_IDS)
def test_array_like_travels_as_a_tensor(kernels, make):
    assert kernels["type_index"](make(np.zeros(3, np.float32))) == TENSOR


@pytest.mark.parametrize("make", ACCEPTED, ids=ACCEPTED_IDS)
def test_array_like_arrives_with_its_elements(make):
    source = np.arange(6, dtype=np.int16).reshape(2, 3)
    received = identity(make(source))
    assert type(received) is tvmgo.Array
    assert received.numpy().tolist() == source.tolist()
    assert received.dtype == "int16"


@pytest.mark.parametrize(
    "make",
    [lambda x: x, Exporter, OldExporter, tvmgo.from_dlpack, lambda x: tvmgo.Value(x)],
    ids=["ndarray", "dlpack", "old dlpack", "shared", "Value"],
)
def test_array_like_is_shared_not_copied(make):
    source = np.zeros(4)
    assert address_of(identity(make(source))) == source.ctypes.data


def test_array_passed_through_is_the_same_tensor(kernels):
    array = tvmgo.empty(4)
    assert identity(array) == array
    assert kernels["echo"](array) == array


def test_ndarray_subclass_travels_as_a_tensor(kernels):
    class Mine(np.ndarray):
        pass

    assert kernels["type_index"](np.zeros(3).view(Mine)) == TENSOR


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (2, 3), (1,) * 64], ids=lambda s: f"{len(s)}d")
def test_ndarray_of_any_shape_arrives(kernels, shape):
    source = np.zeros(shape, np.int32)
    assert identity(source).shape == shape
    assert kernels["tensor_ndim"](source) == len(shape)


def test_kernel_writes_into_an_ndarray(kernels):
    x, y, out = np.arange(4, dtype=np.float32), np.full(4, 10, np.float32), np.zeros(4, np.float32)
    kernels["myadd"](x, y, out)
    assert out.tolist() == [10, 11, 12, 13]


@pytest.mark.parametrize("offset", [0, 1, 3, 16])
@pytest.mark.parametrize(
    "make", [lambda x: x, tvmgo.from_dlpack, Exporter], ids=["ndarray", "Array", "dlpack"]
)
def test_kernel_writes_into_memory_of_any_alignment(kernels, make, offset):
    memory = np.zeros(100, np.float32)
    out = memory[offset : offset + 4]
    kernels["myadd"](make(out), make(np.ones(4, np.float32)), make(out))
    assert out.tolist() == [1, 1, 1, 1]
    assert memory.sum() == 4


def test_kernel_given_one_misaligned_array_twice_sees_one_array(kernels):
    x = np.ones(4, np.float32)[0:]
    for _ in range(3):
        kernels["myadd"](x, x, x)
    assert x.tolist() == [8, 8, 8, 8]


def test_copies_for_a_kernel_are_one_for_one_piece_of_memory_and_separate_for_others(kernels):
    memory = np.asarray(tvmgo.array(np.arange(20, dtype=np.float32)))
    x = memory[1:5]

    def show(a, b):
        return [address_of(a) == address_of(b), str(b.dtype), b.numpy().tolist()]

    forward = kernels["forward"]
    assert forward(show, x, memory[1:5]) == [True, "float32", [1, 2, 3, 4]]
    assert forward(show, x, memory[1:4]) == [False, "float32", [1, 2, 3]]
    assert forward(show, x, memory[1:9:2]) == [False, "float32", [1, 3, 5, 7]]
    assert forward(show, x, x.view("int32")) == [True, "int32", x.view("int32").tolist()]
    assert forward(show, x, x.reshape(2, 2)) == [True, "float32", [[1, 2], [3, 4]]]


def test_kernel_that_fails_leaves_nothing_behind(kernels):
    with pytest.raises(ValueError):
        kernels["myadd"](np.ones(4, np.float32), np.ones(5, np.float32), np.ones(4, np.float32))


def test_kernel_given_memory_it_only_reads_leaves_it_alone(kernels):
    x = np.array([0x7FA00001], np.uint32).view(np.float32)  # a NaN that a computation would change
    before = x.tobytes()
    kernels["tensor_ndim"](x)
    assert x.tobytes() == before


@pytest.mark.parametrize("offset", [0, 1, 3, 16, 20])
def test_kernel_sees_aligned_memory_whatever_it_is_given(kernels, offset):
    memory = np.asarray(tvmgo.empty(100))
    assert kernels["tensor_address"](memory[offset : offset + 4]) % 64 == 0


def test_kernel_that_comes_back_from_elsewhere_sees_aligned_memory(kernels):
    back = tvmgo.convert_function(lambda function: [function])(kernels["tensor_address"])[0]
    memory = np.asarray(tvmgo.empty(100))
    assert back(memory[1:5]) % 64 == 0
    assert back.prepare(memory[1:5])() % 64 == 0


def test_kernel_sees_aligned_compact_memory_itself_not_a_copy(kernels):
    array = tvmgo.empty(100)
    assert kernels["tensor_address"](array) == address_of(array)
    assert kernels["tensor_address"](np.asarray(array)) == address_of(array)


@pytest.mark.parametrize(
    "view",
    [lambda m: m[:, ::2], lambda m: m.T, lambda m: m[::-1], lambda m: m[1:, 1:]],
    ids=["steps", "transposed", "reversed", "corner"],
)
def test_kernel_sees_a_strided_array_compact(kernels, view):
    source = view(np.arange(12, dtype=np.float32).reshape(3, 4))
    assert kernels["tensor_stride"](source, 1) == 1
    assert (
        kernels["tensor_stride"](source, 0)
        == kernels["tensor_extent"](source, 1)
        == source.shape[1]
    )
    assert kernels["tensor_dtype"](source) == "float32"


@pytest.mark.parametrize(
    "view",
    [lambda m: m[::2], lambda m: m[3::-1], lambda m: m[1:5]],
    ids=["steps", "reversed", "corner"],
)
def test_kernel_writes_into_a_strided_array_and_leaves_the_gaps(kernels, view):
    memory = np.zeros(8, np.float32)
    expected = memory.copy()
    view(expected)[:] = [1, 2, 3, 4]
    kernels["myadd"](np.array([1, 2, 3, 4], np.float32), np.zeros(4, np.float32), view(memory))
    assert memory.tolist() == expected.tolist()


def test_kernel_that_writes_through_one_of_two_overlapping_views_keeps_what_it_wrote(kernels):
    memory = np.arange(9, dtype=np.float32)
    kernels["myadd"](memory[1:5], memory[1:5], memory[3:7])
    assert memory.tolist() == [0, 1, 2, 2, 4, 6, 8, 7, 8]


def test_memory_that_python_writes_while_a_kernel_runs_keeps_what_it_wrote(kernels):
    memory = np.zeros(10, np.float32)[1:]

    def write(x):
        memory[0] = 5  # not through x, which may be a copy

    kernels["forward"](write, memory)
    assert memory.tolist() == [5, 0, 0, 0, 0, 0, 0, 0, 0]


def test_memory_that_another_thread_writes_while_a_kernel_runs_keeps_what_it_wrote(kernels):
    memory = np.zeros(10, np.float32)[1:]
    started = threading.Event()

    def wait(x):
        started.set()
        time.sleep(0.1)

    def write():
        started.wait()
        memory[0] = 5

    thread = threading.Thread(target=write)
    thread.start()
    kernels["forward"](wait, memory)
    thread.join()
    assert memory[0] == 5


def test_kernel_writes_of_a_nan_and_of_minus_zero_arrive_bit_for_bit(kernels):
    x = np.array([0x80000000, 0x7FC00123], np.uint32).view(np.float32)
    out = np.zeros(3, np.float32)[1:]
    kernels["myadd"](x, x, out)
    assert out.view(np.uint32).tolist() == (x + x).view(np.uint32).tolist()


@pytest.mark.parametrize(
    "view",
    [lambda m: m[:, ::2], lambda m: m.T, lambda m: m[::-1]],
    ids=["steps", "transposed", "reversed"],
)
def test_strided_ndarray_arrives_with_its_strides(view):
    source = view(np.arange(12, dtype=np.int32).reshape(3, 4))
    received = identity(source)
    assert received.strides == tuple(step // 4 for step in source.strides)
    assert received.numpy().tolist() == source.tolist()


def read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "x",
    [
        read_only(np.zeros(3)),
        np.broadcast_to(1.0, 3),
        np.frombuffer(bytes(8)),
        Exporter(read_only(np.zeros(3))),
    ],
    ids=["flag", "broadcast", "of bytes", "dlpack"],
)
def test_read_only_array_raises_buffer_error(kernels, x):
    with pytest.raises(BufferError, match="read-only") as caught:
        kernels["nargs"](x)
    assert isinstance(caught.value, tvmgo.TVMError)


@pytest.mark.parametrize(
    "dtype",
    [">f4", "M8[s]", "m8[s]", "U3", "S3", "O", [("a", "f4")], np.longdouble, "V3", ml_dtypes.int4],
    ids=str,
)
def test_ndarray_of_elements_no_array_holds_raises_type_error(kernels, dtype):
    with pytest.raises(TypeError):
        kernels["nargs"](np.zeros(2, dtype))


def test_ndarray_with_strides_of_half_an_element_raises_value_error(kernels):
    with pytest.raises(ValueError, match="argument 1: .*multiples"):
        kernels["nargs"](0, np.zeros(3, [("a", "f4"), ("b", "i1")])["a"])


def test_array_result_holds_its_memory(kernels):
    results = [tvmgo.convert_function(lambda i: np.full(100, i))(i) for i in range(50)]
    assert [result.numpy()[99] for result in results] == list(range(50))


def test_array_kept_by_a_callback_outlives_the_call():
    kept = []
    tvmgo.convert_function(kept.append)(np.arange(1000))
    assert kept[0].numpy().sum() == 499500


# ---------------------------------------------------------------- tensors on a kernel's stack


@pytest.mark.parametrize("step", [1, 2], ids=["compact", "strided"])
def test_stack_tensor_arrives_as_an_array_with_its_elements(kernels, step):
    received = []
    assert (
        kernels["call_with_stack_tensor"](lambda x: received.append(x.numpy().tolist()), step) == 10
    )
    assert received == [[1, 2, 3, 4]]


@pytest.mark.parametrize("step", [1, 2], ids=["compact", "strided"])
def test_stack_tensor_receives_what_the_callback_writes(kernels, step):
    def double(x):
        np.asarray(x)[:] *= 2

    assert kernels["call_with_stack_tensor"](double, step) == 20


@pytest.mark.parametrize("step", [1, 2], ids=["compact", "strided"])
def test_stack_tensor_receives_what_a_callback_with_values_writes(kernels, step):
    def double(value):
        np.asarray(value.as_array())[:] *= 2

    assert (
        kernels["call_with_stack_tensor"](tvmgo.convert_function(double, values=True), step) == 20
    )


def test_stack_tensor_kept_by_the_callback_does_not_dangle(kernels):
    kept = []
    kernels["call_with_stack_tensor"](kept.append, 1)
    assert kept[0].numpy().tolist() == [1, 2, 3, 4]


def test_stack_tensor_as_a_result_does_not_dangle(kernels):
    kept = []
    kernels["call_with_stack_tensor"](lambda x: kept.append(tvmgo.Value(x)), 1)
    assert kept[0].as_array().numpy().tolist() == [1, 2, 3, 4]


def test_stack_tensor_of_a_callback_that_raises_is_not_changed(kernels):
    def fail(x):
        np.asarray(x)[:] = 100
        raise KeyError("no")

    with pytest.raises(KeyError):
        kernels["call_with_stack_tensor"](fail, 1)


# ---------------------------------------------------------------- other objects


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
