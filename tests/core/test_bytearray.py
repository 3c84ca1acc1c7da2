# SPDX-License-Identifier: Apache-2.0
"""ByteArray: bytes lent to a callee instead of copied."""

import array
import ctypes
import mmap
import sys

import numpy as np
import pytest

import tvmgo
from tests.helpers import FORMAT, ND, SIMPLE, STRIDES, WRITABLE, name_of, raw_buffer

DATA = bytes(range(256)) + b"\0tail\0"
NUMBERS = [0, 1, 7, 8, 100]


def over_mmap(data):
    region = mmap.mmap(-1, len(data))
    region[:] = data
    return region


@pytest.mark.parametrize(
    "make",
    [
        bytes,
        bytearray,
        memoryview,
        lambda data: memoryview(bytearray(data)),
        lambda data: np.frombuffer(data, np.uint8),
        lambda data: array.array("B", data),
        over_mmap,
        lambda data: (ctypes.c_ubyte * len(data)).from_buffer_copy(data),
        lambda data: tvmgo.array(np.frombuffer(data, np.uint8)),
        tvmgo.ByteArray,
    ],
    ids=[
        "bytes",
        "bytearray",
        "memoryview",
        "writable memoryview",
        "ndarray",
        "array",
        "mmap",
        "ctypes",
        "Array",
        "ByteArray",
    ],
)
def test_byte_array_of_a_buffer_has_its_bytes(kernels, make):
    source = make(DATA)
    shared = tvmgo.ByteArray(source)
    assert bytes(shared) == DATA
    assert len(shared) == len(DATA)
    assert kernels["byte_sum"](shared) == sum(DATA)
    del shared
    if isinstance(source, mmap.mmap):
        source.close()  # nothing holds on to it any more


def test_byte_array_of_a_shaped_ndarray_has_its_bytes_in_c_order():
    source = np.arange(6, dtype=np.int32).reshape(2, 3)
    assert bytes(tvmgo.ByteArray(source)) == source.tobytes()


@pytest.mark.parametrize("size", NUMBERS)
def test_callee_reads_the_very_bytes(kernels, size):
    source = bytearray(range(size)) if size else bytearray(b"x")
    assert (
        kernels["byte_address"](tvmgo.ByteArray(source))
        == np.frombuffer(source, np.uint8).ctypes.data
    )


@pytest.mark.parametrize("size", NUMBERS)
def test_callee_of_any_size_sees_a_byte_array(kernels, size):
    assert kernels["byte_sum"](tvmgo.ByteArray(bytes(range(size)))) == sum(range(size))
    assert kernels["type_index"](tvmgo.ByteArray(bytes(size))) == 9


def test_callee_sees_later_changes(kernels):
    source = bytearray(10)
    shared = tvmgo.ByteArray(source)
    source[3] = 200
    assert kernels["byte_sum"](shared) == 200
    assert bytes(shared) == bytes(source)


def test_callback_receives_bytes():
    received = []
    tvmgo.convert_function(received.append)(tvmgo.ByteArray(DATA))
    assert received == [DATA]


def test_result_of_passing_it_through_is_bytes(kernels):
    assert kernels["echo"](tvmgo.ByteArray(DATA)) == DATA


def test_value_of_a_byte_array_keeps_a_copy():
    source = bytearray(b"0123456789")
    value = tvmgo.Value(tvmgo.ByteArray(source))
    source[0] = 0
    assert value.as_bytes() == b"0123456789"


def test_list_with_a_byte_array_carries_bytes(kernels):
    assert kernels["echo"]([tvmgo.ByteArray(DATA)]) == [DATA]


def test_source_cannot_be_resized_while_shared():
    source = bytearray(10)
    shared = tvmgo.ByteArray(source)
    with pytest.raises(BufferError):
        source.append(1)
    del shared
    source.append(1)
    assert len(source) == 11


