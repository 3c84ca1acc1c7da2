# SPDX-License-Identifier: Apache-2.0
"""Copies of arrays that compiled functions cannot work on where they are: what comes back."""

import ctypes
import gc
import weakref

import numpy as np
import pytest

import tvmgo
from tests.helpers import Exporter, address_of


def misaligned(values, dtype=np.float32):
    """Return an array off the 64-byte boundary."""
    values = np.asarray(values, dtype)
    memory = np.asarray(tvmgo.empty((values.nbytes + 64,), "uint8"))
    array = memory[values.itemsize : values.itemsize + values.nbytes].view(dtype)
    array = array.reshape(values.shape)
    array[...] = values
    return array


# Shapes and strides of one dimension. Arrays point to them, so that they are never freed.
NUMBERS = (ctypes.c_int64 * 3)(0, 1, 2)


class AtOffset:
    """Two elements in the memory of an array, described by DLPack with an offset in bytes."""

    def __init__(self, memory, offset, stride=1):
        self.memory, self.offset, self.stride = memory, offset, stride

    def __dlpack_device__(self):
        return 1, 0

    def __dlpack__(self, **options):
        capsule = self.memory.__dlpack__()
        tensor = DLTensor.from_address(pointer_in(capsule, b"dltensor"))
        tensor.byte_offset = self.offset
        tensor.shape, tensor.strides = pointer_to(2), pointer_to(self.stride)
        return capsule


class DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device", ctypes.c_int32 * 2),
        ("ndim", ctypes.c_int32),
        ("dtype", ctypes.c_uint8 * 4),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


def pointer_to(number):
    """Return a pointer to one of NUMBERS."""
    address = ctypes.addressof(NUMBERS) + number * ctypes.sizeof(ctypes.c_int64)
    return ctypes.cast(address, ctypes.POINTER(ctypes.c_int64))


def pointer_in(capsule, name):
    """Return the address that a capsule holds."""
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype = ctypes.c_void_p
    get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return get_pointer(capsule, name)


def as_bytes(array, size):
    """Return the first bytes of an array of any type."""
    capsule = array.__dlpack__()  # owns the description
    tensor = DLTensor.from_address(pointer_in(capsule, b"dltensor"))
    address = tensor.data + tensor.byte_offset
    return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))


def setter(index, value):
    """Return a callback that writes to one element of the array it gets."""
    return lambda x: np.asarray(x).__setitem__(index, value)


@pytest.mark.parametrize(
    "view",
    [lambda: misaligned(range(4)), lambda: np.arange(8, dtype=np.float32)[::2]],
    ids=["misaligned", "strided"],
)
def test_elements_that_a_kernel_leaves_alone_keep_what_others_write_meanwhile(kernels, view):
    x = view()
    before = x.tolist()

    def write(copy):
        np.asarray(copy)[0] = 42  # as the kernel does
        x[1] = 9  # as another thread does

    kernels["forward"](write, x)
    assert x.tolist() == [42, 9, *before[2:]]


def test_prepared_call_keeps_what_others_write_meanwhile(kernels):
    x = misaligned(range(4))

    def write(copy):
        np.asarray(copy)[0] = 42
        x[1] = 9

    kernels["forward"].prepare(write, x)()
    assert x.tolist() == [42, 9, 2, 3]


def test_overlapping_copies_both_keep_their_changes(kernels):
    x = misaligned(range(6))

    def write(a, b):
        np.asarray(a)[0], np.asarray(b)[3] = 42, 43

    kernels["forward"](write, x[:4], x[2:])
    assert x.tolist() == [42, 1, 2, 3, 4, 43]


def test_overlapping_copies_that_only_one_changes_show_its_change(kernels):
    x = misaligned(range(6))
    for first, second in [(x[:4], x[2:]), (x[2:], x[:4])]:
        kernels["forward"](lambda a, b: setter(..., 7)(a), first, second)
        assert first.tolist() == [7] * 4


def test_strided_and_compact_views_of_one_array_both_keep_their_changes(kernels):
    x = misaligned(range(6))

    def write(a, b):
        np.asarray(a)[1], np.asarray(b)[0] = 42, 43

    kernels["forward"](write, x, x[::2])
    assert x.tolist() == [43, 42, 2, 3, 4, 5]


def test_views_of_one_memory_see_each_other_whatever_their_shape_and_type(kernels):
    x = misaligned(range(4))
    seen = []

    def write(first, *others):
        np.asarray(first)[0] = 42
        seen.extend(np.array(other).view(np.float32).ravel().tolist() for other in others)

    kernels["forward"](write, x, x, x.reshape(2, 2), x.view(np.int32))
    assert seen == [[42, 1, 2, 3]] * 3
    assert x.tolist() == [42, 1, 2, 3]


