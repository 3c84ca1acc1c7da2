# SPDX-License-Identifier: Apache-2.0
"""Arrays: making them, reading them, copying, and sharing memory by buffer and by DLPack."""

import array as stdlib_array
import copy
import ctypes
import gc
import math
import pickle
import sys

import ml_dtypes
import numpy as np
import pytest

import tvmgo
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
    Exporter,
    OldExporter,
    address_of,
    raw_buffer,
)

NUMPY_NAMES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
ML_NAMES = [
    "bfloat16",
    "float8_e3m4",
    "float8_e4m3",
    "float8_e4m3b11fnuz",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
]
# Both ways of copying: under 32 KiB the GIL is kept, above it is released.
SIZES = [0, 1, 5, 100_003]
SHAPES = [(), (0,), (1,), (3,), (2, 3), (2, 0, 3), (1, 1, 1), (2, 3, 4, 5), (1,) * 64]

every_dtype = pytest.mark.parametrize("name", NUMPY_NAMES + ML_NAMES)
every_shape = pytest.mark.parametrize(
    "shape", SHAPES, ids=lambda shape: f"{len(shape)}d-{math.prod(shape)}"
)


def numpy_dtype(name):
    return np.dtype(getattr(ml_dtypes, name) if name in ML_NAMES else name)


def sample(name, shape=(2, 3)):
    """An ndarray whose neighbours differ, of any element type."""
    count = int(np.prod(shape, dtype=int))
    return (np.arange(count) % 3 + 1 - (name == "bool")).astype(numpy_dtype(name)).reshape(shape)


def strided(shape=(3, 4), dtype="int32"):
    """A tvmgo array that skips elements, and the ndarray whose memory it shares."""
    whole = np.zeros((shape[0] * 2, shape[1] * 2), dtype)
    whole.flat[:] = np.arange(whole.size)
    part = whole[::2, ::2]  # whose `base` is `whole`
    return tvmgo.from_dlpack(part), part


def assert_same(left, right):
    """Bit for bit, with shape and type."""
    assert left.dtype == right.dtype
    assert left.shape == right.shape
    assert left.tobytes() == right.tobytes()


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
    ids=repr,
)
def test_empty_of_no_shape_raises_type_error(shape):
    with pytest.raises(TypeError, match="shape: expected ints"):
        tvmgo.empty(shape)


@pytest.mark.parametrize("answer", [2.5, "2", None, object()], ids=repr)
def test_empty_of_a_strange_index_raises_type_error(answer):
    class Strange:
        def __index__(self):
            return answer

    with pytest.raises(TypeError):
        tvmgo.empty((Strange(),))


def test_empty_of_no_dtype_raises_type_error():
    with pytest.raises(TypeError, match="dtype: expected an element type, got None"):
        tvmgo.empty(1, None)


def test_empty_of_an_unknown_dtype_raises_value_error():
    with pytest.raises(ValueError, match="'flaot32'"):
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


# ---------------------------------------------------------------- copy_from


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


def type_and_dtype(x):
    return f"{type(x).__name__}-{getattr(x, 'dtype', getattr(x, 'format', ''))}"


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


# ---------------------------------------------------------------- copy_to


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


def read_only(array):
    array.flags.writeable = False
    return array


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


# ---------------------------------------------------------------- DLPack, exporting


@pytest.mark.parametrize("name", NUMPY_NAMES)
@every_shape
def test_numpy_from_dlpack_shares_the_memory(name, shape):
    array = tvmgo.array(sample(name, shape))
    shared = np.from_dlpack(array)
    assert_same(shared, array.numpy())
    assert shared.ctypes.data == np.asarray(array).ctypes.data


def test_numpy_from_dlpack_is_writable():
    array = tvmgo.array([1, 2, 3])
    np.from_dlpack(array)[0] = 100
    assert array.numpy()[0] == 100


def test_numpy_from_dlpack_keeps_strides():
    array, part = strided()
    assert np.from_dlpack(array).strides == part.strides


