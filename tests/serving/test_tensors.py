# SPDX-License-Identifier: Apache-2.0
"""Tensors of the protocol as arrays, beside what the message says."""

import numpy as np
import pytest

from tvmgo import DType, TensorInfo
from tvmgo.model import TensorShapeError, TensorTypeError
from tvmgo.serving.tensors import (
    DATATYPES,
    array_of,
    checked_datatypes,
    datatypes_of,
    metadata_of,
    unique,
)


@pytest.mark.parametrize("datatype", DATATYPES)
def test_elements_and_bytes_are_the_same_array(datatype):
    dtype = DATATYPES[datatype]
    expected = np.array([[1, 0, 1], [1, 1, 0]], dtype)
    numbers = expected.tolist()
    nested = array_of("x", datatype, [2, 3], numbers)
    flat = array_of("x", datatype, [2, 3], sum(numbers, []))
    binary = array_of("x", datatype, [2, 3], None, memoryview(expected.tobytes()))
    for array in (nested, flat, binary):
        assert array.dtype == dtype and array.shape == (2, 3)
        assert (array == expected).all()


def test_bytes_are_read_where_they_lie():
    body = b"xyz" + np.arange(4, dtype="<i4").tobytes()  # not on a multiple of four
    array = array_of("x", "INT32", [4], None, memoryview(body)[3:])
    assert array.tolist() == [0, 1, 2, 3]
    assert np.may_share_memory(array, np.frombuffer(body, np.uint8))


@pytest.mark.parametrize("raw", [None, b""])
@pytest.mark.parametrize("shape", [[0], [3, 0, 2]])
def test_nothing_has_a_shape(shape, raw):
    assert array_of("x", "FP32", shape, [], raw).shape == tuple(shape)


def test_scalar():
    assert array_of("x", "FP32", [], [2.5]).shape == ()
    assert array_of("x", "INT8", [], None, b"\xff")[()] == -1


@pytest.mark.parametrize(
    "datatype, shape, data, message",
    [
        ("FP8", [1], [1], "one of BOOL, UINT8.*got 'FP8'"),
        ("BYTES", [1], ["a"], "one of BOOL"),
        ("fp32", [1], [1], "one of BOOL"),
        ("FP32", [2], [1], "expected 2 elements, got 1 elements"),
        ("FP32", [1], [1, 2], "expected 1 elements, got 2 elements"),
        ("FP32", [-1], [1], "expected sizes"),
        ("FP32", [1.0], [1], "expected sizes"),
        ("FP32", [True], [1], "expected sizes"),
        ("FP32", ["1"], [1], "expected sizes"),
        ("FP32", [1] * 33, [1], "expected sizes"),
        ("FP32", [2], [[1], [2, 3]], "rows of equal length"),
        ("FP32", [1], ["1"], "elements of float32"),
        ("FP32", [1], [None], "elements of float32"),
        ("FP32", [1], [{}], "elements of float32"),
        ("FP32", [1], [True], "elements of float32"),
        ("INT32", [1], [1.0], "elements of int32"),
        ("INT64", [2], [2**63, -1], "elements of int64"),
        ("UINT64", [1], [2**64], "elements of uint64"),
        ("BOOL", [1], [1], "elements of bool"),
    ],
)
def test_what_is_no_tensor_is_refused(datatype, shape, data, message):
    with pytest.raises((TensorTypeError, TensorShapeError), match=f"input 'x': .*{message}"):
        array_of("x", datatype, shape, data)


@pytest.mark.parametrize(
    "datatype, number",
    [
        ("INT8", 128),
        ("INT8", -129),
        ("UINT8", -1),
        ("UINT32", 2**32),
        ("FP32", 1e39),
        ("FP16", 65536),
    ],
)
def test_numbers_that_do_not_fit_are_refused(datatype, number):
    with pytest.raises(OverflowError, match="out of range"):
        array_of("x", datatype, [2], [1, number])


@pytest.mark.parametrize("length", [0, 7, 9])
def test_length_of_bytes_is_that_of_the_shape(length):
    with pytest.raises(TensorShapeError, match=f"expected 8 bytes, got {length} bytes"):
        array_of("x", "FP32", [2], None, bytes(length))


def test_a_shape_beyond_all_memory_is_compared_with_what_came():
    with pytest.raises(TensorShapeError, match="got 4 bytes"):
        array_of("x", "FP32", [2**62, 2**62], None, bytes(4))


def test_metadata():
    tensors = [
        TensorInfo("x", ("batch", 3), DType("float32")),
        TensorInfo("y", (), DType("bool")),
        TensorInfo("z", None, DType("int64")),
    ]
    assert metadata_of(tensors) == [
        {"name": "x", "datatype": "FP32", "shape": [-1, 3]},
        {"name": "y", "datatype": "BOOL", "shape": []},
        {"name": "z", "datatype": "INT64", "shape": [-1]},
    ]


@pytest.mark.parametrize("dtype", [None, DType("bfloat16"), DType("int4")])
def test_types_that_the_protocol_has_not(dtype):
    with pytest.raises(TypeError, match="x: expected an element type that the protocol has"):
        datatypes_of([TensorInfo("x", (1,), dtype)])


def test_datatypes_are_the_models_own():
    checked_datatypes({"x": "FP32", "unknown": "FP64"}, {"x": "FP32"})
    with pytest.raises(TensorTypeError, match="input 'x': expected FP32, got FP64"):
        checked_datatypes({"x": "FP64"}, {"x": "FP32"})


def test_names_differ():
    assert unique([("x", 1), ("y", 2)]) == {"x": 1, "y": 2}
    with pytest.raises(ValueError, match="input 'x': got two values"):
        unique([("x", 1), ("x", 2)])
