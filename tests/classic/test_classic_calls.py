# SPDX-License-Identifier: Apache-2.0
"""Functions of classic libraries (TVM 0.2 to 0.20): arguments, results, errors, calls back.

The library is C in the classic calling convention (``classic/every.c``), compiled here. Expected
values come from arithmetic, NumPy and the convention itself.
"""

import ctypes
import gc
import shutil
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

import tvmgo
from tests.helpers import compile_library, output_of, resident_bytes, run_python

SOURCES = Path(__file__).parent / "sources"


@pytest.fixture(scope="session")
def every_path(tmp_path_factory):
    return compile_library(SOURCES / "every.c", tmp_path_factory.mktemp("classic") / "every.so")


def load(path):
    tvmgo._native.locate.load()
    return tvmgo.get_global_function("tvmgo.load_classic_library")(str(path))


@pytest.fixture(scope="session")
def every(every_path):
    return load(every_path)


@pytest.fixture
def fresh_path(every_path, tmp_path):
    """A copy of the library that nobody has opened, for tests of what a library holds on to."""
    return shutil.copy2(every_path, tmp_path)


def aligned(values, offset=0, dtype="float32"):
    """A NumPy array whose data lies `offset` bytes after a 64-byte boundary."""
    values = np.asarray(values, dtype)
    memory = np.zeros(values.nbytes + 128, "uint8")
    start = -memory.ctypes.data % 64 + offset
    view = memory[start : start + values.nbytes].view(dtype).reshape(values.shape)
    view[...] = values
    return view


class OffsetExporter:
    """16 numbers of an array, described by DLPack as its memory and an offset in bytes."""

    def __init__(self, array, offset):
        self.array, self.offset = array, offset

    def __dlpack_device__(self):
        return 1, 0

    def __dlpack__(self, **options):
        capsule = self.array[:16].__dlpack__()
        get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
        get_pointer.restype = ctypes.c_void_p
        get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
        byte_offset = get_pointer(capsule, b"dltensor") + 40
        ctypes.c_uint64.from_address(byte_offset).value = self.offset
        return capsule


def raised(function, *args):
    """What the call raises, without the traceback, whose frames would keep objects alive."""
    try:
        function(*args)
    except Exception as error:
        error.__traceback__ = None
        return error
    raise AssertionError("nothing was raised")


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
    function = load(fresh_path)["sum"]
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

NDIM, CODE, BITS, LANES, STRIDES, OFFSET, ADDRESS, DEVICE_TYPE, DEVICE_ID, FIRST = range(10)


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
def caller(tmp_path_factory):
    library = compile_library(SOURCES / "caller.c", tmp_path_factory.mktemp("caller") / "caller.so")
    return tvmgo.load_module(library)


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


# ---------------------------------------------------------------- misaligned tensors


@pytest.mark.parametrize("offset", [0, 4, 16, 32, 60])
def test_misaligned_tensors_compute(every, offset):
    x, y = aligned(np.arange(32), offset), aligned(np.zeros(32), (offset + 4) % 64)
    every["double_vectors"](x, y)
    assert y.tolist() == (2 * np.arange(32)).tolist()
    assert x.tolist() == np.arange(32).tolist()


@pytest.mark.parametrize("offset", [4, 60])
def test_library_sees_aligned_addresses(every, offset):
    assert every["tensor_fact"](aligned(np.arange(4), offset), ADDRESS) == 0
    assert every["tensor_fact"](aligned([True, False], offset, "bool"), BITS) == 1


def test_one_misaligned_array_twice_is_one_array(every):
    x = aligned(np.arange(4), 4)
    assert every["write_then_read"](x, x) == 7
    assert every["write_then_read"](x, x.reshape(2, 2)) == 7
    assert x.tolist() == [7, 1, 2, 3]


def test_a_copy_that_was_only_read_undoes_nothing(every):
    base = aligned(np.zeros(8))
    every["add"](base[1:5], base[2:6], base[0:4])  # the last is aligned, the others are not
    base[...] = np.arange(8)
    x = base[1:5]
    every["write_then_read"](base, x)  # writes base[0], reads a copy
    assert base.tolist() == [7, 1, 2, 3, 4, 5, 6, 7]
    every["write_then_read"](x, base[2:6])  # writes base[1] by a copy, reads another
    assert base.tolist() == [7, 7, 2, 3, 4, 5, 6, 7]