def test_numpy_from_dlpack_keeps_the_memory_alive():
    shared = np.from_dlpack(tvmgo.array(np.full(1000, 7, np.uint8)))
    gc.collect()
    assert shared.tobytes() == b"\7" * 1000


def test_numpy_from_dlpack_with_copy_does_not_share():
    array = tvmgo.array([1, 2, 3])
    copied = np.from_dlpack(array, copy=True)
    copied[0] = 100
    assert array.numpy()[0] == 1


def test_dlpack_with_copy_false_shares():
    array = tvmgo.array([1, 2, 3])
    assert np.shares_memory(np.from_dlpack(array, copy=False), np.asarray(array))


@pytest.mark.parametrize("name", ML_NAMES)
def test_dlpack_of_small_floats_comes_back(name):
    array = tvmgo.array(sample(name))
    assert_same(tvmgo.from_dlpack(Exporter(array)).numpy(), array.numpy())


def test_dlpack_with_copy_of_small_floats_does_not_share():
    array = tvmgo.array(sample("bfloat16"))
    capsule = array.__dlpack__(copy=True)

    class Holder:
        def __dlpack__(self, **options):
            return capsule

    copied = tvmgo.from_dlpack(Holder())
    np.asarray(copied)[:] = 0
    assert np.asarray(array).all()


@pytest.mark.parametrize("copy", [None, False, True])
def test_dlpack_capsule_says_whether_it_is_a_copy(copy):
    array = tvmgo.empty([2])
    capsule = array.__dlpack__(max_version=(1, 0), copy=copy)
    address = ctypes.pythonapi.PyCapsule_GetPointer
    address.restype, address.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    flags = ctypes.c_uint64.from_address(address(capsule, b"dltensor_versioned") + 24).value
    assert bool(flags & 2) == bool(copy)  # DLPACK_FLAG_BITMASK_IS_COPIED


@pytest.mark.parametrize(
    "options, name",
    [
        ({}, "dltensor"),
        ({"max_version": None}, "dltensor"),
        ({"max_version": (0, 8)}, "dltensor"),
        ({"max_version": (1, 0)}, "dltensor_versioned"),
        ({"max_version": (1, 99)}, "dltensor_versioned"),
        ({"max_version": (2, 0)}, "dltensor_versioned"),
        ({"stream": None}, "dltensor"),
        ({"dl_device": (1, 0)}, "dltensor"),
        ({"dl_device": None}, "dltensor"),
    ],
    ids=str,
)
def test_dlpack_capsule_is_of_the_version_asked_for(options, name):
    assert f'"{name}"' in repr(tvmgo.empty(2).__dlpack__(**options))


@pytest.mark.parametrize("device", [(2, 0), (1, 1), (3, 0), tvmgo.cuda(0).__reduce__()[1]], ids=str)
def test_dlpack_for_another_device_raises_buffer_error(device):
    with pytest.raises(BufferError, match="cpu:0"):
        tvmgo.empty(2).__dlpack__(dl_device=device)


@pytest.mark.parametrize(
    "options",
    [
        {"max_version": 5},
        {"max_version": "1"},
        {"max_version": ()},
        {"dl_device": 5},
        {"no_such": 1},
    ],
    ids=str,
)
def test_dlpack_with_a_strange_option_raises(options):
    with pytest.raises((TypeError, ValueError, IndexError, BufferError)):
        tvmgo.empty(2).__dlpack__(**options)


@pytest.mark.parametrize("device", [tvmgo.cpu(0), tvmgo.cpu(3)], ids=str)
def test_dlpack_device_is_type_and_index(device):
    assert tvmgo.empty(2, device=device).__dlpack_device__() == (1, device.device_id)


