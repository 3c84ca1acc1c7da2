# SPDX-License-Identifier: Apache-2.0
"""Copying out of arrays: every element type, layout and kind of target."""

import array as stdlib_array

import numpy as np
import pytest

import tvmgo
from tests.core.arrays import (
    assert_same,
    every_dtype,
    numpy_dtype,
    read_only,
    sample,
    strided,
    type_and_dtype,
)
from tests.helpers import Exporter


@every_dtype
@pytest.mark.parametrize("size", [0, 5, 100_003])
def test_copy_to_an_ndarray_gives_every_bit(name, size):
    source = sample(name, (size,))
    target = np.zeros(size, numpy_dtype(name))
    tvmgo.array(source).copy_to(target)
    assert_same(target, source)


@every_dtype
def test_copy_to_an_array_gives_every_bit(name):
    source = sample(name)
    assert_same(tvmgo.array(source).copy_to(tvmgo.empty(6, name)).numpy(), source.ravel())


@pytest.mark.parametrize(
    "make",
    [lambda x: x, tvmgo.from_dlpack, memoryview, Exporter],
    ids=["ndarray", "Array", "memoryview", "dlpack"],
)
def test_copy_to_returns_the_target(make):
    target = make(np.zeros(3, np.float32))
    assert tvmgo.array(np.ones(3, np.float32)).copy_to(target) is target


@pytest.mark.parametrize(
    "make",
    [lambda x: x, tvmgo.from_dlpack, memoryview, Exporter],
    ids=["ndarray", "Array", "memoryview", "dlpack"],
)
@pytest.mark.parametrize(
    "view",
    [lambda m: m, lambda m: m[::2, ::2], lambda m: m[:3, :4].T, lambda m: m[2::-1, 3::-1]],
    ids=["compact", "steps", "transposed", "reversed"],
)
@pytest.mark.parametrize("strided_source", [False, True], ids=["compact", "strided"])
def test_copy_to_any_layout_goes_in_c_order(make, view, strided_source):
    target = view(np.zeros((6, 8), np.int32))
    if strided_source:
        source, expected = strided((target.shape[0], target.shape[1]))
    else:
        expected = np.arange(target.size, dtype=np.int32).reshape(target.shape)
        source = tvmgo.array(expected)
    source.copy_to(make(target))
    assert target.tolist() == expected.tolist()


def test_copy_to_leaves_the_gaps():
    whole = np.zeros((4, 4), np.int32)
    tvmgo.array(np.ones(4, np.int32)).copy_to(whole[::2, ::2])
    assert whole.sum() == 4


@pytest.mark.parametrize(
    "make", [bytearray, lambda x: stdlib_array.array("B", x)], ids=["bytearray", "array"]
)
def test_copy_to_a_byte_buffer_takes_uint8(make):
    target = make(b"\0\0\0")
    tvmgo.array(np.array([1, 2, 3], np.uint8)).copy_to(target)
    assert bytes(target) == b"\1\2\3"


def test_copy_to_ignores_the_shape():
    target = np.zeros((3, 2), np.float32)
    tvmgo.array(np.arange(6, dtype=np.float32)).copy_to(target)
    assert target.tolist() == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize(
    "view",
    [lambda m: m.T, lambda m: m[::-1], lambda m: m[:, ::-1]],
    ids=["transposed", "rows reversed", "columns reversed"],
)
@pytest.mark.parametrize(
    "make",
    [lambda x: x, memoryview, tvmgo.from_dlpack, Exporter],
    ids=["ndarray", "memoryview", "Array", "dlpack"],
)
def test_copy_to_its_own_memory_in_another_order_copies_the_old_elements(view, make):
    array = tvmgo.array(np.arange(9, dtype=np.int32).reshape(3, 3))
    memory = np.asarray(array)
    expected = memory.copy()
    array.copy_to(make(view(memory)))
    assert_same(view(memory).copy(), expected)


@pytest.mark.parametrize(
    "target",
    [
        np.zeros(4, np.float64),
        np.zeros(4, np.int32),
        np.zeros(4, ">f4"),
        np.zeros(4, object),
        bytearray(16),
        np.zeros(4, [("a", "f4")]),
        memoryview(np.zeros(4, np.int32)),
        stdlib_array.array("d", [0] * 4),
        Exporter(np.zeros(4, np.int32)),
        "text",
        5,
        None,
        [0.0] * 4,
        object(),
    ],
    ids=type_and_dtype,
)
def test_copy_to_of_another_element_type_raises_type_error(target):
    with pytest.raises(TypeError):
        tvmgo.array(np.ones(4, np.float32)).copy_to(target)


def test_copy_to_of_another_element_type_changes_nothing():
    target = np.zeros(4, np.int32)
    with pytest.raises(TypeError):
        tvmgo.array(np.ones(4, np.float32)).copy_to(target)
    assert not target.any()


@pytest.mark.parametrize(
    "make",
    [lambda x: x, memoryview, tvmgo.from_dlpack, Exporter],
    ids=["ndarray", "memoryview", "Array", "dlpack"],
)
@pytest.mark.parametrize("size", [0, 3, 5])
def test_copy_to_of_another_size_raises_value_error_and_changes_nothing(make, size):
    target = np.zeros(size, np.float32)
    with pytest.raises(ValueError, match="size mismatch"):
        tvmgo.array(np.ones(4, np.float32)).copy_to(make(target))
    assert not target.any()


@pytest.mark.parametrize(
    "target",
    [
        read_only(np.zeros(4, np.float32)),
        memoryview(bytes(16)).cast("f"),
        Exporter(read_only(np.zeros(4, np.float32))),
    ],
    ids=["ndarray", "memoryview", "dlpack"],
)
def test_copy_to_a_read_only_target_raises_type_error(target):
    with pytest.raises((TypeError, BufferError)):
        tvmgo.array(np.ones(4, np.float32)).copy_to(target)


def test_copyto_is_copy_to():
    assert tvmgo.Array.copyto is tvmgo.Array.copy_to