def test_overlapping_copies_both_keep_their_changes(every):
    base = aligned(np.arange(8))
    every["add"](base[1:3], base[1:3], base[2:4])
    assert base.tolist() == [0, 1, 2, 4, 4, 5, 6, 7]


def test_copy_of_a_call_that_fails_is_dropped(every):
    x = aligned(np.arange(4), 4)

    def fail(t):
        raise KeyError

    raised(every["write_then_call"], fail, x)
    assert x.tolist() == [0, 1, 2, 3]


def test_what_others_write_meanwhile_stays(every):
    x = aligned(np.arange(4), 4)
    every["write_then_call"](lambda t: x.__setitem__(1, 9), x)
    assert x.tolist() == [42, 9, 2, 3]


def test_arrays_of_several_sizes_at_one_misaligned_address(every):
    x, seen = aligned(np.arange(512), 4), []
    every["call"](lambda *views: seen.extend(np.array(view).tolist() for view in views), x[:2], x)
    assert seen == [[0, 1], list(range(512))]


def test_argument_of_an_outer_call_passed_on_by_an_inner_one(every):
    x, kept = aligned(np.arange(4)), []
    memory = weakref.ref(x.base)
    every["remember_then_call"](lambda: every["call_with_remembered"](kept.append), x)
    del x
    gc.collect()
    assert memory() is not None  # the argument itself, not only its memory
    assert np.asarray(kept[0]).tolist() == [0, 1, 2, 3]


def test_misaligned_tensor_in_a_callback_shows_what_the_library_wrote(every):
    x = aligned(np.arange(4), 4)
    seen = []
    every["write_then_call"](lambda t: seen.append(np.array(t)), x)
    assert seen[0].tolist() == [42, 1, 2, 3]
    assert x.tolist() == [42, 1, 2, 3]


# ---------------------------------------------------------------- results


@pytest.mark.parametrize(
    "value",
    [
        None,
        0,
        -1,
        2**63 - 1,
        2.5,
        "text",
        "a string too long for the cell",
        b"",
        b"a\0b",
        b"bytes too long for the cell",
        tvmgo.DType("float32x4"),
        tvmgo.cpu(1),
    ],
    ids=repr,
)
def test_identity(every, value):
    result = every["identity"](value)
    assert result == value
    assert type(result) is type(value)


def test_identity_of_objects_gives_the_same_objects(every):
    x = tvmgo.array(np.arange(3, dtype="float32"))
    np.asarray(every["identity"](x))[0] = 9
    assert np.asarray(x)[0] == 9
    y = aligned(np.arange(3), 4)
    np.asarray(every["identity"](y))[0] = 9
    assert y[0] == 9
    assert every["identity"](every).kind == "classic_library"
    assert every["identity"](every["sum"])(1, 2) == 3
    assert every["identity"]([1, 2]) == [1, 2]


def test_identity_many_times_neither_leaks_nor_frees(every):
    callback = tvmgo.convert_function(lambda: 11)
    for _ in range(1000):
        every["identity"](callback)
    assert callback() == 11


@pytest.mark.parametrize(
    "code, value, expected",
    [
        (0, 5, 5),
        (1, -1, -1),
        (2, 2.5, 2.5),
        (4, 5, None),
        (15, 1, True),
        (15, 0, False),
        (8, None, None),
        (9, None, None),
        (10, None, None),
        (13, None, None),
        (11, None, None),
        (12, None, None),
    ],
)
def test_result_codes(every, code, value, expected):
    result = every["as_code"](value, code)
    assert result == expected and type(result) is type(expected)


@pytest.mark.parametrize("code", [14, 16, 64, 129, -1, 2**31 - 1])
def test_result_codes_without_a_meaning_are_refused(every, code):
    with pytest.raises(TypeError, match=f"as_code returned a value of type code {code}"):
        every["as_code"](5, code)


def test_ndarray_code_of_an_argument(every):
    x = tvmgo.array(np.arange(3, dtype="float32"))
    assert np.asarray(every["as_code"](x, 13)).tolist() == [0, 1, 2]