def test_source_is_kept_alive():
    source = np.arange(10, dtype=np.uint8)
    before = sys.getrefcount(source)
    shared = tvmgo.ByteArray(source)
    assert sys.getrefcount(source) > before
    del shared
    assert sys.getrefcount(source) == before


def test_byte_array_outlives_the_name_of_its_source():
    shared = tvmgo.ByteArray(np.full(1000, 7, np.uint8))
    assert bytes(shared) == b"\7" * 1000


@pytest.mark.parametrize("source", [None, 5, "text", [1, 2], object()], ids=name_of)
def test_byte_array_of_no_buffer_raises_type_error(source):
    with pytest.raises(TypeError, match="data: expected a C-contiguous buffer"):
        tvmgo.ByteArray(source)


@pytest.mark.parametrize(
    "source",
    [np.arange(10)[::2], memoryview(b"abcdef")[::2], np.zeros((2, 3), order="F")],
    ids=["ndarray", "memoryview", "F order"],
)
def test_byte_array_of_a_strided_buffer_raises_type_error(source):
    with pytest.raises(TypeError, match="C-contiguous"):
        tvmgo.ByteArray(source)


def test_byte_array_of_a_released_memoryview_raises():
    view = memoryview(b"abc")
    view.release()
    with pytest.raises((TypeError, ValueError)):
        tvmgo.ByteArray(view)


def test_byte_array_without_arguments_raises_type_error():
    with pytest.raises(TypeError):
        tvmgo.ByteArray()


@pytest.mark.parametrize(
    "other",
    [DATA, bytearray(DATA), memoryview(DATA), tvmgo.ByteArray(DATA)],
    ids=lambda x: type(x).__name__,
)
def test_byte_array_equals_the_same_bytes(other):
    assert tvmgo.ByteArray(DATA) == other


@pytest.mark.parametrize(
    "other",
    [b"", DATA[:-1], tvmgo.ByteArray(b"x"), "text", None, 5],
    ids=lambda x: type(x).__name__,
)
def test_byte_array_differs_from_other_bytes(other):
    assert tvmgo.ByteArray(DATA) != other


def test_byte_array_is_not_hashable():
    with pytest.raises(TypeError, match="unhashable"):
        hash(tvmgo.ByteArray(b""))


def test_repr_tells_the_size_not_the_contents():
    assert repr(tvmgo.ByteArray(b"secret")) == "<tvmgo.ByteArray of 6 bytes>"


def test_memoryview_of_a_byte_array_shares_its_memory():
    source = bytearray(b"0123456789")
    view = memoryview(tvmgo.ByteArray(source))
    source[0] = 65
    assert view[0] == 65


def test_memoryview_of_a_byte_array_is_read_only():
    assert memoryview(tvmgo.ByteArray(bytearray(3))).readonly


def test_memoryview_keeps_the_byte_array_alive():
    view = memoryview(tvmgo.ByteArray(np.full(1000, 7, np.uint8)))
    assert bytes(view) == b"\7" * 1000


@pytest.mark.parametrize(
    "flags", [SIMPLE, ND, STRIDES, FORMAT | STRIDES], ids=["simple", "nd", "strides", "format"]
)
def test_buffer_request_is_answered(flags):
    with raw_buffer(tvmgo.ByteArray(b"abc"), flags) as view:
        assert (view.len, view.itemsize, view.readonly) == (3, 1, 1)
        assert ctypes.string_at(view.buf, view.len) == b"abc"


def test_writable_buffer_request_raises_buffer_error():
    with pytest.raises(BufferError), raw_buffer(tvmgo.ByteArray(bytearray(3)), WRITABLE):
        pass


def test_empty_byte_array_is_empty(kernels):
    shared = tvmgo.ByteArray(b"")
    assert (len(shared), bytes(shared)) == (0, b"")
    assert kernels["byte_address"](shared) != 0
    assert kernels["echo"](shared) == b""