@pytest.mark.parametrize("version", [None, (1, 0)], ids=["unversioned", "versioned"])
def test_capsule_nobody_consumed_frees_its_tensor(version, live_objects):
    class Canary(np.ndarray):
        pass

    source = np.zeros(3).view(Canary)
    capsule = tvmgo.from_dlpack(source).__dlpack__(max_version=version)
    assert tvmgo.live_objects()["buffers"] == live_objects["buffers"] + 1
    del capsule
    assert tvmgo.live_objects()["buffers"] == live_objects["buffers"]


@pytest.mark.parametrize("version", [None, (1, 0)], ids=["unversioned", "versioned"])
def test_capsule_consumed_twice_is_refused(version):
    capsule = tvmgo.array([1, 2]).__dlpack__(max_version=version)

    class Holder:
        def __dlpack__(self, **options):
            return capsule

    first = tvmgo.from_dlpack(Holder())
    with pytest.raises(TypeError, match="DLPack capsule"):
        tvmgo.from_dlpack(Holder())
    assert first.numpy().tolist() == [1, 2]


@pytest.mark.parametrize("version", [None, (1, 0)], ids=["unversioned", "versioned"])
def test_capsule_dropped_while_an_exception_is_in_flight_keeps_it(version):
    def fail():
        capsule = tvmgo.array([1, 2]).__dlpack__(max_version=version)
        raise KeyError(type(capsule).__name__)

    with pytest.raises(KeyError, match="PyCapsule"):
        fail()


# ---------------------------------------------------------------- DLPack, importing


@every_dtype
@every_shape
def test_from_dlpack_of_an_ndarray_shares_it(name, shape):
    source = sample(name, shape)
    shared = tvmgo.from_dlpack(source)
    assert address_of(shared) == source.ctypes.data
    assert_same(shared.numpy(), source)


@pytest.mark.parametrize("make", [Exporter, OldExporter], ids=["dlpack", "old dlpack"])
@pytest.mark.parametrize("name", NUMPY_NAMES)
def test_from_dlpack_of_an_exporter_shares_it(make, name):
    source = sample(name)
    shared = tvmgo.from_dlpack(make(source))
    assert address_of(shared) == source.ctypes.data
    assert_same(shared.numpy(), source)


def test_from_dlpack_of_an_array_is_that_array():
    array = tvmgo.empty(2)
    assert tvmgo.from_dlpack(array) is array


@pytest.mark.parametrize("make", [lambda x: x, Exporter], ids=["ndarray", "dlpack"])
def test_from_dlpack_writes_are_seen_on_both_sides(make):
    source = np.zeros(3)
    shared = tvmgo.from_dlpack(make(source))
    source[0] = 1
    shared.copy_from(np.asarray(shared) + 1)
    assert source.tolist() == [2, 1, 1]


@pytest.mark.parametrize("make", [lambda x: x, Exporter], ids=["ndarray", "dlpack"])
def test_from_dlpack_keeps_the_source_alive_and_lets_it_go(make):
    source = np.zeros(3)
    before = sys.getrefcount(source)
    shared = tvmgo.from_dlpack(make(source))
    assert sys.getrefcount(source) == before + 1
    del shared
    assert sys.getrefcount(source) == before