def test_results_of_their_own(every):
    assert str(every["return_float"]()) == "-0.0"
    assert every["return_dtype"]() == tvmgo.DType("float16x8")
    assert every["return_device"]() == tvmgo.opencl(7)
    assert every["return_text"]() == "on the stack, so copied at once"
    assert every["return_bytes"]() == b"a\0b"
    assert every["nothing"]() is None


def test_tensor_that_belongs_to_nobody_is_refused(every):
    with pytest.raises(TypeError, match="returned a tensor that belongs to nobody"):
        every["return_stack_tensor"]()


# ---------------------------------------------------------------- errors


def test_message_arrives_unchanged(every):
    assert str(raised(every["fail_loudly"])) == "Assert fail: num_args == 3, it should be 3"
    assert str(raised(every["fail_positively"])) == "code seven"


def test_silent_failure_names_the_function_and_shows_no_old_message(every):
    expected = "fail_silently failed without an error message (code -1)"
    assert str(raised(every["fail_silently"])) == expected
    raised(every["fail_loudly"])
    assert str(raised(every["fail_silently"])) == expected
    every["complain_and_succeed"]()
    assert str(raised(every["fail_silently"])) == expected


def test_function_that_fails_without_an_error(every, caller):
    with pytest.raises(tvmgo.TVMError, match="^a function failed without naming its error$"):
        every["call"](caller["fail_silently"])


def test_error_the_library_swallowed_does_not_come_back(every):
    def fail():
        raise KeyError("swallowed")

    assert every["call_and_ignore"](fail) == -1
    assert "swallowed" not in str(raised(every["fail_silently"]))


def test_silent_failure_inside_a_callback_does_not_show_the_outer_message(every):
    messages = []
    every["call"](lambda: messages.append(str(raised(every["fail_silently"]))))
    assert messages == ["fail_silently failed without an error message (code -1)"]


def test_exception_of_a_callback_comes_out_as_it_is(every):
    error = ZeroDivisionError("of my own")

    def fail():
        raise error

    assert raised(every["call"], fail) is error
    assert raised(every["call"], every["call"], every["call"], fail) is error


def test_arguments_of_no_use_are_named(every):
    with pytest.raises(TypeError):
        every["sum"](object())


# ---------------------------------------------------------------- calls back


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        2.5,
        "text",
        "a string too long for the cell",
        b"xyz",
        b"bytes too long for the cell",
        tvmgo.cpu(1),
        [1, 2],
        {"a": 1},
    ],
    ids=repr,
)
def test_values_pass_through_the_library_both_ways(every, value):
    seen = []

    def callback(x):
        seen.append(x)
        return x

    assert every["call"](callback, value) == value
    assert seen == [value]


def test_bool_and_dtype_come_back_as_the_old_runtime_gave_them(every):
    assert every["code_of_result"](lambda: True) == 0
    assert every["call"](lambda: True) == every["call"](lambda x: x, True) == 1
    assert every["call"](lambda: tvmgo.DType("float32x4")) == "float32x4"


@pytest.mark.parametrize(
    "value, code",
    [
        (None, 4),
        (5, 0),
        (2.5, 2),
        ("text", 11),
        (b"bytes", 12),
        (tvmgo.cpu(0), 6),
        ([1], 8),
        (tvmgo.DType("int8"), 11),
    ],
    ids=repr,
)
def test_type_code_of_a_callback_s_result(every, value, code):
    assert every["code_of_result"](lambda: value) == code


def test_type_codes_of_objects_a_callback_returns(every):
    assert every["code_of_result"](lambda: tvmgo.empty((1,), "float32")) == 13
    assert every["code_of_result"](lambda: every["sum"]) == 10
    assert every["code_of_result"](lambda: every) == 9


def test_tensor_of_a_callback_is_the_argument_itself(every):
    x = tvmgo.array(np.arange(3, dtype="float32"))

    def callback(t):
        np.asarray(t)[0] = 5
        return t

    result = every["call"](callback, x)
    np.asarray(result)[1] = 6
    assert np.asarray(x).tolist() == [5, 6, 2]


