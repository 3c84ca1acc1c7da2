# SPDX-License-Identifier: Apache-2.0
"""Arrays read by index, as lists and in loops, compared with NumPy."""

import gc

import ml_dtypes
import numpy as np
import pytest

import tvmgo
from tests.core.arrays import ML_NAMES, NUMPY_NAMES

SHAPE = (2, 3, 4)
INDICES = [
    0,
    -1,
    np.int8(1),
    (1, 2),
    (1, 2, 3),
    (-1, -1, -1),
    slice(None),
    slice(1),
    slice(None, None, -1),
    (slice(None), 1),
    (slice(None), slice(0, 3, 2), -2),
    ...,
    (..., 0),
    (0, 0, 0, ...),
    (),
    None,
    (0, None, 1),
    slice(5, 9),
]


def counted(shape, dtype="int32"):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_index_finds_what_numpy_finds(index):
    values = counted(SHAPE)
    found, expected = tvmgo.array(values)[index], values[index]
    if isinstance(expected, np.ndarray):
        assert type(found) is tvmgo.Array
        assert (found.shape, found.dtype, found.device) == (expected.shape, "int32", tvmgo.cpu())
        np.testing.assert_array_equal(found.numpy(), expected)
    else:
        assert (type(found), found) == (int, expected)


@pytest.mark.parametrize("index", [1, slice(None, None, -1), (slice(None), 2), ...], ids=repr)
def test_part_shares_memory_with_the_array_and_keeps_it_alive(index):
    values = counted((3, 4))
    x = tvmgo.array(values)
    part = x[index]
    np.asarray(x)[...] += 100
    del x
    gc.collect()
    np.testing.assert_array_equal(part.numpy(), (values + 100)[index])
    np.asarray(part)[...] = 7
    assert set(np.asarray(part).ravel().tolist()) == {7}


def test_part_written_to_changes_the_array():
    x = tvmgo.array(counted((3, 4)))
    x[1][:] = np.zeros(4, "int32")
    np.testing.assert_array_equal(x.numpy()[1], 0)
    assert x[0, 1] == 1


@pytest.mark.parametrize("index", [2, -3, (0, 3), (0, 0, 0, 0), (..., 4), 2**70])
def test_index_outside_raises_index_error(index):
    with pytest.raises(IndexError, match="^index: ") as caught:
        tvmgo.array(counted(SHAPE))[index]
    assert isinstance(caught.value, tvmgo.TVMError)


@pytest.mark.parametrize(
    "index", [[0], 1.0, "a", True, np.array([0]), np.array(True), (0, [1]), b"", {}], ids=repr
)
def test_index_of_another_kind_raises_type_error(index):
    with pytest.raises(TypeError, match="^index: expected ints.*asarray"):
        tvmgo.array(counted(SHAPE))[index]


def test_slice_of_something_else_raises_type_error():
    with pytest.raises(TypeError):
        tvmgo.array(counted(SHAPE))["a":]


@pytest.mark.parametrize("name", NUMPY_NAMES)
def test_elements_are_pythons_numbers(name):
    values = np.asarray([0, 1, 1]).astype(name)
    x = tvmgo.array(values)
    assert x.tolist() == list(x) == [x[0], x[1], x[2]] == values.tolist()
    assert {type(x[1]), *map(type, x.tolist()), *map(type, x)} == {type(values.tolist()[0])}


@pytest.mark.parametrize("name", ML_NAMES)
def test_elements_of_small_floats_are_floats(name):
    values = np.asarray([1, 2, 0.5]).astype(getattr(ml_dtypes, name))
    x = tvmgo.array(values)
    expected = values.astype("float64").tolist()
    assert x.tolist() == list(x) == [x[i] for i in range(3)] == expected
    assert type(x[0]) is float
    assert x[1:].dtype == name


@pytest.mark.parametrize(
    "name, reason",
    [("int4", "packed below one byte"), ("float32x4", "vector"), ("handle", "handle")],
)
def test_elements_that_numpy_lacks_raise_type_error(name, reason):
    x = tvmgo.empty(4, name)
    for read in (lambda: x[0], lambda: x[1:], x.tolist, lambda: list(x)):
        with pytest.raises(TypeError, match=reason):
            read()
    assert len(x) == 4


@pytest.mark.parametrize("shape", [(3,), (2, 3), (0,), (0, 2), (2, 0), (1, 1, 1)])
def test_length_list_and_loop_are_numpys(shape):
    values = counted(shape)
    x = tvmgo.array(values)
    assert len(x) == len(values)
    assert x.tolist() == values.tolist()
    assert [part if isinstance(part, int) else part.tolist() for part in x] == values.tolist()


def test_0d_array_is_one_number_without_a_length():
    x = tvmgo.array(np.int32(5))
    assert (x[()], x[...].shape, x.tolist()) == (5, (), 5)
    with pytest.raises(TypeError, match="0-d"):
        len(x)
    with pytest.raises(TypeError, match="0-d"):
        iter(x)
    with pytest.raises(IndexError):
        x[0]


def test_strided_array_is_read_as_it_is():
    values = counted((4, 6))[::-2, 1::2]
    x = tvmgo.from_dlpack(values)
    assert x.tolist() == values.tolist()
    assert x[1, 2] == values[1, 2]
    assert x[:, 0].tolist() == values[:, 0].tolist()


def test_number_is_looked_for_in_the_elements():
    x = tvmgo.array([1, 2, 3])
    assert 2 in x
    assert 5 not in x


@pytest.mark.parametrize("value, truth", [(0, False), (3, True), ([0.0], False), ([[2.5]], True)])
def test_truth_of_one_element_is_its_own(value, truth):
    assert bool(tvmgo.array(value)) is truth


@pytest.mark.parametrize("shape", [(2,), (0,), (2, 0)])
def test_truth_of_other_arrays_raises_value_error(shape):
    with pytest.raises(ValueError, match="neither true nor false"):
        bool(tvmgo.empty(shape))


@pytest.mark.parametrize("index", [slice(None), ...], ids=repr)
def test_all_elements_can_be_set(index):
    x = tvmgo.empty(3, "int32")
    x[index] = [1, 2, 3]
    assert x.tolist() == [1, 2, 3]


def test_repr_has_shape_type_and_device():
    assert repr(tvmgo.empty((2, 3), "int8")) == "<tvmgo.Array (2, 3) int8 on cpu:0>"
