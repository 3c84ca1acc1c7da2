# SPDX-License-Identifier: Apache-2.0
"""Arguments of functions of classic libraries (TVM 0.2 to 0.20), and what the loader fills in.

The library is C in the classic calling convention (``sources/every.c``). Expected values come from
arithmetic, NumPy and the convention itself.
"""

import gc

import numpy as np
import pytest

import tvmgo
from tests.classic.arrays import (
    BITS,
    CODE,
    FIRST,
    LANES,
    NDIM,
    OFFSET,
    STRIDES,
    OffsetExporter,
    aligned,
)
from tests.classic.loading import load_classic

# ---------------------------------------------------------------- what the loader fills in


def test_all_variables_are_filled_and_the_result_is_preset(every):
    assert every["filled"]() == (1 << 10) - 1


def test_module_says_what_it_is(every):
    assert every.kind == "classic_library"
    assert every.imports == []


@pytest.mark.parametrize(
    "name",
    [
        "no_such_function",
        "hidden",
        "a_variable",
        "strlen",
        "malloc",
        "__TVMFuncCall",
        "__tvm_module_ctx",
        "",
        "main",
    ],
)
def test_what_is_not_a_function_of_the_library_is_not_found(every, name):
    assert name not in every
    with pytest.raises(KeyError):
        every[name]


def test_name_with_nul_is_nobody_s(every):
    find = tvmgo.get_global_function("ffi.ModuleGetFunction")
    assert find(every, "nothing", False) is not None
    assert find(every, "nothing\0else", False) is None


def test_a_function_keeps_the_library_alive(fresh_path):
    function = load_classic(fresh_path)["sum"]
    gc.collect()
    assert function(1, 2) == 3


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    "value, code",
    [
        (None, 4),
        (5, 0),
        (-5, 0),
        (True, 0),
        (False, 0),
        (2.5, 2),
        (tvmgo.DType("float16"), 5),
        (tvmgo.cpu(0), 6),
        ("", 11),
        ("short", 11),
        ("a string too long for the cell", 11),
        (b"", 12),
        (b"short", 12),
        (b"bytes too long for the cell", 12),
        (bytearray(b"xyz"), 12),
        ([1, 2], 8),
        ({"a": 1}, 8),
    ],
    ids=repr,
)
def test_type_code_of_an_argument(every, value, code):
    assert every["code_of"](value, 0) == code


def test_pointer_passes_both_ways(every):
    pointer = every["as_code"](4096, 3)
    assert every["code_of"](pointer, 0) == every["code_of_result"](lambda: pointer) == 3
    assert every["bits_of"](pointer) == every["bits_of"](every["identity"](pointer)) == 4096
    assert every["bits_of"](every["call"](lambda x: x, pointer)) == 4096


def test_type_codes_of_objects(every):
    assert every["code_of"](tvmgo.empty((2,), "float32"), 0) == 7
    assert every["code_of"](every, 0) == 9
    assert every["code_of"](every["sum"], 0) == 10
    assert every["code_of"](lambda: None, 0) == 10


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 100, 10000])
def test_any_number_of_arguments(every, count):
    assert every["num_args_of"](*range(count)) == count
    assert every["sum"](*range(count)) == sum(range(count))


def test_many_tensors(every):
    tensors = [tvmgo.array(np.full(3 + i, i, "float32")) for i in range(40)]
    for i in range(40):
        assert every["code_of"](*tensors, i) == 7
    assert every["tensor_fact"](tensors[9], 9) == 12


@pytest.mark.parametrize(
    "value, bits",
    [
        (1, 1),
        (-1, -1),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (True, 1),
        (None, 0),
        (1.0, 0x3FF0000000000000),
        (tvmgo.DType("float32x4"), 0x42002),
        (tvmgo.Device("cuda:3"), 0x300000002),
    ],
    ids=repr,
)
def test_payload_of_an_argument_fills_the_whole_cell(every, value, bits):
    assert every["bits_of"](value) == bits


@pytest.mark.parametrize("text", ["", "a", "seven77", "eight888", "é" * 3, "x" * 100000])
def test_text_arrives_whole(every, text):
    assert every["text_length"](text) == len(text.encode())


@pytest.mark.parametrize("text", ["a\0b", "\0", "a long string with a NUL at its end\0"])
def test_text_with_nul_is_refused(every, text):
    with pytest.raises(ValueError, match="argument 0.*NUL"):
        every["text_length"](text)


@pytest.mark.parametrize("content", [b"", b"\0", b"seven77", b"eight888", bytes(range(256))])
def test_bytes_arrive_whole(every, content):
    assert every["bytes_sum"](content) == 1000 * len(content) + sum(content)


# ---------------------------------------------------------------- tensors as arguments


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 3), (1, 1, 5), (0,), (3, 0, 2)], ids=str)
def test_compact_tensor_has_no_strides(every, shape):
    fact = every["tensor_fact"]
    x = tvmgo.empty(shape, "float32")
    assert fact(x, NDIM) == len(shape)
    assert fact(x, STRIDES) == 0
    assert fact(x, FIRST) == (shape[0] if shape else -1)


