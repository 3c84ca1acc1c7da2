# SPDX-License-Identifier: Apache-2.0
"""Sharing the memory of arrays by Python's buffer protocol and by NumPy's."""

import ctypes
import gc

import numpy as np
import pytest

import tvmgo
from tests.core.arrays import (
    ML_NAMES,
    NUMPY_NAMES,
    assert_same,
    every_dtype,
    every_shape,
    numpy_dtype,
    sample,
    strided,
)
from tests.helpers import (
    ANY_CONTIGUOUS,
    C_CONTIGUOUS,
    F_CONTIGUOUS,
    FORMAT,
    FULL,
    ND,
    SIMPLE,
    STRIDES,
    WRITABLE,
    raw_buffer,
)

# ---------------------------------------------------------------- the buffer protocol


@pytest.mark.parametrize("name", NUMPY_NAMES)
@every_shape
def test_memoryview_describes_the_array(name, shape):
    source = sample(name, shape)
    view, expected = memoryview(tvmgo.array(source)), memoryview(source)
    assert (view.ndim, view.shape, view.itemsize, view.nbytes, view.readonly) == (
        expected.ndim,
        expected.shape,
        expected.itemsize,
        expected.nbytes,
        False,
    )
    assert view.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", NUMPY_NAMES)
def test_memoryview_format_means_the_dtype_to_numpy(name):
    assert np.asarray(memoryview(tvmgo.array(sample(name)))).dtype == name


def test_memoryview_of_a_strided_array_has_its_strides():
    array, part = strided()
    view = memoryview(array)
    assert view.strides == part.strides
    assert view.tobytes() == part.tobytes()


def test_memoryview_writes_into_the_array():
    array = tvmgo.array(np.zeros(3, np.int32))
    memoryview(array)[1] = 5
    assert array.numpy().tolist() == [0, 5, 0]


def test_memoryview_keeps_the_memory_alive():
    view = memoryview(tvmgo.array(np.full(1000, 7, np.uint8)))
    gc.collect()
    assert bytes(view) == b"\7" * 1000


def test_asarray_shares_the_memory():
    array = tvmgo.array([1, 2, 3])
    np.asarray(array)[0] = 100
    assert array.numpy()[0] == 100


@pytest.mark.parametrize("name", ML_NAMES)
def test_asarray_of_small_floats_shares_the_memory(name):
    array = tvmgo.array(sample(name))
    view = np.asarray(array)
    assert view.dtype == numpy_dtype(name)
    view[:] = view[0, 1]
    assert len(set(array.numpy().tobytes())) <= view.dtype.itemsize
    assert np.shares_memory(view, np.asarray(array))


@pytest.mark.parametrize("name", [*ML_NAMES, "int4", "float32x4"])
def test_memoryview_of_a_dtype_without_a_format_raises_buffer_error(name):
    with pytest.raises(BufferError, match=name):
        memoryview(tvmgo.empty(2, name))


@pytest.mark.parametrize(
    "flags, shape, strides",
    [
        (SIMPLE, None, None),
        (WRITABLE, None, None),
        (FORMAT, None, None),
        (ND, (2, 3), None),
        (STRIDES, (2, 3), (12, 4)),
        (C_CONTIGUOUS, (2, 3), (12, 4)),
        (ANY_CONTIGUOUS, (2, 3), (12, 4)),
        (FULL, (2, 3), (12, 4)),
    ],
    ids=["simple", "writable", "format", "nd", "strides", "c", "any", "full"],
)
def test_buffer_request_gets_what_it_asks_for_and_no_more(flags, shape, strides):
    array = tvmgo.array(np.arange(6, dtype=np.int32).reshape(2, 3))
    with raw_buffer(array, flags) as view:
        assert (view.len, view.itemsize, view.readonly) == (24, 4, 0)
        assert bool(view.shape) == (shape is not None)
        assert bool(view.strides) == (strides is not None)
        assert shape is None or tuple(view.shape[:2]) == shape
        assert strides is None or tuple(view.strides[:2]) == strides
        assert (view.format is not None) == (flags & FORMAT == FORMAT)
        assert ctypes.string_at(view.buf, 24) == np.arange(6, dtype=np.int32).tobytes()


