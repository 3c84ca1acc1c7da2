# SPDX-License-Identifier: Apache-2.0
"""Arrays: making empty ones, what they tell of themselves, and copies and pickles of them."""

import copy
import pickle

import numpy as np
import pytest

import tvmgo
from tests.core.arrays import assert_same, every_dtype, every_shape, numpy_dtype, sample, strided
from tests.helpers import name_of

# ---------------------------------------------------------------- empty


@every_shape
def test_empty_has_the_shape(shape):
    array = tvmgo.empty(shape)
    assert array.shape == shape
    assert array.ndim == len(shape)


@every_shape
def test_empty_has_numpys_size_nbytes_and_strides(shape):
    array, expected = tvmgo.empty(shape, "int16"), np.empty(shape, "int16")
    assert array.size == expected.size
    assert array.nbytes == expected.nbytes
    steps = np.cumprod((1,) + shape[:0:-1], dtype=int)[::-1]
    assert array.strides == (tuple(steps) if shape else ())


@every_dtype
def test_empty_has_the_dtype(name):
    array = tvmgo.empty((2, 3), name)
    assert str(array.dtype) == name
    assert array.dtype == numpy_dtype(name)
    assert array.nbytes == 6 * numpy_dtype(name).itemsize


def test_empty_without_a_dtype_is_float32():
    assert str(tvmgo.empty(1).dtype) == "float32"


@pytest.mark.parametrize(
    "dtype", [np.int8, np.dtype("int8"), "int8", tvmgo.DType("int8")], ids=repr
)
def test_empty_takes_a_dtype_in_every_spelling(dtype):
    assert tvmgo.empty(1, dtype).dtype == "int8"


@pytest.mark.parametrize(
    "shape",
    [4, (4,), [4], iter([4]), range(4, 5), np.int64(4), np.array([4]), (np.uint8(4),), {4}],
    ids=lambda x: type(x).__name__,
)
def test_empty_takes_a_shape_in_every_spelling(shape):
    assert tvmgo.empty(shape).shape == (4,)


@pytest.mark.parametrize(
    "shape", [-1, (-1,), (2, -2), (-2, -2), (0, -1), (-(2**63),), (-(2**64),)], ids=str
)
def test_empty_of_a_negative_shape_raises_value_error(shape):
    with pytest.raises(ValueError, match="shape: expected sizes from 0"):
        tvmgo.empty(shape)


@pytest.mark.parametrize(
    "shape",
    [
        (2**63,),
        (2**64,),
        (2**200,),
        (2**63 - 1,),
        (2**32, 2**32),
        (2**31,) * 64,
        (2**62, 4),
        (2**61, 3),
    ],
    ids=str,
)
def test_empty_of_an_overflowing_shape_raises_value_error(shape):
    with pytest.raises(ValueError) as caught:
        tvmgo.empty(shape, "float64")
    assert isinstance(caught.value, tvmgo.TVMError)


@pytest.mark.parametrize("shape", [(2**63 - 1,), (2**62,), (2**50,)], ids=str)
def test_empty_of_a_shape_no_memory_holds_raises_memory_error(shape):
    with pytest.raises(MemoryError) as caught:
        tvmgo.empty(shape, "int8")
    assert isinstance(caught.value, tvmgo.TVMError)


@pytest.mark.parametrize(
    "shape", [(2**40, 2**40, 0), (0, 2**40, 2**40), (2**62, 0, 2**62)], ids=str
)
def test_empty_of_huge_dimensions_and_none_in_one_holds_nothing(shape):
    array = tvmgo.empty(shape)
    assert (array.shape, array.size, array.nbytes) == (shape, 0, 0)


def test_empty_of_too_many_dimensions_raises_value_error():
    with pytest.raises(ValueError, match="at most 1024 dimensions, got 1025"):
        tvmgo.empty((1,) * 1025)


def test_empty_of_more_dimensions_than_numpy_has_can_be_copied_flat():
    array = tvmgo.empty((1,) * 99 + (3,), "int8").copy_from(np.arange(3, dtype=np.int8))
    assert array.ndim == 100
    assert array.as_slice().tolist() == [0, 1, 2]
    with pytest.raises(BufferError, match="too many"):
        memoryview(array)


@pytest.mark.parametrize(
    "shape",
    [None, 1.0, (1.0,), "12", b"12"[0:0].decode, ("1",), (None,), object(), (2, [3]), 1j],
    ids=name_of,
)
def test_empty_of_no_shape_raises_type_error(shape):
    with pytest.raises(TypeError, match="shape: expected ints"):
        tvmgo.empty(shape)


