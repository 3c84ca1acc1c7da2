# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``array_test.go``."""

import numpy as np

import tvmgo
from conformance.catalogue import counterpart


@counterpart("tests.TestArrayCreateSize")
def array_create_size():
    assert tvmgo.empty([4]).shape == (4,)
    assert tvmgo.empty([4, 5, 6]).shape == (4, 5, 6)
    return tvmgo.empty([]).size  # where gotvm's test asserts an error


@counterpart("tests.TestArrayCreateArgs")
def array_create_args():
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


@counterpart("tests.TestArrayNDim")
def array_ndim():
    assert tvmgo.empty([4, 5, 6]).ndim == 3


@counterpart("tests.TestArrayShape")
def array_shape():
    assert tvmgo.empty([4, 5, 6]).shape == (4, 5, 6)


@counterpart("tests.TestArrayDevice")
def array_device():
    for index in (0, 2):
        device = tvmgo.empty([4], device=tvmgo.cpu(index)).device
        assert (device.device_type, device.device_id) == (1, index)


@counterpart("tests.TestArrayDType")
def array_dtype():
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


@counterpart("tests.TestArrayCopySlice*")
def array_copy_slice(fact):
    dtype = np.dtype(fact.case.removeprefix("TestArrayCopySlice").lower())
    is_float = dtype.kind == "f"
    assert_copies(np.random.default_rng(0).random(32, dtype) if is_float else random_ints(dtype))