def test_strided_views_of_one_memory_see_each_other(kernels):
    x = np.arange(8, dtype=np.float32)
    same = kernels["forward"](
        lambda *views: [address_of(view) == address_of(views[0]) for view in views],
        x[::2],
        x[::2],
        x.view(np.int32)[::2],
        x[:4],
        x[::2].reshape(2, 2),
    )
    assert same == [True, True, True, False, False]


def test_number_that_kernel_and_others_write_is_never_a_mixture(kernels):
    x = misaligned([0.0, 0.0])

    def write(copy):
        np.asarray(copy)[0] = 2.0  # differs from 0.0 in its highest byte only
        x[0] = 1.5

    kernels["forward"](write, x)
    assert x[0] == 2.0


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint16", "float16", "int32", "float64", "complex128"]
)
@pytest.mark.parametrize("length", [0, 1, 7, 64, 1000])
def test_exactly_what_was_changed_comes_back(kernels, dtype, length):
    values = np.arange(length) % 2
    x = misaligned(values, dtype)
    changed = np.arange(length) % 3 == 0
    others = np.arange(length) % 3 == 1

    def write(copy):
        np.asarray(copy)[changed] = 5
        x[others] = 6

    kernels["forward"](write, x)
    expected = values.astype(dtype)
    expected[changed], expected[others] = 5, 6
    assert x.tolist() == expected.tolist()


@pytest.mark.parametrize("name", ["float8_e4m3fn", "int4", "float32x4", "bfloat16"])
def test_arrays_of_types_without_a_numpy_format_are_copied_too(kernels, name):
    memory = tvmgo.empty((128,), name)
    content = as_bytes(memory, 64)
    content[...] = range(64)
    x = tvmgo.from_dlpack(AtOffset(memory, 16))
    assert kernels["tensor_address"](x) % 64 == 0
    assert str(kernels["tensor_dtype"](x)) == name
    kernels["forward"](lambda copy: as_bytes(copy, 1).__setitem__(0, 200), x)
    assert content.tolist() == [*range(16), 200, *range(17, 64)]


def test_byte_offset_counts_for_the_alignment(kernels):
    memory = tvmgo.array(np.arange(128, dtype=np.uint8))
    at_64 = tvmgo.from_dlpack(AtOffset(memory, 64))
    assert kernels["tensor_address"](at_64) == address_of(memory) + 64
    kernels["forward"](setter(1, 0), tvmgo.from_dlpack(AtOffset(memory, 20)))
    assert memory.numpy().tolist() == [*range(21), 0, *range(22, 128)]


def test_strided_elements_that_share_bytes_are_refused(kernels):
    x = tvmgo.from_dlpack(AtOffset(tvmgo.empty((128,), "int4"), 0, stride=2))
    with pytest.raises(ValueError, match="cannot copy strided elements of int4, which share bytes"):
        kernels["tensor_ndim"](x)


def test_call_with_more_arguments_than_have_room_on_the_stack(kernels):
    arrays = [misaligned([i]) for i in range(20)]

    def write(*copies):
        for copy in copies:
            np.asarray(copy)[0] += 100

    kernels["forward"](write, *arrays)
    assert [x[0] for x in arrays] == [100 + i for i in range(20)]


def test_copy_that_a_callback_keeps_outlives_the_call(kernels):
    x, kept = misaligned(range(4)), []
    kernels["forward"](kept.append, x)
    del x
    gc.collect()
    assert kept[0].numpy().tolist() == [0, 1, 2, 3]


def test_original_is_not_kept(kernels):
    x = misaligned(range(4))
    memory = weakref.ref(x.base)
    kernels["tensor_ndim"](x)
    del x
    gc.collect()
    assert memory() is None


@pytest.mark.parametrize("make", [lambda x: x, Exporter], ids=["ndarray", "dlpack"])
def test_kernel_that_fails_after_writing_changes_nothing(kernels, make):
    x = misaligned(range(4))

    def fail(copy):
        np.asarray(copy)[0] = 42
        raise KeyError("late")

    with pytest.raises(KeyError, match="late"):
        kernels["forward"](fail, make(x))
    assert x.tolist() == [0, 1, 2, 3]


def test_error_of_a_staged_call_is_the_functions_own(kernels):
    with pytest.raises(tvmgo.TVMError, match="^a native call failed without an error message$"):
        kernels["fail_silently"](misaligned(range(4)))
