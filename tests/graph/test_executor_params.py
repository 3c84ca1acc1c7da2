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
        one_record(ndim=4, shape=(1, 2, 1, 1)),
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
        "ones-in-the-shape",
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


# What writers of TVM 0.2 to 0.20 and of today put down as (type code, bits), by the name that a graph
# has for the type. All take whole bytes for an element.
SIGNED_BYTES = [(0, 8), (0, 4), (0, 1), (1, 1), (6, 8)]  # int8, int4, int1, uint1, today's bool
UNSIGNED_BYTES = [(1, 8), (1, 4)]
WRITTEN_AS = {
    **dict.fromkeys(["bool", "uint1", "int8", "int4"], SIGNED_BYTES),
    **dict.fromkeys(["uint8", "uint4"], UNSIGNED_BYTES),
    "float16": [(2, 16)],
    "bfloat16": [(4, 16)],
    "int64": [(0, 64)],
    "handle": [(3, 64)],
    "e4m3_float8": [(6, 8), (10, 8)],
    "e5m2_float8": [(7, 8), (12, 8)],
    "float8_e3m4": [(7, 8)],
}


def of_type(code, bits):
    stored = np.zeros(6, f"u{-(-bits // 8)}")
    return params_blob([("p", None)], records=[tensor_record(stored, code=code, bits=bits)])


@pytest.mark.parametrize("dtype", WRITTEN_AS)
@pytest.mark.parametrize("written", sorted(set(sum(WRITTEN_AS.values(), [(99, 8), (99, 64)]))))
def test_params_have_the_element_type_of_the_graph(dtype, written):
    module = make([var("p", (6,), dtype)], ["p"])
    if written in WRITTEN_AS[dtype]:
        module["load_params"](of_type(*written))
        assert "p" not in module["get_input_info"]()["shape"]  # it counts as a parameter now
        return
    with pytest.raises(ValueError, match=r'input "p": expected .*\[6\].* got .*\[6\]'):
        module["load_params"](of_type(*written))
    assert "p" in module["get_input_info"]()["shape"]


def test_vectors_are_no_scalars():
    module = make([var("p", (2,), "float32x4")], ["p"])
    with pytest.raises(ValueError, match=r'"p": expected .*float32x4\[2\], got float32\[2, 4\]'):
        module["load_params"](params_blob([("p", np.zeros((2, 4), "f4"))]))


SHAPES = [(), (1,), (6,), (6, 1), (1, 6), (2, 3), (1, 2, 1, 3, 1), (3, 2), (2, 2), (0, 2), (2, 0)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("given", SHAPES, ids=str)
def test_params_have_the_shape_of_the_graph(shape, given):
    module = make([var("p", shape)], ["p"])
    blob = params_blob([("p", np.ones(given, "f4"))])
    if np.zeros(shape).squeeze().shape == np.zeros(given).squeeze().shape:
        module["load_params"](blob)
        np.testing.assert_array_equal(module["get_input"]("p").numpy(), np.ones(shape))
        return
    with pytest.raises(ValueError) as error:
        module["load_params"](blob)
    for text in (list(shape), list(given)):
        assert f"float32{text}" in str(error.value)


def test_one_wrong_param_keeps_all_others_out():
    module = make([var("a", (2,)), var("b", (2,))], ["a"])
    with pytest.raises(ValueError, match='input "b": .*float32.*int32'):
        module["load_params"](params_blob([("a", f32(1, 2)), ("b", np.ones(2, "i4"))]))
    np.testing.assert_array_equal(module["get_input"]("a").numpy(), [0, 0])


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
