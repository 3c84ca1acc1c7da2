# SPDX-License-Identifier: Apache-2.0
"""Copying into arrays: every element type, layout and kind of source."""

import array as stdlib_array
import ctypes
import re
import sys

import ml_dtypes
import numpy as np
import pytest

import tvmgo
from tests.core.arrays import (
    ML_NAMES,
    NUMPY_NAMES,
    assert_same,
    every_dtype,
    sample,
    strided,
    type_and_dtype,
)
from tests.helpers import Exporter, OldExporter

# Both ways of copying: under 32 KiB the GIL is kept, above it is released.
SIZES = [0, 1, 5, 100_003]


@every_dtype
@pytest.mark.parametrize("size", SIZES)
def test_copy_from_an_ndarray_takes_every_bit(name, size):
    source = sample(name, (size,))
    target = tvmgo.empty(size, name)
    target.copy_from(source)
    assert_same(target.numpy(), source)


@every_dtype
@pytest.mark.parametrize("size", [0, 5, 100_003])
def test_copy_from_an_array_takes_every_bit(name, size):
    source = sample(name, (size,))
    assert_same(tvmgo.empty(size, name).copy_from(tvmgo.array(source)).numpy(), source)


@pytest.mark.parametrize("name", NUMPY_NAMES)
@pytest.mark.parametrize("size", [0, 5, 100_003])
def test_copy_from_a_memoryview_takes_every_bit(name, size):
    source = sample(name, (size,))
    assert_same(tvmgo.empty(size, name).copy_from(memoryview(source)).numpy(), source)


@pytest.mark.parametrize("make", [Exporter, OldExporter], ids=["dlpack", "old dlpack"])
@pytest.mark.parametrize("name", NUMPY_NAMES)
def test_copy_from_an_exporter_takes_every_bit(make, name):
    source = sample(name)
    assert_same(tvmgo.empty((2, 3), name).copy_from(make(source)).numpy(), source)


def test_copy_from_returns_the_array():
    array = tvmgo.empty(3)
    assert array.copy_from(np.zeros(3, np.float32)) is array


@pytest.mark.parametrize(
    "source",
    [
        stdlib_array.array("i", [1, 2, 3, 4]),
        (ctypes.c_int32 * 4)(1, 2, 3, 4),
        memoryview(b"\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0").cast("i"),
    ],
    ids=["array.array", "ctypes", "cast bytes"],
)
def test_copy_from_a_buffer_of_ints_takes_them(source):
    if sys.byteorder == "big" and isinstance(source, memoryview):
        source = memoryview(stdlib_array.array("i", [1, 2, 3, 4]))
    assert tvmgo.empty(4, "int32").copy_from(source).numpy().tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "source",
    [b"\1\2\3", bytearray(b"\1\2\3"), memoryview(b"\1\2\3"), tvmgo.ByteArray(b"\1\2\3")],
    ids=lambda x: type(x).__name__,
)
def test_copy_from_bytes_fills_an_array_of_uint8(source):
    assert tvmgo.empty(3, "uint8").copy_from(source).numpy().tolist() == [1, 2, 3]


@pytest.mark.parametrize("letter", "?bBhHiIlLqQefd")
def test_copy_from_takes_a_buffer_by_its_format(letter):
    source = memoryview(np.ones(2, letter))
    assert source.format == letter
    assert tvmgo.empty(2, np.dtype(letter)).copy_from(source).numpy().tolist() == [1, 1]


@pytest.mark.parametrize("letter, name", [("n", "int64"), ("N", "uint64"), ("c", "uint8")])
def test_copy_from_takes_a_buffer_of_python_letters(letter, name):
    source = memoryview(np.ones(1, name)).cast("B").cast(letter)
    assert tvmgo.empty(1, name).copy_from(source).numpy().tolist() == [1]


def test_copy_from_takes_a_buffer_whose_format_tells_the_native_order():
    source = (ctypes.c_int32 * 1)(1)  # "<i" on a little-endian machine
    assert memoryview(source).format == f"{'<' if sys.byteorder == 'little' else '>'}i"
    assert tvmgo.empty(1, "int32").copy_from(source).numpy().tolist() == [1]


