# SPDX-License-Identifier: Apache-2.0
"""Prepared calls: arguments checked and converted once, and used again and again."""

import gc
import threading
import weakref

import numpy as np
import pytest

import tvmgo


def aligned(*values):
    """An ndarray on the boundary that compiled code expects."""
    memory = np.empty(len(values) * 4 + 64, np.uint8)
    start = -memory.ctypes.data % 64
    array = memory[start : start + len(values) * 4].view(np.float32)
    array[:] = values
    return array


# ---------------------------------------------------------------- the prepared arguments


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        5,
        -1,
        2**62,
        2**100,
        1.5,
        "short",
        "a longer text",
        "a longer text\0 with a nul",
        "täxt",
        b"",
        b"bytes",
        b"more bytes than seven",
        [1, [2, "three"]],
        {"a": 1},
    ],
    ids=repr,
)
def test_every_call_passes_the_prepared_value(kernels, value):
    call = kernels["echo"].prepare(value)
    assert [call(), call(), call()] == [value] * 3


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 100])
def test_any_number_of_arguments_can_be_prepared(kernels, count):
    call = kernels["sum_ints"].prepare(*range(count))
    assert call() == sum(range(count))
    assert call() == sum(range(count))


def test_each_call_works_on_what_the_arrays_hold_then(kernels):
    x, y, out = (tvmgo.array([1, 2], "float32"), tvmgo.array([10, 20], "float32"), tvmgo.empty([2]))
    call = kernels["myadd"].prepare(x, y, out)
    call()
    assert out.numpy().tolist() == [11, 22]
    x.copy_from(np.array([5, 6], np.float32))
    call()
    assert out.numpy().tolist() == [15, 26]


@pytest.mark.parametrize(
    "make", [lambda *v: np.array([0, *v], np.float32)[1:], aligned], ids=["misaligned", "aligned"]
)
def test_each_call_works_on_what_the_ndarrays_hold_then(kernels, make):
    x, y, out = make(1, 2), make(10, 20), make(0, 0)
    call = kernels["myadd"].prepare(x, y, out)
    call()
    assert out.tolist() == [11, 22]
    x[:] = 5, 6
    call()
    assert out.tolist() == [15, 26]


def test_strided_ndarrays_are_read_and_written(kernels):
    x, out = np.arange(8, dtype=np.float32), np.zeros(8, np.float32)
    call = kernels["myadd"].prepare(x[::2], x[1::2], out[::2])
    call()
    assert out.tolist() == [1, 0, 5, 0, 9, 0, 13, 0]


def test_bytearray_is_copied_when_it_is_prepared(kernels):
    data = bytearray(b"a bytearray")
    call = kernels["echo"].prepare(data)
    data[:] = b"it's another text by now"
    assert call() == b"a bytearray"


def test_list_is_copied_when_it_is_prepared(kernels):
    items = [1, 2]
    call = kernels["echo"].prepare(items)
    items.append(3)
    assert call() == [1, 2]


def test_byte_array_is_shared(kernels):
    data = bytearray(b"\1\2")
    call = kernels["byte_sum"].prepare(tvmgo.ByteArray(data))
    assert call() == 3
    data[0] = 7
    assert call() == 9


def test_callbacks_and_functions_can_be_prepared(kernels):
    received = []
    assert kernels["forward"].prepare(received.append, "x")() is None
    assert received == ["x"]
    assert tvmgo.convert_function(lambda *args: list(args)).prepare(1, "b")() == [1, "b"]


def test_result_may_be_of_any_kind(kernels):
    array = tvmgo.array([1, 2, 3])
    assert kernels["echo"].prepare(array)() == array
    assert kernels["echo"].prepare(kernels)() == kernels


def test_error_of_the_function_comes_out_of_each_call(kernels):
    call = kernels["fail"].prepare("ValueError", "no luck")
    for _ in range(3):
        with pytest.raises(ValueError, match="no luck"):
            call()


def test_exception_of_a_callback_comes_out_as_it_is(kernels):
    error = LookupError("nothing there")

    def fail():
        raise error

    with pytest.raises(LookupError) as caught:
        kernels["forward"].prepare(fail)()
    assert caught.value is error


# ---------------------------------------------------------------- fresh arguments


def test_fresh_arguments_are_used_this_once(kernels):
    call = kernels["sum_ints"].prepare(1, 2)
    assert call(10, 20) == 30
    assert call() == 3


def test_fresh_arrays_are_used_this_once(kernels):
    def arrays(*values):
        return [tvmgo.array([value], "float32") for value in values]

    prepared, fresh = arrays(1, 2, 0), arrays(10, 20, 0)
    call = kernels["myadd"].prepare(*prepared)
    call(*fresh)
    assert [prepared[2].numpy()[0], fresh[2].numpy()[0]] == [0, 30]


def test_fresh_array_may_come_from_anywhere(kernels):
    out = np.zeros(2, np.float32)
    call = kernels["myadd"].prepare(*[tvmgo.empty([2]) for _ in range(3)])
    call(aligned(1, 2), np.array([0, 3, 4], np.float32)[1:], out)
    assert out.tolist() == [4, 6]


@pytest.mark.parametrize(
    ("prepared", "fresh"),
    [
        ("short", "a text of more than seven bytes"),
        (b"short", b"more bytes than seven"),
        (1, 2**40),
        ("a text of more than seven bytes", "with\0 a nul inside"),
    ],
    ids=repr,
)
def test_fresh_argument_may_be_of_another_length(kernels, prepared, fresh):
    assert kernels["echo"].prepare(prepared)(fresh) == fresh


