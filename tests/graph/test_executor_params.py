# SPDX-License-Identifier: Apache-2.0
"""Parameters of a graph executor: loaded from a file, whatever its bytes, and shared."""

import copy

import numpy as np
import pytest

import tvmgo
from tests.blobs import LIST_MAGIC, TENSOR_MAGIC, number, params_blob, tensor_record
from tests.graph.executors import create, make, run, worked
from tests.graphs import WORKED, WORKED_GRAPH, WORKED_PARAMS, var
from tests.helpers import f32


def test_params_cut_at_any_byte_change_nothing():
    module = create(WORKED_GRAPH)
    module["load_params"](params_blob([("k0", f32(3, 4))]))
    for length in range(len(WORKED_PARAMS)):
        with pytest.raises(ValueError, match="Invalid parameters file|Invalid DLTensor file"):
            module["load_params"](WORKED_PARAMS[:length])
    np.testing.assert_array_equal(module["get_input"]("k0").numpy(), f32(3, 4))
    assert set(module["get_input_info"]()["shape"]) == {"x"}


def one_record(**changes):
    return params_blob([("k0", f32(3, 4))], records=[tensor_record(f32(3, 4), **changes)])


GOOD_K0 = params_blob([("k0", f32(3, 4))])


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (params_blob([("k0", f32(3, 4))], magic=LIST_MAGIC + 1), "Invalid parameters file format"),
        (params_blob([("k0", f32(3, 4))], names=2), "Invalid parameters file format"),
        (params_blob([("k0", f32(3, 4))], names=2**64 - 1), "Invalid parameters file format"),
        (params_blob([("k0", f32(3, 4))], tensors=2), "as many tensors as names"),
        (params_blob([("k0", f32(3, 4))], tensors=0), "as many tensors as names"),
        (GOOD_K0[:24] + number(2**63) + GOOD_K0[32:], "a name at byte 32 needs"),
        (one_record(magic=TENSOR_MAGIC - 1), "Invalid DLTensor file format"),
        (one_record(device_type=2), "Invalid DLTensor device"),
        (one_record(ndim=-1), "Invalid DLTensor file format.*number of dimensions"),
        (one_record(ndim=2**31 - 1), "Invalid DLTensor file format.*number of dimensions"),
        (one_record(bits=0), "width"),
        (one_record(bits=3), "width"),
        (one_record(bits=12), "width"),
        (one_record(lanes=0), "lane"),
        (one_record(shape=(-2,)), "not negative"),
        (one_record(ndim=3, shape=(2**40, 2**40, 2)), "fits in memory"),
        (one_record(nbytes=7), "a data length"),
        (one_record(nbytes=16), "a data length"),
        (one_record(nbytes=-8), "a data length"),
        (one_record(shape=(1,)), "a data length"),
        (one_record(lanes=2, shape=(2,), nbytes=16), "a data length"),
        (one_record(shape=(2**60,), nbytes=2**62), "the data at byte"),
        (one_record(code=1, bits=1, shape=(8,), nbytes=0, data=b""), "a data length"),
        (params_blob([("k0", f32(3, 4, 5))]), 'input "k0".*The size must exactly match'),
        (
            params_blob([("x", f32(8, 9)), ("k0", f32(3))]),
            'input "k0".*The size must exactly match',
        ),
        (b"", "Invalid parameters file format"),
        ("text", "Invalid parameters file format"),
    ],
    ids=[
        "list-magic",
        "more-names",
        "huge-name-count",
        "more-tensors",
        "fewer-tensors",
        "huge-name",
        "tensor-magic",
        "device-type",
        "ndim-negative",
        "ndim-absurd",
        "bits-0",
        "bits-3",
        "bits-12",
        "lanes-0",
        "dim-negative",
        "shape-overflow",
        "nbytes-short",
        "nbytes-long",
        "nbytes-negative",
        "shape-short",
        "lanes-counted",
        "data-beyond-blob",
        "bool-of-0.6",
        "size-larger",
        "second-tensor-smaller",
        "empty",
        "str",
    ],
)
def test_malformed_params_change_nothing(blob, message):
    module = worked()
    with pytest.raises(ValueError, match=message):
        module["load_params"](blob)
    np.testing.assert_array_equal(module["get_input"]("k0").numpy(), f32(1.5, -2.0))
    np.testing.assert_array_equal(module["get_input"]("x").numpy(), f32(0, 0))


