# SPDX-License-Identifier: Apache-2.0
"""Arrays across the border: shared, staged where they are misaligned, and lent by a kernel."""

import threading
import time

import ml_dtypes
import numpy as np
import pytest

import tvmgo
from tests.core.arrays import read_only
from tests.core.conversion import TENSOR, identity
from tests.helpers import Exporter, OldExporter, address_of

# ---------------------------------------------------------------- arrays


ACCEPTED = [
    lambda x: x,
    tvmgo.array,
    Exporter,
    OldExporter,
    tvmgo.from_dlpack,
    lambda x: tvmgo.Value(x),
]
ACCEPTED_IDS = ["ndarray", "Array", "dlpack", "old dlpack", "shared", "Value"]


@pytest.mark.parametrize("make", ACCEPTED, ids=ACCEPTED_IDS)
def test_array_like_travels_as_a_tensor(kernels, make):
    assert kernels["type_index"](make(np.zeros(3, np.float32))) == TENSOR


@pytest.mark.parametrize("make", ACCEPTED, ids=ACCEPTED_IDS)
def test_array_like_arrives_with_its_elements(make):
    source = np.arange(6, dtype=np.int16).reshape(2, 3)
    received = identity(make(source))
    assert type(received) is tvmgo.Array
    assert received.numpy().tolist() == source.tolist()
    assert received.dtype == "int16"


@pytest.mark.parametrize(
    "make",
    [lambda x: x, Exporter, OldExporter, tvmgo.from_dlpack, lambda x: tvmgo.Value(x)],
    ids=["ndarray", "dlpack", "old dlpack", "shared", "Value"],
)
def test_array_like_is_shared_not_copied(make):
    source = np.zeros(4)
    assert address_of(identity(make(source))) == source.ctypes.data


def test_array_passed_through_is_the_same_tensor(kernels):
    array = tvmgo.empty(4)
    assert identity(array) == array
    assert kernels["echo"](array) == array


def test_ndarray_subclass_travels_as_a_tensor(kernels):
    class Mine(np.ndarray):
        pass

    assert kernels["type_index"](np.zeros(3).view(Mine)) == TENSOR


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (2, 3), (1,) * 64], ids=lambda s: f"{len(s)}d")
def test_ndarray_of_any_shape_arrives(kernels, shape):
    source = np.zeros(shape, np.int32)
    assert identity(source).shape == shape
    assert kernels["tensor_ndim"](source) == len(shape)


def test_kernel_writes_into_an_ndarray(kernels):
    x, y, out = np.arange(4, dtype=np.float32), np.full(4, 10, np.float32), np.zeros(4, np.float32)
    kernels["myadd"](x, y, out)
    assert out.tolist() == [10, 11, 12, 13]


@pytest.mark.parametrize("offset", [0, 1, 3, 16])
@pytest.mark.parametrize(
    "make", [lambda x: x, tvmgo.from_dlpack, Exporter], ids=["ndarray", "Array", "dlpack"]
)
def test_kernel_writes_into_memory_of_any_alignment(kernels, make, offset):
    memory = np.zeros(100, np.float32)
    out = memory[offset : offset + 4]
    kernels["myadd"](make(out), make(np.ones(4, np.float32)), make(out))
    assert out.tolist() == [1, 1, 1, 1]
    assert memory.sum() == 4


def test_kernel_given_one_misaligned_array_twice_sees_one_array(kernels):
    x = np.ones(4, np.float32)[0:]
    for _ in range(3):
        kernels["myadd"](x, x, x)
    assert x.tolist() == [8, 8, 8, 8]


def test_copies_for_a_kernel_are_one_for_one_piece_of_memory_and_separate_for_others(kernels):
    memory = np.asarray(tvmgo.array(np.arange(20, dtype=np.float32)))
    x = memory[1:5]

    def show(a, b):
        return [address_of(a) == address_of(b), str(b.dtype), b.numpy().tolist()]

    forward = kernels["forward"]
    assert forward(show, x, memory[1:5]) == [True, "float32", [1, 2, 3, 4]]
    assert forward(show, x, memory[1:4]) == [False, "float32", [1, 2, 3]]
    assert forward(show, x, memory[1:9:2]) == [False, "float32", [1, 3, 5, 7]]
    assert forward(show, x, x.view("int32")) == [True, "int32", x.view("int32").tolist()]
    assert forward(show, x, x.reshape(2, 2)) == [True, "float32", [[1, 2], [3, 4]]]


def test_kernel_that_fails_leaves_nothing_behind(kernels):
    with pytest.raises(ValueError):
        kernels["myadd"](np.ones(4, np.float32), np.ones(5, np.float32), np.ones(4, np.float32))