def test_tensor_from_the_library_s_stack(every):
    out = tvmgo.empty((1,), "float32")
    for strides in (0, 1):
        seen = []

        def callback(t):
            seen.append((t.shape, str(t.dtype), np.array(t).tolist()))
            np.asarray(t)[0] = 3.25

        every["call_with_stack_tensor"](callback, out, strides)
        assert seen == [((2,), "float32", [1.5, -2.0])]
        assert np.asarray(out)[0] == 3.25


def test_bool_tensor_from_the_library_s_stack(every):
    assert (
        every["call_with_bool_tensor"](lambda t: str(t.dtype) + str(np.array(t).tolist()))
        == "bool[True, False, True]"
    )


@pytest.mark.parametrize(
    "code, value, expected",
    [
        (0, 5, 5),
        (1, 5, 5),
        (2, 2.5, 2.5),
        (4, None, None),
        (15, 1, True),
        (11, None, None),
        (12, None, None),
        (13, None, None),
        (7, None, None),
        (8, None, None),
        (11, "abc", "abc"),
    ],
)
def test_argument_codes_from_the_library(every, code, value, expected):
    seen = []
    every["call_with_code"](seen.append, code, value)
    assert seen == [expected] and type(seen[0]) is type(expected)


@pytest.mark.parametrize("code", [16, 64, 129, -1])
def test_argument_codes_without_a_meaning_are_refused(every, code):
    with pytest.raises(TypeError, match=f"type code {code}"):
        every["call_with_code"](lambda x: None, code, 1)


def test_argument_by_rvalue_reference(every):
    assert every["call_with_rvalue"](lambda x: x, [1, 2]) == [1, 2]


def test_ndarray_code_from_the_library(every):
    x = tvmgo.array(np.arange(3, dtype="float32"))
    assert every["call_with_code"](lambda t: np.asarray(t).tolist()[2], 13, x) == 2.0


def test_calling_nothing_is_an_error(every):
    with pytest.raises(TypeError, match="TVMFuncCall: expected a function, got NULL"):
        every["call_null"]()


def test_calling_what_is_no_function_is_an_error(every):
    x = [1, 2]
    with pytest.raises(tvmgo.TVMError, match="expected a function"):
        every["call"](x)


def test_text_lives_until_the_next_call(every):
    texts = iter(["first, long enough", "second"])
    assert every["two_texts"](lambda: next(texts)) == "first, long enoughsecond"


def test_object_the_library_keeps(every):
    every["keep"](lambda: tvmgo.array(np.arange(3, dtype="float32")))
    gc.collect()
    assert np.asarray(every["give_kept"]()).tolist() == [0, 1, 2]
    every["keep"](lambda: None)


def test_function_the_library_keeps_and_gives_back(every):
    every["keep"](lambda: tvmgo.convert_function(lambda: 5))
    function = every["give_kept"]()
    every["keep"](lambda: None)
    gc.collect()
    assert function() == 5


def test_object_received_twice_and_given_back_once_is_kept(fresh_path):
    every = load(fresh_path)
    result = tvmgo.convert_function(lambda: None)
    every["call_and_ignore"](lambda: result)
    assert every["call"](lambda: result) is not None
    alive = tvmgo.live_objects()["callbacks"]
    del result
    gc.collect()
    assert tvmgo.live_objects()["callbacks"] == alive  # the library may still use it


def test_fresh_results_handed_on_do_not_leak(every):
    def make():
        return tvmgo.empty((1 << 20,), "uint8")

    every["call"](make)
    before = resident_bytes()
    for _ in range(200):
        every["call"](make)
    assert resident_bytes() - before < 50 << 20


# ---------------------------------------------------------------- looking functions up


def test_global_function_is_found_once_for_ever(fresh_path, global_name):
    every = load(fresh_path)
    tvmgo.register_function(lambda x: x + 1, global_name)
    assert every["call_cached"](global_name, 1) == 2
    tvmgo.register_function(lambda x: x + 100, global_name, override=True)
    assert every["call_cached"](global_name, 1) == 2
    assert every["call_named"](global_name, 1) == 2  # the library's own memory of it
    tvmgo.remove_global_function(global_name)
    gc.collect()
    assert every["call_cached"](global_name, 1) == 2


def test_missing_function_is_named(every):
    error = raised(every["call_named"], "tests.nowhere")
    assert str(error) == (
        "Cannot find function tests.nowhere in the imported modules or global registry"
    )
    assert str(raised(every["fail_silently"])).startswith("fail_silently failed without")