@pytest.mark.parametrize("answer", [2.5, "2", None, object()], ids=name_of)
def test_empty_of_a_strange_index_raises_type_error(answer):
    class Strange:
        def __index__(self):
            return answer

    with pytest.raises(TypeError):
        tvmgo.empty((Strange(),))


def test_empty_of_no_dtype_raises_type_error():
    with pytest.raises(TypeError, match="dtype: expected an element type, got None"):
        tvmgo.empty(1, None)


def test_empty_of_an_unknown_dtype_raises_type_error():
    with pytest.raises(TypeError, match="'flaot32'"):
        tvmgo.empty(1, "flaot32")


@every_shape
@pytest.mark.parametrize("name", ["int8", "float64"])
def test_empty_is_aligned_to_128_bytes(kernels, shape, name):
    held = [tvmgo.empty(shape, name) for _ in range(20)]
    assert [kernels["tensor_address"](array) % 128 for array in held] == [0] * 20


@pytest.mark.parametrize(
    "name, nbytes",
    [("int4", 3), ("uint1", 1), ("float32x4", 80), ("int24", 15), ("float4_e2m1fn", 3)],
)
def test_empty_of_a_dtype_beyond_numpy_knows_its_bytes(name, nbytes):
    array = tvmgo.empty(5, name)
    assert (array.nbytes, array.size, str(array.dtype)) == (nbytes, 5, name)


@pytest.mark.parametrize("device", [tvmgo.cpu(0), "cpu", "cpu:0", None, 1], ids=repr)
def test_empty_on_the_cpu_is_there(device):
    assert tvmgo.empty(1, device=device).device == tvmgo.cpu(0)


@pytest.mark.parametrize("index", [1, -1, 2**31 - 1])
def test_empty_on_another_cpu_keeps_the_index(index):
    assert tvmgo.empty(1, device=tvmgo.cpu(index)).device == tvmgo.cpu(index)


@pytest.mark.parametrize(
    "device",
    [
        tvmgo.opencl(0),
        tvmgo.metal(0),
        tvmgo.vpi(0),
        tvmgo.sdaccel(0),
        tvmgo.opengl(0),
        tvmgo.ext_dev(0),
        tvmgo.cuda(10000),
        tvmgo.Device(99),
        tvmgo.Device(-1),
        tvmgo.Device(-(2**31)),
    ],
    ids=str,
)
def test_empty_on_a_device_that_is_not_there_raises_tvm_error(device):
    with pytest.raises(tvmgo.TVMError):
        tvmgo.empty(4, device=device)


def test_empty_on_a_device_the_runtime_lacks_names_it():
    with pytest.raises(tvmgo.TVMError, match="no device API for opencl:0"):
        tvmgo.empty(4, device="opencl")


def test_ctx_is_the_device():
    assert tvmgo.empty(1).ctx == tvmgo.cpu(0)


def test_shape_is_a_copy_of_plain_ints():
    shape = tvmgo.empty((np.int8(2), 3)).shape
    assert [type(extent) for extent in shape] == [int, int]


@pytest.mark.parametrize(
    "attribute", ["shape", "strides", "ndim", "dtype", "device", "ctx", "size", "nbytes"]
)
def test_setting_an_attribute_raises(attribute):
    with pytest.raises(AttributeError):
        setattr(tvmgo.empty(2), attribute, (1,))


def test_setting_an_unknown_attribute_raises():
    with pytest.raises(AttributeError):
        tvmgo.empty(2).no_such_thing = 1


@every_dtype
def test_repr_tells_shape_dtype_and_device(name):
    assert repr(tvmgo.empty((2, 3), name)) == f"<tvmgo.Array (2, 3) {name} on cpu:0>"


# ---------------------------------------------------------------- copying and pickling


@every_dtype
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)], ids=str)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_array_comes_back(name, shape, protocol):
    source = sample(name, shape)
    again = pickle.loads(pickle.dumps(tvmgo.array(source), protocol))
    assert_same(again.numpy(), source)
    assert again.dtype == name


def test_pickled_array_keeps_its_device():
    again = pickle.loads(pickle.dumps(tvmgo.array([1], device=tvmgo.cpu(2))))
    assert again.device == tvmgo.cpu(2)


def test_pickled_strided_array_comes_back_compact():
    array, part = strided()
    again = pickle.loads(pickle.dumps(array))
    assert_same(again.numpy(), part.copy())
    assert again.strides == (4, 1)


def test_deepcopy_is_another_array_of_the_same_elements():
    array = tvmgo.array([1, 2, 3])
    other = copy.deepcopy(array)
    np.asarray(array)[0] = 100
    assert other.numpy().tolist() == [1, 2, 3]