def test_kernel_given_memory_it_only_reads_leaves_it_alone(kernels):
    x = np.array([0x7FA00001], np.uint32).view(np.float32)  # a NaN that a computation would change
    before = x.tobytes()
    kernels["tensor_ndim"](x)
    assert x.tobytes() == before


@pytest.mark.parametrize("offset", [0, 1, 3, 16, 20])
def test_kernel_sees_aligned_memory_whatever_it_is_given(kernels, offset):
    memory = np.asarray(tvmgo.empty(100))
    assert kernels["tensor_address"](memory[offset : offset + 4]) % 64 == 0


def test_kernel_that_comes_back_from_elsewhere_sees_aligned_memory(kernels):
    back = tvmgo.convert_function(lambda function: [function])(kernels["tensor_address"])[0]
    memory = np.asarray(tvmgo.empty(100))
    assert back(memory[1:5]) % 64 == 0
    assert back.prepare(memory[1:5])() % 64 == 0


def test_kernel_sees_aligned_compact_memory_itself_not_a_copy(kernels):
    array = tvmgo.empty(100)
    assert kernels["tensor_address"](array) == address_of(array)
    assert kernels["tensor_address"](np.asarray(array)) == address_of(array)


@pytest.mark.parametrize(
    "view",
    [lambda m: m[:, ::2], lambda m: m.T, lambda m: m[::-1], lambda m: m[1:, 1:]],
    ids=["steps", "transposed", "reversed", "corner"],
)
def test_kernel_sees_a_strided_array_compact(kernels, view):
    source = view(np.arange(12, dtype=np.float32).reshape(3, 4))
    assert kernels["tensor_stride"](source, 1) == 1
    assert (
        kernels["tensor_stride"](source, 0)
        == kernels["tensor_extent"](source, 1)
        == source.shape[1]
    )
    assert kernels["tensor_dtype"](source) == "float32"


@pytest.mark.parametrize(
    "view",
    [lambda m: m[::2], lambda m: m[3::-1], lambda m: m[1:5]],
    ids=["steps", "reversed", "corner"],
)
def test_kernel_writes_into_a_strided_array_and_leaves_the_gaps(kernels, view):
    memory = np.zeros(8, np.float32)
    expected = memory.copy()
    view(expected)[:] = [1, 2, 3, 4]
    kernels["myadd"](np.array([1, 2, 3, 4], np.float32), np.zeros(4, np.float32), view(memory))
    assert memory.tolist() == expected.tolist()


def test_kernel_that_writes_through_one_of_two_overlapping_views_keeps_what_it_wrote(kernels):
    memory = np.arange(9, dtype=np.float32)
    kernels["myadd"](memory[1:5], memory[1:5], memory[3:7])
    assert memory.tolist() == [0, 1, 2, 2, 4, 6, 8, 7, 8]


def test_memory_that_python_writes_while_a_kernel_runs_keeps_what_it_wrote(kernels):
    memory = np.zeros(10, np.float32)[1:]

    def write(x):
        memory[0] = 5  # not through x, which may be a copy

    kernels["forward"](write, memory)
    assert memory.tolist() == [5, 0, 0, 0, 0, 0, 0, 0, 0]


def test_memory_that_another_thread_writes_while_a_kernel_runs_keeps_what_it_wrote(kernels):
    memory = np.zeros(10, np.float32)[1:]
    started = threading.Event()

    def wait(x):
        started.set()
        time.sleep(0.1)

    def write():
        started.wait()
        memory[0] = 5

    thread = threading.Thread(target=write)
    thread.start()
    kernels["forward"](wait, memory)
    thread.join()
    assert memory[0] == 5


def test_kernel_writes_of_a_nan_and_of_minus_zero_arrive_bit_for_bit(kernels):
    x = np.array([0x80000000, 0x7FC00123], np.uint32).view(np.float32)
    out = np.zeros(3, np.float32)[1:]
    kernels["myadd"](x, x, out)
    assert out.view(np.uint32).tolist() == (x + x).view(np.uint32).tolist()