@pytest.mark.parametrize(
    "view",
    [lambda m: m[:, ::2], lambda m: m.T, lambda m: m[::-1], lambda m: m[1:, 1:]],
    ids=["steps", "transposed", "reversed", "corner"],
)
@pytest.mark.parametrize("make", [lambda x: x, Exporter], ids=["ndarray", "dlpack"])
def test_from_dlpack_keeps_strides(view, make):
    source = view(np.arange(12, dtype=np.int32).reshape(3, 4))
    shared = tvmgo.from_dlpack(make(source))
    assert shared.strides == tuple(step // 4 for step in source.strides)
    assert_same(shared.numpy(), source.copy())


def test_from_dlpack_of_a_strided_scalar_shape_has_compact_strides():
    source = np.zeros((5, 4), np.float32)[1:2, 2:3]
    assert tvmgo.from_dlpack(source).strides == (1, 1)


@pytest.mark.parametrize("make", [lambda x: x, Exporter], ids=["ndarray", "dlpack"])
def test_from_dlpack_of_read_only_memory_raises_buffer_error(make):
    with pytest.raises(BufferError, match="read-only"):
        tvmgo.from_dlpack(make(read_only(np.zeros(3))))


def test_from_dlpack_of_a_misaligned_ndarray_shares_it():
    source = np.frombuffer(bytearray(13), np.uint8)[1:].view(np.float32)
    source[:] = [1, 2, 3]
    assert tvmgo.from_dlpack(source).numpy().tolist() == [1, 2, 3]


def test_from_dlpack_of_strides_that_are_no_whole_elements_raises_value_error():
    source = np.zeros(3, [("a", "f4"), ("b", "i1")])["a"]
    with pytest.raises(ValueError, match="multiples"):
        tvmgo.from_dlpack(source)


@pytest.mark.parametrize(
    "dtype", [">f4", "M8[s]", "m8[s]", "U3", "S3", "O", [("a", "f4")], np.longdouble, "V3"], ids=str
)
def test_from_dlpack_of_elements_no_array_holds_raises_type_error(dtype):
    with pytest.raises(TypeError):
        tvmgo.from_dlpack(np.zeros(2, dtype))


@pytest.mark.parametrize("name", ["int4", "uint4", "int2", "float4_e2m1fn", "float6_e2m3fn"])
def test_from_dlpack_of_padded_small_elements_raises_type_error(name):
    with pytest.raises(TypeError, match="per byte"):
        tvmgo.from_dlpack(np.zeros(2, getattr(ml_dtypes, name)))


@pytest.mark.parametrize(
    "x", [None, 5, "text", b"bytes", [1, 2], memoryview(b"abc"), object()], ids=repr
)
def test_from_dlpack_of_something_else_raises_type_error(x):
    with pytest.raises(TypeError, match="__dlpack__"):
        tvmgo.from_dlpack(x)


@pytest.mark.parametrize("answer", [None, 5, "dltensor", object(), b"", []], ids=repr)
def test_from_dlpack_of_an_exporter_without_a_capsule_raises_type_error(answer):
    class Strange:
        def __dlpack__(self, **options):
            return answer

    with pytest.raises(TypeError, match="Strange.__dlpack__.. did not return a DLPack capsule"):
        tvmgo.from_dlpack(Strange())


@pytest.mark.parametrize("name", [b"", b"used_dltensor", b"other", b"dltensor_versioned_2"])
def test_from_dlpack_of_a_capsule_of_another_name_raises_type_error(name):
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype = ctypes.py_object
    new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    capsule = new_capsule(0x1234, name, None)

    class Strange:
        def __dlpack__(self, **options):
            return capsule

    with pytest.raises(TypeError, match="DLPack capsule"):
        tvmgo.from_dlpack(Strange())


@pytest.mark.parametrize(
    "exception",
    [ValueError("no"), BufferError("no"), KeyboardInterrupt(), TypeError("no")],
    ids=lambda e: type(e).__name__,
)
def test_from_dlpack_of_an_exporter_that_raises_raises_the_same(exception):
    class Failing:
        def __dlpack__(self, **options):
            raise exception

    with pytest.raises(type(exception)) as caught:
        tvmgo.from_dlpack(Failing())
    assert caught.value is exception


def test_from_dlpack_of_another_major_version_raises_buffer_error():
    source = tvmgo.empty(2)
    capsule = source.__dlpack__(max_version=(1, 0))
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype = ctypes.c_void_p
    get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    version = ctypes.c_uint32.from_address(get_pointer(capsule, b"dltensor_versioned"))

    class Future:
        def __dlpack__(self, **options):
            return capsule

    version.value = 2
    with pytest.raises(BufferError, match="DLPack 2"):
        tvmgo.from_dlpack(Future())
    version.value = 1


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