@pytest.mark.parametrize(
    "flags",
    [SIMPLE, WRITABLE, ND, FORMAT, C_CONTIGUOUS, F_CONTIGUOUS, ANY_CONTIGUOUS],
    ids=["simple", "writable", "nd", "format", "c", "f", "any"],
)
def test_buffer_request_a_strided_array_cannot_meet_raises_buffer_error(flags):
    with pytest.raises(BufferError), raw_buffer(strided()[0], flags):
        pass


def test_buffer_request_for_f_order_of_a_c_ordered_array_raises_buffer_error():
    with pytest.raises(BufferError), raw_buffer(tvmgo.empty((2, 3)), F_CONTIGUOUS):
        pass


@pytest.mark.parametrize("shape", [(), (4,), (4, 1), (1, 4), (0, 3)], ids=str)
def test_buffer_request_for_f_order_of_an_array_that_has_both_orders_is_met(shape):
    with raw_buffer(tvmgo.empty(shape), F_CONTIGUOUS) as view:
        assert view.ndim == len(shape)


@pytest.mark.parametrize("flags", [F_CONTIGUOUS, ANY_CONTIGUOUS], ids=["f", "any"])
def test_buffer_request_for_f_order_of_an_f_ordered_array_is_met(flags):
    with raw_buffer(tvmgo.from_dlpack(np.zeros((2, 3), np.int32, order="F")), flags) as view:
        assert tuple(view.strides[:2]) == (4, 8)


@pytest.mark.parametrize("flags", [STRIDES, FULL, C_CONTIGUOUS], ids=["strides", "full", "c"])
def test_buffer_of_a_0d_array_has_neither_shape_nor_strides(flags):
    with raw_buffer(tvmgo.array(np.float32(1.5)), flags) as view:
        assert (view.ndim, bool(view.shape), bool(view.strides), view.len) == (0, False, False, 4)


def test_buffer_of_a_zero_sized_array_has_an_address():
    with raw_buffer(tvmgo.empty((0, 3)), FULL) as view:
        assert (view.len, bool(view.buf)) == (0, True)


@pytest.mark.parametrize(
    "consume",
    [bytes, lambda x: b"".join([x]), lambda x: bytes(bytearray(x))],
    ids=["bytes", "join", "bytearray"],
)
def test_bytes_of_an_array_are_its_memory(consume):
    source = np.arange(6, dtype=np.int32).reshape(2, 3)
    assert consume(tvmgo.array(source)) == source.tobytes()


def test_array_is_written_by_readinto(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(np.arange(4, dtype=np.float32).tobytes())
    array = tvmgo.empty(4)
    with open(path, "rb") as file:
        assert file.readinto(array) == 16
    assert array.numpy().tolist() == [0, 1, 2, 3]


# ---------------------------------------------------------------- __array__


@every_dtype
def test_array_interface_gives_the_exact_type(name):
    source = sample(name)
    assert_same(tvmgo.array(source).__array__(), source)


def test_array_interface_shares_unless_told_to_copy():
    array = tvmgo.array([1.0, 2.0])
    assert np.shares_memory(array.__array__(), np.asarray(array))
    assert np.shares_memory(array.__array__(copy=False), np.asarray(array))
    assert not np.shares_memory(array.__array__(copy=True), np.asarray(array))


def test_array_interface_with_another_dtype_converts():
    assert_same(tvmgo.array([1.5, 2.5]).__array__(np.int32), np.array([1, 2], np.int32))


def test_array_interface_with_its_own_dtype_shares():
    array = tvmgo.array([1.5])
    assert np.shares_memory(array.__array__(np.float64), np.asarray(array))


def test_array_interface_with_another_dtype_and_no_copy_raises_value_error():
    with pytest.raises(ValueError):
        tvmgo.array([1.5]).__array__(np.int32, copy=False)


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_np_array_copies_and_asarray_does_not(name):
    array = tvmgo.empty(3, name)
    assert not np.shares_memory(np.array(array), np.asarray(array))
    assert np.shares_memory(np.array(array, copy=False), np.asarray(array))


def test_numpy_functions_take_an_array():
    assert np.sum(tvmgo.array([1, 2, 3])) == 6
    assert np.add(tvmgo.array([1, 2]), tvmgo.array([10, 20])).tolist() == [11, 22]