def test_missing_function_is_found_when_it_comes(fresh_path, global_name):
    every = load(fresh_path)
    raised(every["call_named"], global_name)
    tvmgo.register_function(lambda: 3, global_name)
    assert every["call_named"](global_name) == 3


def test_own_functions_are_not_looked_up(every):
    with pytest.raises(tvmgo.TVMError, match="Cannot find function sum"):
        every["call_named"]("sum")


def test_functions_of_the_runtime_are_found(fresh_path):
    every = load(fresh_path)
    x = tvmgo.array(np.array([[3, 1, 2]], "float32"))
    order = tvmgo.empty((1, 3), "int32")
    tvmgo._native.companions.load_extra()
    every["call_named"]("tvm.contrib.sort.argsort", x, order, 1, True)
    assert np.asarray(order).tolist() == [[1, 2, 0]]


def test_two_modules_of_one_file_share_its_variables(every_path):
    first, second = load(every_path), load(every_path)
    assert repr(first) != repr(second)
    assert first["context_id"]() == second["context_id"]() != 0


def test_library_opened_again_starts_anew(fresh_path, global_name):
    for number in range(3):
        tvmgo.register_function(lambda number=number: number, global_name, override=True)
        module = load(fresh_path)
        assert module["call_cached"](global_name) == number
        del module
        gc.collect()


def test_library_others_keep_open_keeps_its_functions(every_path):
    output_of(f"""
        import ctypes, gc, os, tvmgo
        tvmgo._native.locate.load()
        other = ctypes.CDLL({str(every_path)!r})
        load = tvmgo.get_global_function("tvmgo.load_classic_library")
        tvmgo.register_function(lambda: 1, "tests.first")
        assert load({str(every_path)!r})["call_cached"]("tests.first") == 1
        gc.collect()
        tvmgo.register_function(lambda: 2, "tests.first", override=True)
        for path in ({str(every_path)!r}, os.path.relpath({str(every_path)!r})):
            assert load(path)["call_cached"]("tests.first") == 1
            gc.collect()
    """)


# ---------------------------------------------------------------- other languages on the runtime


def test_tvm_ffi_s_python_calls_classic_functions(every_path):
    output_of(f"""
        import numpy as np, tvm_ffi, tvmgo
        every = tvmgo.load_module({str(every_path)!r})
        for name in ("add", "call", "call_named", "return_text", "fail_loudly"):
            tvmgo.register_function(every[name], "tests.classic." + name)
        def find(name):
            return tvm_ffi.get_global_func("tests.classic." + name)
        def tensor(values):
            return tvm_ffi.from_dlpack(tvmgo.array(np.asarray(values, "float32")))

        x, y, out = tensor([1, 2, 3]), tensor([4, 5, 6]), tensor([0, 0, 0])
        find("add")(x, y, out)
        assert np.from_dlpack(out).tolist() == [5, 7, 9]

        seen = []
        def look(t, number, text):
            seen.append((type(t), t.shape, number, text))
            return t
        returned = find("call")(tvm_ffi.convert(look), x, 2.5, "a text of some length")
        [(kind, shape, number, text)] = seen
        assert issubclass(kind, tvm_ffi.Tensor) and tuple(shape) == (3,)
        assert (number, text) == (2.5, "a text of some length")
        np.from_dlpack(returned)[0] = 7
        assert np.from_dlpack(x).tolist() == [7, 2, 3]

        tvm_ffi.register_global_func("tests.theirs", lambda n: n + 1)
        assert find("call_named")("tests.theirs", 41) == 42
        assert find("return_text")() == "on the stack, so copied at once"

        error = ZeroDivisionError("theirs")
        def fail():
            raise error
        for call, words in ((lambda: find("call")(tvm_ffi.convert(fail)), "theirs"),
                            (lambda: find("fail_loudly")(), "num_args == 3")):
            try:
                call()
            except Exception as caught:
                assert words in str(caught), caught
            else:
                raise AssertionError
    """)


# ---------------------------------------------------------------- workspace and threads


@pytest.mark.parametrize("nbytes", [1, 64, 100, 1 << 20])
def test_workspace(every, nbytes):
    assert every["use_workspace"](nbytes) == 6