@pytest.mark.parametrize("args", [(1,), (1, 2, 3), (1,) * 20])
def test_another_number_of_fresh_arguments_is_refused(kernels, args):
    with pytest.raises(TypeError, match=f"prepared for 2 arguments, got {len(args)}"):
        kernels["sum_ints"].prepare(1, 2)(*args)


def test_fresh_arguments_are_refused_where_none_were_prepared(kernels):
    with pytest.raises(TypeError, match="prepared for 0 arguments, got 1"):
        kernels["nargs"].prepare()(1)


@pytest.mark.parametrize(
    ("prepared", "fresh", "told"),
    [
        (1, 1.5, ["int", "float"]),
        (1, "1", ["int", "str"]),
        (1.5, 1, ["float", "int"]),
        ("a", b"a", ["str", "bytes"]),
        (True, 1, ["bool", "int"]),
        (None, 0, ["None", "int"]),
        (tvmgo.cpu(0), "cpu", ["device", "str"]),
        ([1], {}, ["list", "dict"]),
    ],
    ids=repr,
)
def test_fresh_argument_of_another_type_is_refused(kernels, prepared, fresh, told):
    call = kernels["nargs"].prepare(0, prepared)
    with pytest.raises(TypeError, match="argument 1: the call was prepared for") as caught:
        call(0, fresh)
    assert all(word in str(caught.value) for word in told)


@pytest.mark.parametrize(
    ("fresh", "kind", "told"),
    [
        (tvmgo.array([1, 2], "int32"), TypeError, ["float32", "int32"]),
        (tvmgo.empty([3]), ValueError, ["(2,)", "(3,)"]),
        (tvmgo.empty([2, 1]), ValueError, ["(2,)", "(2, 1)"]),
        (tvmgo.empty([]), ValueError, ["(2,)", "()"]),
        (np.zeros(3, np.float32), ValueError, ["(2,)", "(3,)"]),
        (np.zeros(2), TypeError, ["float32", "float64"]),
        (tvmgo.empty([2], "float32", tvmgo.cpu(1)), TypeError, ["cpu:0", "cpu:1"]),
    ],
    ids=["type", "extent", "dimensions", "0-d", "ndarray's extent", "ndarray's type", "device"],
)
def test_fresh_array_of_another_layout_is_refused(kernels, fresh, kind, told):
    x, out = tvmgo.empty([2]), tvmgo.array([7, 7], "float32")
    call = kernels["myadd"].prepare(x, x, out)
    with pytest.raises(kind, match="argument 1: the call was prepared for") as caught:
        call(x, fresh, out)
    assert all(word in str(caught.value) for word in told)
    assert out.numpy().tolist() == [7, 7]


def test_keyword_arguments_are_refused(kernels):
    call = kernels["nargs"].prepare(1)
    with pytest.raises(TypeError, match="no keyword arguments"):
        call(x=1)


# ---------------------------------------------------------------- preparing


def test_argument_that_cannot_be_passed_is_named(kernels):
    with pytest.raises(TypeError, match="argument 2: cannot pass object; expected"):
        kernels["nargs"].prepare(1, [2, "x"], object())


def test_read_only_array_is_refused(kernels):
    array = np.zeros(2, np.float32)
    array.flags.writeable = False
    with pytest.raises(BufferError, match="argument 1: .*read-only"):
        kernels["nargs"].prepare(1, array)


def test_prepared_call_cannot_be_made_by_its_class():
    with pytest.raises(TypeError):
        tvmgo.PreparedCall()


def test_prepared_call_tells_what_it_is(kernels):
    function = kernels["nargs"]
    call = function.prepare(1, "b")
    assert call.function is function
    assert call.args == (1, "b")
    assert "PreparedCall" in repr(call) and "2 arguments" in repr(call)


def test_arguments_are_kept_alive_and_freed_after(kernels):
    array = np.zeros(2, np.float32)
    alive = weakref.ref(array)
    call = kernels["tensor_ndim"].prepare(array)
    del array
    gc.collect()
    assert alive() is not None and call() == 1
    del call
    assert alive() is None


def test_function_is_kept_alive(kernels):
    call = tvmgo.convert_function(lambda: 5).prepare()
    gc.collect()
    assert call() == 5


def test_cycle_through_a_prepared_call_is_collected():
    class Holder:
        pass

    holder = Holder()
    holder.call = tvmgo.convert_function(lambda: holder.call).prepare()
    alive = weakref.ref(holder)
    del holder
    gc.collect()
    assert alive() is None


def test_prepared_call_in_garbage_can_still_be_called(kernels):
    answers = []

    class Caller:
        def __del__(self):
            answers.append(self.call())

    caller = Caller()
    caller.call = kernels["echo"].prepare([1, 2])
    caller.itself = caller
    del caller
    gc.collect()
    assert answers == [[1, 2]]


def test_prepared_call_follows_the_gil_policy_of_its_function(kernels):
    function = kernels["sum_ints"]
    call = function.prepare(1, 2)
    function.release_gil = False
    assert call() == 3
    function.release_gil = True
    assert call() == 3


def test_threads_may_share_a_prepared_call(kernels):
    x, y, out = aligned(*range(1000)), np.arange(2000, dtype=np.float32)[::2], tvmgo.empty([1000])
    call = kernels["myadd"].prepare(x, y, out)
    threads = [threading.Thread(target=lambda: [call() for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(out.numpy(), x + y)