@pytest.mark.parametrize("strides", [(0, 4), (4, 4), (1000, 4), (-4, 4)])
def test_strides_of_a_dimension_of_one_do_not_matter(every, strides):
    base = aligned(np.arange(64))
    x = np.lib.stride_tricks.as_strided(base, (1, 4), strides)
    assert every["tensor_fact"](x, STRIDES) == 0


@pytest.mark.parametrize("take", [np.s_[::2], np.s_[::-1]], ids=["steps", "backwards"])
def test_strided_tensor_is_refused(every, take):
    with pytest.raises(ValueError, match="tensor_fact: argument 0.*contiguous.*strides"):
        every["tensor_fact"](aligned(np.arange(64))[take], NDIM)


def test_transposed_tensor_is_refused(every):
    with pytest.raises(ValueError, match="contiguous"):
        every["tensor_fact"](aligned(np.zeros((4, 3))).T, NDIM)


@pytest.mark.parametrize(
    "dtype, code, bits",
    [
        ("int8", 0, 8),
        ("int64", 0, 64),
        ("uint8", 1, 8),
        ("uint32", 1, 32),
        ("float16", 2, 16),
        ("float64", 2, 64),
        ("bfloat16", 4, 16),
        ("bool", 1, 1),
    ],
)
def test_element_type_as_the_library_sees_it(every, dtype, code, bits):
    x = tvmgo.empty((4,), dtype)
    assert [every["tensor_fact"](x, fact) for fact in (CODE, BITS, LANES)] == [code, bits, 1]


def test_vector_type_keeps_its_lanes(every):
    assert every["tensor_fact"](tvmgo.empty((4,), "float32x4"), LANES) == 4


@pytest.mark.parametrize(
    "dtype", ["float8_e4m3fn", "float8_e5m2", "float4_e2m1fn", "int4", "uint4", "uint1", "boolx2"]
)
def test_element_type_of_other_meaning_is_refused(every, dtype):
    x = tvmgo.empty((16,), dtype)
    with pytest.raises(TypeError, match=f"argument 0.*{dtype}"):
        every["tensor_fact"](x, NDIM)


def test_bool_tensor_goes_in_and_out(every):
    x = tvmgo.array(np.array([True, False, True]))
    y = tvmgo.empty((3,), "bool")
    every["invert"](x, y)
    assert np.asarray(y).tolist() == [False, True, False]


@pytest.mark.parametrize("offset", [4, 64])
def test_byte_offset_is_folded_into_the_address(every, offset):
    x = OffsetExporter(aligned(np.arange(32)), offset)
    assert every["tensor_fact"](x, OFFSET) == 0
    out = tvmgo.empty((16,), "float32")
    every["add"](x, x, out)
    first = offset // 4
    assert np.asarray(out).tolist() == (2 * np.arange(first, first + 16)).tolist()


def test_byte_offset_of_a_bool_tensor_is_folded_too(every):
    values = np.arange(80) >= 70
    x, y = OffsetExporter(aligned(values, dtype="bool"), 64), tvmgo.empty((16,), "bool")
    assert every["tensor_fact"](x, OFFSET) == 0
    every["invert"](x, y)
    assert np.asarray(y).tolist() == (~values[64:]).tolist()


# ---------------------------------------------------------------- arguments only C code passes


@pytest.fixture(scope="session")
def call_with(caller):
    return caller["call_with"]


BARE_TENSOR, RAW_TEXT, BYTES_POINTER, RVALUE = range(4)


@pytest.mark.parametrize(
    "which, code", [(BARE_TENSOR, 7), (RAW_TEXT, 11), (BYTES_POINTER, 12), (RVALUE, 7)]
)
def test_type_code_of_what_c_code_passes(every, call_with, which, code):
    assert call_with(every["code_of"], tvmgo.empty((3,), "float32"), which) == code


def test_values_of_what_c_code_passes(every, call_with):
    x = tvmgo.array(np.arange(3, dtype="float32"))
    assert call_with(every["tensor_fact"], x, BARE_TENSOR) == 1
    assert call_with(every["text_length"], x, RAW_TEXT) == 3
    assert call_with(every["bytes_sum"], x, BYTES_POINTER) == 3000 + ord("a") + ord("b")
    np.asarray(call_with(every["identity"], x, RVALUE))[0] = 5
    assert np.asarray(x)[0] == 5


@pytest.mark.parametrize("name", ["identity", "as_ndarray"])
def test_bare_tensor_cannot_be_given_back(every, call_with, name):
    with pytest.raises(TypeError, match=f"{name} returned a tensor that belongs to nobody"):
        call_with(every[name], tvmgo.empty((3,), "float32"), BARE_TENSOR)
