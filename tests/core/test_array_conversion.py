# SPDX-License-Identifier: Apache-2.0
"""Arrays made of Python's and NumPy's data, and NumPy's arrays made of them."""

import array as stdlib_array

import ml_dtypes
import numpy as np
import pytest

import tvmgo
from tests.core.arrays import ML_NAMES, assert_same, every_dtype, every_shape, sample, strided
from tests.helpers import Exporter, OldExporter

# ---------------------------------------------------------------- array


@every_dtype
@every_shape
def test_array_of_an_ndarray_is_the_same(name, shape):
    expected = sample(name, shape)
    assert_same(tvmgo.array(expected).numpy(), expected)


@pytest.mark.parametrize(
    "data",
    [
        5,
        -2.5,
        True,
        1 + 2j,
        [1, 2, 3],
        [[1.5], [2.5]],
        (1, 2),
        [],
        [[]],
        [True, False],
        np.float32(1.5),
        np.bool_(True),
        range(5),
        2**63,
        -(2**63),
    ],
    ids=repr,
)
def test_array_of_python_data_is_numpys(data):
    assert_same(tvmgo.array(data).numpy(), np.asarray(data))


@pytest.mark.parametrize(
    "make",
    [
        Exporter,
        OldExporter,
        memoryview,
        tvmgo.from_dlpack,
        tvmgo.array,
        lambda data: stdlib_array.array("i", data.ravel().tolist()),
    ],
    ids=["dlpack", "old dlpack", "memoryview", "shared", "copy", "array.array"],
)
def test_array_of_an_array_like_is_the_same(make):
    data = np.arange(6, dtype=np.int32)
    assert_same(tvmgo.array(make(data)).numpy(), data)


@pytest.mark.parametrize(
    "make",
    [lambda x: x, Exporter, memoryview, tvmgo.from_dlpack],
    ids=["ndarray", "dlpack", "memoryview", "Array"],
)
def test_array_is_a_copy(make):
    data = np.arange(6, dtype=np.int32)
    array = tvmgo.array(make(data))
    data[0] = 100
    assert array.numpy()[0] == 0


@pytest.mark.parametrize(
    "data",
    [
        np.arange(12).reshape(3, 4)[:, ::2],
        np.arange(12).reshape(3, 4).T,
        np.arange(5)[::-1],
        np.broadcast_to(np.arange(3), (4, 3)),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
    ],
    ids=["steps", "transposed", "reversed", "broadcast", "F order"],
)
def test_array_of_a_strided_ndarray_is_compact(data):
    array = tvmgo.array(data)
    assert_same(array.numpy(), np.ascontiguousarray(data))
    assert array.strides == tvmgo.empty(data.shape).strides


def test_array_of_a_read_only_ndarray_is_a_copy():
    data = np.arange(3.0)
    data.flags.writeable = False
    assert_same(tvmgo.array(data).numpy(), data)


def test_array_of_a_read_only_exporter_is_a_copy():
    data = np.arange(3.0)
    data.flags.writeable = False
    assert_same(tvmgo.array(Exporter(data)).numpy(), data)


@pytest.mark.parametrize(
    "dtype", ["float32", np.int8, "bool", "bfloat16", tvmgo.DType("float16")], ids=str
)
@pytest.mark.parametrize(
    "make", [lambda x: x, list, tvmgo.array, Exporter], ids=["ndarray", "list", "Array", "dlpack"]
)
def test_array_with_a_dtype_converts_as_numpy(make, dtype):
    data = np.array([0.0, 1.5, 2.25])
    expected = data.astype(
        ml_dtypes.bfloat16
        if dtype == "bfloat16"
        else "float16"
        if isinstance(dtype, tvmgo.DType)
        else dtype
    )
    assert_same(tvmgo.array(make(data), dtype).numpy(), expected)


@pytest.mark.parametrize(
    "data",
    [
        "text",
        b"bytes",
        [object()],
        None,
        [None],
        ["a"],
        {1: 2},
        2**200,
        np.array([1], "M8[s]"),
        np.zeros(2, [("a", "f4")]),
        np.longdouble(1),
        np.array([object()]),
    ],
    ids=lambda x: type(x).__name__,
)
def test_array_of_elements_no_array_holds_raises_type_error(data):
    with pytest.raises(TypeError) as caught:
        tvmgo.array(data)
    assert isinstance(caught.value, tvmgo.TVMError)


def test_array_of_big_endian_elements_has_their_values():
    data = np.array([1, 2, 300], ">i4")
    assert tvmgo.array(data).numpy().tolist() == [1, 2, 300]


def test_array_of_ragged_lists_raises_value_error():
    with pytest.raises(ValueError):
        tvmgo.array([[1, 2], [3]])


def test_array_on_a_device_keeps_it():
    assert tvmgo.array([1], device=tvmgo.cpu(1)).device == tvmgo.cpu(1)


def test_array_of_an_array_on_another_device_index_goes_to_the_first_cpu():
    assert tvmgo.array(tvmgo.array([1], device=tvmgo.cpu(1))).device == tvmgo.cpu(0)


@pytest.mark.parametrize("name", ["int4", "float32x4", "int24"])
def test_array_copies_an_array_of_a_dtype_beyond_numpy(kernels, name):
    source = tvmgo.empty(4, name)
    assert tvmgo.array(source).dtype == name


# ---------------------------------------------------------------- as_slice, numpy


@every_dtype
@every_shape
def test_as_slice_is_flat_and_of_the_exact_type(name, shape):
    expected = sample(name, shape)
    assert_same(tvmgo.array(expected).as_slice(), expected.ravel())


@every_dtype
def test_numpy_has_the_shape_and_the_exact_type(name):
    expected = sample(name)
    assert_same(tvmgo.array(expected).numpy(), expected)


@pytest.mark.parametrize("method", ["as_slice", "numpy", "asnumpy"])
def test_conversion_is_a_copy_the_caller_owns(method):
    array = tvmgo.array([1, 2, 3])
    result = getattr(array, method)()
    result[0] = 100
    assert array.numpy()[0] == 1
    assert result.flags.owndata


@pytest.mark.parametrize("method", ["as_slice", "numpy"])
@pytest.mark.parametrize("size", [4, 300])
def test_conversion_of_a_strided_array_takes_its_elements(method, size):
    array, part = strided((size, size))
    assert getattr(array, method)().ravel().tolist() == part.ravel().tolist()


@pytest.mark.parametrize("name", ML_NAMES)
def test_numpy_of_a_strided_array_of_small_floats_takes_its_elements(name):
    memory = sample(name, (9,))
    assert_same(tvmgo.from_dlpack(memory[::2]).numpy(), memory[::2].copy())


def test_asnumpy_is_numpy():
    assert tvmgo.Array.asnumpy is tvmgo.Array.numpy


@pytest.mark.parametrize("method", ["as_slice", "numpy"])
@pytest.mark.parametrize("name", ["int4", "float32x4", "int24"])
def test_conversion_of_a_dtype_beyond_numpy_raises_type_error(method, name):
    with pytest.raises(TypeError):
        getattr(tvmgo.empty(4, name), method)()


@pytest.mark.parametrize(
    "bits",
    [0x7FC00000, 0x7FA00001, 0xFFC00123, 0x80000000, 0x00000001, 0x7F800000],
    ids=["nan", "signalling nan", "nan payload", "-0", "denormal", "inf"],
)
def test_round_trip_keeps_the_bits_of_floats(bits):
    source = np.array([bits], np.uint32).view(np.float32)
    assert_same(tvmgo.empty(1).copy_from(source).as_slice(), source)
