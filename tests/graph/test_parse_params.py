# SPDX-License-Identifier: Apache-2.0
"""What a .params file holds, without a graph: whatever its bytes."""

import ml_dtypes
import numpy as np
import pytest

import tvmgo
from tests.blobs import params_blob, tensor_record
from tests.graphs import WORKED_PARAMS

parse = tvmgo.get_global_function("tvmgo.parse_params")


def one(array, **changes):
    return params_blob([("p", None)], records=[tensor_record(array, **changes)])


def assert_equal(array, expected):
    assert array.dtype == expected.dtype
    np.testing.assert_array_equal(array.numpy(), expected)


def test_names_and_arrays_in_the_order_of_the_file():
    arrays = {
        "z": np.arange(6, dtype="float32").reshape(2, 3),
        "été": np.array(7, "int64"),
        "": np.zeros((3, 0), "uint8"),
        "b": np.array([True, False]),
    }
    parsed = parse(params_blob(list(arrays.items())))
    assert list(parsed) == list(arrays)
    for name, array in arrays.items():
        assert isinstance(parsed[name], tvmgo.Array)
        assert_equal(parsed[name], array)


def test_an_empty_file_and_equal_names():
    assert parse(params_blob([])) == {}
    parsed = parse(params_blob([("p", np.zeros(2)), ("p", np.ones(3))]))
    assert_equal(parsed["p"], np.ones(3))  # the last, as load_params has it


def test_each_array_has_memory_of_its_own():
    blob = bytearray(params_blob([("p", np.arange(3))]))
    array = parse(blob)["p"]
    blob[:] = bytes(len(blob))
    assert_equal(array, np.arange(3))


@pytest.mark.parametrize(
    ("changes", "dtype"),
    [
        (dict(code=1, bits=1), "bool"),  # bool as TVM up to 0.20 wrote it
        (dict(code=6), "bool"),  # and as today's does
        (dict(code=1, bits=4), "uint8"),  # which the classic runtimes stored in a byte each
        (dict(code=0, bits=4), "int8"),
        (dict(code=10), "float8_e4m3fn"),
        (dict(code=14), "float8_e8m0fnu"),
    ],
)
def test_element_types_of_all_writers(changes, dtype):
    stored = np.array([0, 1, 1], "uint8")
    kind = getattr(ml_dtypes, dtype, dtype)
    assert_equal(parse(one(stored, **changes))["p"], stored.view(kind))


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (one(f := np.zeros(2, "float32"), lanes=2), "expected one lane"),
        (one(f, code=15), "expected a known element type"),
        (one(f, code=129), "expected a known element type"),
        (one(f, bits=2, nbytes=2), "expected elements of whole bytes, or integers of 1 or 4 bits"),
        (one(f, ndim=2, shape=(0, 2**62), nbytes=0, data=b""), "a shape that fits in memory"),
        # An 8-bit float of TVM 0.14 to 0.19, whose code is bool's today.
        (one(np.array([1, 56], "uint8"), code=6), "expected bools of 0 and 1"),
    ],
)
def test_what_no_array_can_show_is_refused(blob, message):
    with pytest.raises(ValueError, match=message):
        parse(blob)


def test_files_cut_at_any_byte_are_refused():
    for length in range(len(WORKED_PARAMS)):
        with pytest.raises(ValueError, match="Invalid parameters file|Invalid DLTensor file"):
            parse(WORKED_PARAMS[:length])


@pytest.mark.parametrize("arguments", [(), (b"", b""), (3,), (None,)])
def test_arguments_are_checked(arguments):
    with pytest.raises(
        TypeError, match=r"tvmgo.parse_params: (expected 1 arg|argument 0 .params_bytes)"
    ):
        parse(*arguments)
