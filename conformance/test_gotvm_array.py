# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``array_test.go``."""

import numpy as np

import tvmgo


def test_array_create_size():
    assert tvmgo.empty([4]).shape == (4,)
    assert tvmgo.empty([4, 5, 6]).shape == (4, 5, 6)
    # gotvm had no arrays without dimensions; they hold one element.
    assert tvmgo.empty([]).size == 1


def test_array_create_args():
    for options in (
        {"dtype": "float32", "device": tvmgo.cpu(0)},
        {"dtype": "float32"},
        {"device": tvmgo.cpu(0)},
        {"device": tvmgo.cpu(0), "dtype": "float32"},
    ):
        array = tvmgo.empty([4, 2], **options)
        assert array.shape == (4, 2)
        assert array.dtype == "float32"
        assert array.device == tvmgo.cpu(0)


def test_array_ndim():
    assert tvmgo.empty([4, 5, 6]).ndim == 3


def test_array_shape():
    assert tvmgo.empty([4, 5, 6]).shape == (4, 5, 6)


def test_array_device():
    for index in (0, 2):
        device = tvmgo.empty([4], device=tvmgo.cpu(index)).device
        assert (device.device_type, device.device_id) == (1, index)


def test_array_dtype():
    for dtype in (
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float32",
        "float64",
    ):
        assert str(tvmgo.empty([4], dtype).dtype) == dtype


def assert_copies(values):
    """32 elements come back from a [4, 8] array as they went in."""
    array = tvmgo.empty([4, 8], values.dtype)
    array.copy_from(values)
    back = array.as_slice()
    assert back.dtype == values.dtype
    np.testing.assert_array_equal(back, values)


def random_ints(dtype):
    limits = np.iinfo(dtype)
    return np.random.default_rng(0).integers(limits.min, limits.max, 32, dtype, endpoint=True)


def test_array_copy_slice_int8():
    assert_copies(random_ints(np.int8))


def test_array_copy_slice_int16():
    assert_copies(random_ints(np.int16))


def test_array_copy_slice_int32():
    assert_copies(random_ints(np.int32))


def test_array_copy_slice_int64():
    assert_copies(random_ints(np.int64))


def test_array_copy_slice_uint8():
    assert_copies(random_ints(np.uint8))


def test_array_copy_slice_uint16():
    assert_copies(random_ints(np.uint16))


def test_array_copy_slice_uint32():
    assert_copies(random_ints(np.uint32))


def test_array_copy_slice_uint64():
    assert_copies(random_ints(np.uint64))


def test_array_copy_slice_float32():
    assert_copies(np.random.default_rng(0).random(32, np.float32))


def test_array_copy_slice_float64():
    assert_copies(np.random.default_rng(0).random(32, np.float64))