def test_workspace_on_a_device_that_is_not_there_is_an_error(every):
    error = raised(every["workspace_nowhere"])
    assert "without" not in str(error)
    assert every["use_workspace"](64) == 6


def test_parallel_fill(every):
    out = tvmgo.empty((1000,), "float32")
    assert every["parallel_fill"](out) >= 1
    assert np.asarray(out).tolist() == list(range(1000))


PARALLEL = """
    import numpy as np, tvmgo, threading
    tvmgo._native.locate.load()
    m = tvmgo.get_global_function("tvmgo.load_classic_library")({path!r})
    out = tvmgo.empty((1000,), "float32")
    workers = m["parallel_fill"](out)
    assert np.asarray(out).tolist() == list(range(1000))

    assert m["parallel_barrier"](out) == workers
    total = workers * (workers + 1) / 2
    assert np.asarray(out)[workers:2 * workers].tolist() == [total] * workers

    def message(name, *args):
        try:
            m[name](*args)
        except Exception as error:
            return str(error)
        return "nothing was raised"

    assert message("parallel_fail", 1) == "a task said why"
    silent = "a parallel task failed without an error message (code -1)"
    assert message("parallel_fail", 2) == silent
    assert message("parallel_fail", 7) == silent.replace("-1", "7")
    assert message("fail_silently") == "fail_silently failed without an error message (code -1)"
    m["parallel_fail"](0)

    tvmgo.register_function(lambda t: seen.append((threading.get_ident(), t.shape)), "tests.see")
    seen = []
    m["parallel_call"]("tests.see", out)
    assert len(seen) == workers and {{shape for _, shape in seen}} == {{(1000,)}}

    def fail(t):
        raise ZeroDivisionError("in a worker")
    tvmgo.register_function(fail, "tests.fail")
    for _ in range(3):
        try:
            m["parallel_call"]("tests.fail", out)
        except ZeroDivisionError as error:
            assert str(error) == "in a worker"
        else:
            raise AssertionError
    assert "Cannot find function tests.nowhere" in message("parallel_call", "tests.nowhere", out)
    if workers > 1:
        assert "without an error" not in message("parallel_nested")
        try:
            m["parallel_fill"](out, 100)
        except Exception:
            pass
        else:
            raise AssertionError("more tasks than workers")
    print(workers)
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_parallel_launch(every_path, workers):
    printed = output_of(
        PARALLEL.format(path=str(every_path)), env={"TVM_NUM_THREADS": str(workers)}
    )
    assert printed == f"{workers}\n"


def test_calls_from_many_threads(fresh_path, global_name):
    every = load(fresh_path)
    tvmgo.register_function(lambda x: x + 1, global_name)
    problems = []

    def work(seed):
        try:
            x = tvmgo.array(np.full(16, seed, "float32"))
            out = tvmgo.empty((16,), "float32")
            misaligned = aligned(np.full(16, seed), 4)
            for i in range(200):
                every["add"](x, misaligned, out)
                assert (np.asarray(out) == 2 * seed).all()
                assert every["call_named"](global_name, seed) == seed + 1
                text = f"text {seed} {i} of this thread"
                assert every["identity"](text) == text
                assert str(raised(every["fail_silently"])).startswith("fail_silently failed")
                assert str(raised(every["add"], x)).startswith("Assert fail")
                assert every["two_texts"](lambda: f"[{seed}]") == f"[{seed}]" * 2
        except Exception as error:
            problems.append(repr(error))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_loading_and_closing_from_many_threads(fresh_path):
    problems = []

    def work():
        try:
            for _ in range(100):
                assert load(fresh_path)["filled"]() == (1 << 10) - 1
        except Exception as error:
            problems.append(repr(error))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_library_that_needs_the_runtime_is_refused_without_it(every_path):
    done = run_python(f"""
        import tvmgo
        load = tvmgo.get_global_function("tvmgo.load_classic_library")
        try:
            load({str(every_path)!r})
        except tvmgo.TVMError as error:
            print(error)
    """)
    assert done.returncode == 0, done.stderr
    assert "it needs TVMBackendAllocWorkspace of libtvm_runtime, which is not loaded" in done.stdout