def test_copy_from_a_buffer_of_bool_takes_it():
    assert tvmgo.empty(2, "bool").copy_from(memoryview(b"\1\0").cast("?")).numpy().tolist() == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    "source",
    [
        np.arange(24, dtype=np.int32).reshape(4, 6)[::2, ::2],
        np.arange(6, dtype=np.int32).reshape(2, 3).T,
        np.arange(6, dtype=np.int32)[::-1],
        np.broadcast_to(np.int32(7), (6,)),
        np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
    ],
    ids=["steps", "transposed", "reversed", "broadcast", "F order"],
)
@pytest.mark.parametrize(
    "make",
    [
        lambda x: x,
        memoryview,
        lambda x: tvmgo.from_dlpack(x) if x.flags.writeable else tvmgo.array(x),
    ],
    ids=["ndarray", "memoryview", "Array"],
)
def test_copy_from_a_strided_source_goes_in_c_order(source, make):
    target = tvmgo.empty(6, "int32")
    target.copy_from(make(source))
    assert target.numpy().tolist() == source.ravel().tolist()


@pytest.mark.parametrize(
    "make",
    [lambda x: x, memoryview, tvmgo.array, Exporter, lambda x: strided()[0].copy_from(x)],
    ids=["ndarray", "memoryview", "Array", "dlpack", "strided Array"],
)
def test_copy_from_into_a_strided_array_leaves_the_gaps(make):
    target, part = strided((3, 4))
    whole = part.base
    before = whole.copy()
    source = np.arange(100, 112, dtype=np.int32)
    target.copy_from(make(source))
    assert part.ravel().tolist() == source.tolist()
    assert whole[1::2].tolist() == before[1::2].tolist()
    assert whole[:, 1::2].tolist() == before[:, 1::2].tolist()


def test_copy_from_into_a_reversed_array_goes_in_its_order():
    memory = np.zeros(4, np.int32)
    tvmgo.from_dlpack(memory[::-1]).copy_from(np.arange(4, dtype=np.int32))
    assert memory.tolist() == [3, 2, 1, 0]


@pytest.mark.parametrize("name", ML_NAMES)
def test_copy_from_into_a_strided_array_of_small_floats(name):
    memory = sample(name, (8,))
    shared = tvmgo.from_dlpack(memory[::2])
    shared.copy_from(memory[1::2].copy())
    assert memory[::2].tobytes() == memory[1::2].tobytes()


@pytest.mark.parametrize("shape", [(6,), (2, 3), (3, 2, 1)], ids=str)
def test_copy_from_ignores_the_shape(shape):
    source = np.arange(6, dtype=np.float32).reshape(shape)
    assert tvmgo.empty((3, 2)).copy_from(source).numpy().ravel().tolist() == [0, 1, 2, 3, 4, 5]


def test_copy_from_a_read_only_source_is_fine():
    source = np.arange(3, dtype=np.float32)
    source.flags.writeable = False
    assert_same(tvmgo.empty(3).copy_from(source).numpy(), source)


def test_copy_from_a_read_only_exporter_is_fine():
    source = np.arange(3, dtype=np.float32)
    source.flags.writeable = False
    assert_same(tvmgo.empty(3).copy_from(Exporter(source)).numpy(), source)


def test_copy_from_itself_changes_nothing():
    array = tvmgo.array([1, 2, 3])
    array.copy_from(array)
    assert array.numpy().tolist() == [1, 2, 3]


@pytest.mark.parametrize("size", [10, 50_000])
@pytest.mark.parametrize("to, start", [(1, 0), (0, 1)], ids=["up", "down"])
def test_copy_from_an_overlapping_array_copies_the_old_elements(size, to, start):
    memory = np.arange(size)
    expected = memory[start : start + size - 1].copy()
    target = tvmgo.from_dlpack(memory[to : to + size - 1])
    target.copy_from(tvmgo.from_dlpack(memory[start : start + size - 1]))
    assert_same(target.numpy(), expected)


@pytest.mark.parametrize(
    "view",
    [
        lambda m: m.T,
        lambda m: m[::-1],
        lambda m: m[:, ::-1],
        lambda m: m[::-1, ::-1],
    ],
    ids=["transposed", "rows reversed", "columns reversed", "reversed"],
)
@pytest.mark.parametrize(
    "make",
    [lambda x: x, memoryview, tvmgo.from_dlpack, Exporter],
    ids=["ndarray", "memoryview", "Array", "dlpack"],
)
def test_copy_from_its_own_memory_in_another_order_copies_the_old_elements(view, make):
    array = tvmgo.array(np.arange(9, dtype=np.int32).reshape(3, 3))
    memory = np.asarray(array)
    expected = view(memory).copy()
    array.copy_from(make(view(memory)))
    assert_same(array.numpy(), expected)