@pytest.mark.parametrize(
    "blob",
    [
        params_blob([("k0", f32(3, 4))], reserved=2**64 - 1),
        one_record(reserved=12345, device_id=-7),
        one_record(code=99),
        one_record(code=0, bits=8, ndim=2, shape=(8, 1)),
        params_blob([("k0", f32(3, 4))]) + b"trailing bytes",
        params_blob([("k0", f32(1, 1)), ("k0", f32(3, 4))]),
        params_blob([("", f32(1)), ("k0", f32(3, 4)), ("none", np.zeros((0, 5), "int8"))]),
        params_blob(
            [("k0", None), ("empty", None)],
            records=[
                tensor_record(f32(3, 4)),
                tensor_record(np.zeros((0,), "int64"), ndim=3, shape=(2**40, 0, 2**40)),
            ],
        ),
    ],
    ids=[
        "list-reserved",
        "tensor-reserved",
        "unknown-code",
        "other-shape-and-type",
        "trailing",
        "duplicate-last-wins",
        "unknown-and-empty",
        "huge-beside-zero",
    ],
)
def test_unusual_params_are_loaded(blob):
    module = worked()
    module["load_params"](blob)
    np.testing.assert_array_equal(module["get_input"]("k0").numpy(), f32(3, 4))


@pytest.mark.parametrize("wrap", [bytes, tvmgo.ByteArray], ids=["bytes", "ByteArray"])
def test_params_without_tensors_are_loaded(wrap):
    worked()["load_params"](wrap(params_blob([])))


@pytest.mark.parametrize(
    "value",
    [
        np.array([True, False, True]),
        np.array(True),
        np.array(7, "i8"),
        np.zeros((3, 0), "f4"),
        np.arange(6, dtype="u2").reshape(2, 3),
    ],
    ids=["bool", "bool-0d", "int64-0d", "empty", "uint16"],
)
def test_params_of_any_shape_arrive(value):
    dtype = "uint1" if value.dtype == bool else value.dtype.name
    module = make([var("p", value.shape, dtype)], ["p"])
    module["load_params"](params_blob([("p", value)]))
    np.testing.assert_array_equal(module["get_input"]("p").numpy(), value)


def test_share_params_uses_the_other_executors_memory():
    owner, borrower = worked(), create(WORKED_GRAPH)
    borrower["share_params"](owner, WORKED_PARAMS)
    owner["load_params"](params_blob([("k0", f32(3, 4))]))
    del owner
    np.testing.assert_array_equal(run(borrower, x=f32(1, 2))[0], f32(16, 36))
    assert list(borrower["get_input_info"]()["shape"]) == ["x", "k0"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda graph: graph["nodes"][1].update(name="other"), KeyError, 'no input "k0"'),
        (lambda graph: graph["attrs"]["shape"][1].__setitem__(1, [1, 2]), ValueError, "float32"),
    ],
    ids=["name", "shape"],
)
def test_share_params_that_do_not_fit_raise(change, error, message):
    graph = copy.deepcopy(WORKED)
    change(graph)
    with pytest.raises(error, match=message):
        worked()["share_params"](create(graph), WORKED_PARAMS)


def test_share_params_with_another_kind_of_module_raises(kernels):
    with pytest.raises(TypeError, match="expected a graph executor, got a module of kind"):
        worked()["share_params"](kernels, WORKED_PARAMS)


def test_share_params_reads_names_only():
    header = WORKED_PARAMS[:44]
    create(WORKED_GRAPH)["share_params"](worked(), header)
    with pytest.raises(ValueError, match="Invalid parameters file format"):
        create(WORKED_GRAPH)["share_params"](worked(), header[:-1])
