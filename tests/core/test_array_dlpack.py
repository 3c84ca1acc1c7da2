# SPDX-License-Identifier: Apache-2.0
"""Sharing the memory of arrays by DLPack, both ways."""

import ctypes
import gc
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
    every_shape,
    read_only,
    sample,
    strided,
)
from tests.helpers import Exporter, OldExporter, address_of, name_of

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
    "x", [None, 5, "text", b"bytes", [1, 2], memoryview(b"abc"), object()], ids=name_of
)
def test_from_dlpack_of_something_else_raises_type_error(x):
    with pytest.raises(TypeError, match="__dlpack__"):
        tvmgo.from_dlpack(x)


@pytest.mark.parametrize("answer", [None, 5, "dltensor", object(), b"", []], ids=name_of)
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