@pytest.mark.parametrize(
    "view",
    [lambda m: m.T, lambda m: m[::-1], lambda m: m[:, ::-1]],
    ids=["transposed", "rows reversed", "columns reversed"],
)
def test_copy_from_into_its_own_memory_in_another_order_copies_the_old_elements(view):
    memory = np.arange(9, dtype=np.int32).reshape(3, 3)
    expected = memory.copy()
    tvmgo.from_dlpack(view(memory)).copy_from(memory)
    assert_same(view(memory).copy(), expected)


WRONG_TYPES = [
    np.zeros(4, np.float64),
    np.zeros(4, np.int32),
    np.zeros(4, np.uint32),
    np.zeros(8, np.float16),
    np.zeros(16, np.uint8),
    np.zeros(4, ">f4"),
    np.zeros(4, "M8[s]"),
    np.zeros(4, object),
    np.zeros(4, [("a", "f4")]),
    np.zeros(4, "S4"),
    np.zeros(4, ml_dtypes.bfloat16),
    bytes(16),
    bytearray(16),
    memoryview(bytes(16)),
    memoryview(np.zeros(4, np.int32)),
    stdlib_array.array("d", [0] * 4),
    memoryview(np.zeros(4, ">f4")),
    memoryview(np.zeros(4, [("a", "f4")])),
    tvmgo.ByteArray(bytes(16)),
    "text",
    5,
    2.5,
    None,
    [1.0, 2.0, 3.0, 4.0],
    (1.0,) * 4,
    object(),
    Exporter(np.zeros(4, np.int32)),
]


@pytest.mark.parametrize("source", WRONG_TYPES, ids=type_and_dtype)
def test_copy_from_of_another_element_type_raises_type_error_and_changes_nothing(source):
    target = tvmgo.array(np.arange(4, dtype=np.float32))
    with pytest.raises(TypeError):
        target.copy_from(source)
    assert target.numpy().tolist() == [0, 1, 2, 3]


def test_copy_from_an_array_of_another_type_raises_type_error_and_changes_nothing():
    target = tvmgo.array(np.arange(4, dtype=np.float32))
    with pytest.raises(TypeError, match="expected elements of type float32, got int32"):
        target.copy_from(tvmgo.empty(4, "int32"))
    assert target.numpy().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "make",
    [lambda x: x, memoryview, tvmgo.array, Exporter],
    ids=["ndarray", "memoryview", "Array", "dlpack"],
)
@pytest.mark.parametrize("size", [0, 3, 5, 100_000])
def test_copy_from_of_another_size_raises_value_error_and_changes_nothing(make, size):
    target = tvmgo.array(np.arange(4, dtype=np.float32))
    with pytest.raises(ValueError, match="size mismatch: expected 16 bytes"):
        target.copy_from(make(np.ones(size, np.float32)))
    assert target.numpy().tolist() == [0, 1, 2, 3]


def test_copy_from_of_another_size_into_a_strided_array_changes_nothing():
    target, part = strided()
    before = part.base.copy()
    with pytest.raises(ValueError):
        target.copy_from(np.ones(5, np.int32))
    assert_same(part.base, before)


@pytest.mark.parametrize("name", ["int4", "float32x4", "int24"])
def test_copy_between_arrays_of_a_dtype_beyond_numpy_takes_the_bytes(kernels, name):
    source, target = tvmgo.empty(4, name), tvmgo.empty(4, name)
    address = kernels["tensor_address"]
    ctypes.memset(address(source), 0x5A, source.nbytes)
    ctypes.memset(address(target), 0, target.nbytes)
    target.copy_from(source)
    assert ctypes.string_at(address(target), target.nbytes) == b"\x5a" * source.nbytes


class Pair(ctypes.Structure):
    _fields_ = [("number", ctypes.c_int), ("weight", ctypes.c_float)]


TEXT = "w" if "w" in stdlib_array.typecodes else "u"  # Python 3.13 and later warn of "u"


@pytest.mark.parametrize("copy", ["copy_from", "copy_to"])
@pytest.mark.parametrize(
    "buffer",
    [memoryview((Pair * 3)()), stdlib_array.array(TEXT, "abc")],
    ids=["memoryview", "array"],
)
def test_errors_about_a_buffers_format_name_argument_format_and_class(copy, buffer):
    message = "^(.+): arrays cannot .* buffer format '(.+)', as (.+) has them$"
    with pytest.raises(tvmgo.TVMTypeError, match=message) as caught:
        getattr(tvmgo.empty((3,), "uint8"), copy)(buffer)
    argument = {"copy_from": "source", "copy_to": "target"}[copy]
    expected = (argument, memoryview(buffer).format, type(buffer).__name__)
    assert re.search(message, str(caught.value)).groups() == expected