@pytest.mark.parametrize(
    "view",
    [lambda m: m[:, ::2], lambda m: m.T, lambda m: m[::-1]],
    ids=["steps", "transposed", "reversed"],
)
def test_strided_ndarray_arrives_with_its_strides(view):
    source = view(np.arange(12, dtype=np.int32).reshape(3, 4))
    received = identity(source)
    assert received.strides == tuple(step // 4 for step in source.strides)
    assert received.numpy().tolist() == source.tolist()


@pytest.mark.parametrize(
    "x",
    [
        read_only(np.zeros(3)),
        np.broadcast_to(1.0, 3),
        np.frombuffer(bytes(8)),
        Exporter(read_only(np.zeros(3))),
    ],
    ids=["flag", "broadcast", "of bytes", "dlpack"],
)
def test_read_only_array_raises_buffer_error(kernels, x):
    with pytest.raises(BufferError, match="read-only") as caught:
        kernels["nargs"](x)
    assert isinstance(caught.value, tvmgo.TVMError)


@pytest.mark.parametrize(
    "dtype",
    [">f4", "M8[s]", "m8[s]", "U3", "S3", "O", [("a", "f4")], np.longdouble, "V3", ml_dtypes.int4],
    ids=str,
)
def test_ndarray_of_elements_no_array_holds_raises_type_error(kernels, dtype):
    with pytest.raises(TypeError):
        kernels["nargs"](np.zeros(2, dtype))


def test_ndarray_with_strides_of_half_an_element_raises_value_error(kernels):
    with pytest.raises(ValueError, match="argument 1: .*multiples"):
        kernels["nargs"](0, np.zeros(3, [("a", "f4"), ("b", "i1")])["a"])


def test_array_result_holds_its_memory(kernels):
    results = [tvmgo.convert_function(lambda i: np.full(100, i))(i) for i in range(50)]
    assert [result.numpy()[99] for result in results] == list(range(50))


def test_array_kept_by_a_callback_outlives_the_call():
    kept = []
    tvmgo.convert_function(kept.append)(np.arange(1000))
    assert kept[0].numpy().sum() == 499500


# ---------------------------------------------------------------- tensors on a kernel's stack


@pytest.mark.parametrize("step", [1, 2], ids=["compact", "strided"])
def test_stack_tensor_arrives_as_an_array_with_its_elements(kernels, step):
    received = []
    assert (
        kernels["call_with_stack_tensor"](lambda x: received.append(x.numpy().tolist()), step) == 10
    )
    assert received == [[1, 2, 3, 4]]


@pytest.mark.parametrize("step", [1, 2], ids=["compact", "strided"])
def test_stack_tensor_receives_what_the_callback_writes(kernels, step):
    def double(x):
        np.asarray(x)[:] *= 2

    assert kernels["call_with_stack_tensor"](double, step) == 20


@pytest.mark.parametrize("step", [1, 2], ids=["compact", "strided"])
def test_stack_tensor_receives_what_a_callback_with_values_writes(kernels, step):
    def double(value):
        np.asarray(value.as_array())[:] *= 2

    assert (
        kernels["call_with_stack_tensor"](tvmgo.convert_function(double, values=True), step) == 20
    )


def test_stack_tensor_kept_by_the_callback_does_not_dangle(kernels):
    kept = []
    kernels["call_with_stack_tensor"](kept.append, 1)
    assert kept[0].numpy().tolist() == [1, 2, 3, 4]


def test_stack_tensor_as_a_result_does_not_dangle(kernels):
    kept = []
    kernels["call_with_stack_tensor"](lambda x: kept.append(tvmgo.Value(x)), 1)
    assert kept[0].as_array().numpy().tolist() == [1, 2, 3, 4]


def test_stack_tensor_of_a_callback_that_raises_is_not_changed(kernels):
    def fail(x):
        np.asarray(x)[:] = 100
        raise KeyError("no")

    with pytest.raises(KeyError):
        kernels["call_with_stack_tensor"](fail, 1)


@pytest.mark.parametrize("values", [False, True])
def test_what_a_callback_leaves_alone_in_a_stack_tensor_is_not_written(kernels, values):
    array = tvmgo.array(np.arange(100, dtype="float32"))

    def change(lent):
        lent = np.asarray(lent.as_array() if values else lent)
        lent[3] = -3
        np.asarray(array)[[0, 50, 99]] = -1  # meanwhile; another thread, say

    kernels["lend"](tvmgo.convert_function(change, values=values), array)
    expected = np.arange(100, dtype="float32")
    expected[3], expected[[0, 50, 99]] = -3, -1
    np.testing.assert_array_equal(array.numpy(), expected)


def test_stack_tensors_in_the_same_memory_are_one_to_the_callback(kernels):
    array, seen = tvmgo.array(np.arange(4)), []

    def change(one, other):
        np.asarray(one)[1] = 10
        np.asarray(other)[2] = 20
        seen.extend((one.numpy().tolist(), other.numpy().tolist()))

    kernels["lend"](change, array, array)
    assert seen == [[0, 10, 20, 3]] * 2
    assert array.numpy().tolist() == [0, 10, 20, 3]
