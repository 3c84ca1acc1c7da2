# SPDX-License-Identifier: Apache-2.0
"""Element types: names, NumPy's and ml_dtypes' types, comparing, and what is refused."""

import copy
import pickle
import re

import ml_dtypes
import numpy as np
import pytest
import tvm_ffi

import tvmgo
from tests.core.arrays import ML_NAMES, NUMPY_NAMES
from tests.helpers import name_of

CODES = {"int": 0, "uint": 1, "float": 2, "bfloat": 4, "complex": 5, "bool": 6}


@pytest.mark.parametrize("name", NUMPY_NAMES + ML_NAMES)
def test_str_of_a_dtype_is_its_name(name):
    assert str(tvmgo.DType(name)) == name


@pytest.mark.parametrize("name", NUMPY_NAMES)
def test_numpy_of_a_dtype_is_numpys(name):
    assert tvmgo.DType(name).numpy == np.dtype(name)


@pytest.mark.parametrize("name", ML_NAMES)
def test_numpy_of_a_small_float_is_ml_dtypes(name):
    assert tvmgo.DType(name).numpy == np.dtype(getattr(ml_dtypes, name))


@pytest.mark.parametrize("name", NUMPY_NAMES)
def test_dtype_of_a_numpy_dtype_equals_that_of_its_name(name):
    assert tvmgo.DType(np.dtype(name)) == tvmgo.DType(name)


@pytest.mark.parametrize("name", NUMPY_NAMES)
def test_dtype_of_a_numpy_scalar_type_equals_that_of_its_name(name):
    assert tvmgo.DType(np.dtype(name).type) == tvmgo.DType(name)


@pytest.mark.parametrize("name", ML_NAMES)
def test_dtype_of_an_ml_dtypes_type_equals_that_of_its_name(name):
    assert tvmgo.DType(getattr(ml_dtypes, name)) == tvmgo.DType(name)


@pytest.mark.parametrize("name", NUMPY_NAMES)
def test_dtype_equals_its_string_and_its_numpy_type(name):
    dtype = tvmgo.DType(name)
    assert dtype == name
    assert dtype == np.dtype(name)
    assert dtype == np.dtype(name).type


@pytest.mark.parametrize("name", ML_NAMES)
def test_small_float_equals_its_string_and_its_ml_dtypes_type(name):
    dtype = tvmgo.DType(name)
    assert dtype == name
    assert dtype == getattr(ml_dtypes, name)
    assert dtype == np.dtype(getattr(ml_dtypes, name))


@pytest.mark.parametrize(
    "other", ["float64", "int32", np.float64, "no type", None, 5, object(), [], ""], ids=name_of
)
def test_dtype_differs_from_what_it_is_not(other):
    dtype = tvmgo.DType("float32")
    assert not dtype == other
    assert dtype != other


def test_dtype_as_the_right_operand_compares_equal():
    assert tvmgo.DType("float32") == "float32"
    assert np.float32 == tvmgo.DType("float32")


@pytest.mark.parametrize("name", NUMPY_NAMES)
def test_numpy_dtype_as_the_left_operand_compares_equal(name):
    assert np.dtype(name) == tvmgo.DType(name)


@pytest.mark.parametrize("name", NUMPY_NAMES + ML_NAMES)
def test_hash_equals_that_of_the_string(name):
    assert hash(tvmgo.DType(name)) == hash(name)


def test_dtype_as_a_dict_key_is_found_by_its_name():
    assert {tvmgo.DType("float32"): 1}["float32"] == 1


@pytest.mark.parametrize("name", NUMPY_NAMES)
def test_itemsize_and_bits_are_numpys(name):
    dtype = tvmgo.DType(name)
    assert dtype.itemsize == np.dtype(name).itemsize
    assert dtype.bits == np.dtype(name).itemsize * 8
    assert dtype.lanes == 1


@pytest.mark.parametrize("name", ["bool", "int8", "uint64", "float16", "bfloat16", "complex64"])
def test_type_code_is_dlpacks(name):
    assert tvmgo.DType(name).type_code == CODES[name.rstrip("0123456789")]


@pytest.mark.parametrize(
    "name, bits, lanes, itemsize",
    [
        ("float32x4", 32, 4, 16),
        ("int4", 4, 1, 1),
        ("uint1", 1, 1, 1),
        ("int4x2", 4, 2, 1),
        ("float16x3", 16, 3, 6),
        ("float4_e2m1fn", 4, 1, 1),
        ("int24", 24, 1, 3),
        ("int128", 128, 1, 16),
        ("boolx4", 8, 4, 4),
        ("handle", 64, 1, 8),
        ("float32x32767", 32, 32767, 4 * 32767),
    ],
)
def test_dtype_beyond_numpy_knows_its_size(name, bits, lanes, itemsize):
    dtype = tvmgo.DType(name)
    assert (str(dtype), dtype.bits, dtype.lanes, dtype.itemsize) == (name, bits, lanes, itemsize)


@pytest.mark.parametrize(
    "name, reason",
    [
        ("float32x4", "vector"),
        ("int4", "packed below one byte"),
        ("float4_e2m1fn", "packed"),
        ("int24", "neither NumPy nor ml_dtypes"),
    ],
)
def test_numpy_of_a_dtype_numpy_lacks_raises_type_error(name, reason):
    with pytest.raises(TypeError, match=reason):
        tvmgo.DType(name).numpy
    reason += "|Cannot interpret 'tvmgo.DType"  # which older releases of NumPy say instead
    with pytest.raises(TypeError, match=reason):
        np.dtype(tvmgo.DType(name))
    with pytest.raises(TypeError, match=reason):
        np.zeros(3, tvmgo.DType(name))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", NUMPY_NAMES + ML_NAMES)
def test_numpy_takes_a_dtype_for_its_own(name):
    dtype, expected = tvmgo.DType(name), tvmgo.DType(name).numpy
    assert np.dtype(dtype) == expected
    assert np.zeros((2, 3), dtype=tvmgo.empty(1, name).dtype).dtype == expected
    assert np.asarray([1, 0]).astype(dtype).dtype == expected
    assert np.zeros(8, "uint8").view(tvmgo.DType("int64")).dtype == "int64"


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "float32 ",
        " float32",
        "flaot32",
        "float32x",
        "float32x0",
        "int-8",
        "int8x99999",
        "int999",
        "float32\0",
        "größer",
        "\udcff",
        "x" * 10000,
        "float32x4x4",
        "void",
        "int0",
        "int08",
        "int129",
        "int255",
        "uint0",
        "float0",
        "float33",
        "float8",
        "float80",
        "float128",
        "bfloat17",
        "bool8",
        "boolx0",
        "handle32",
        "float32x1",
        "float32x04",
        "float32x32768",
        "float32x65535",
        "float8_e4m3fn8",
        "f4,f4",
        "O",
        "U5",
        "M8[s]",
        "(3,)f4",
    ],
)
def test_dtype_of_a_string_that_names_none_raises_type_error(name):
    with pytest.raises(TypeError, match="^dtype: .* is not the name of an element type") as caught:
        tvmgo.DType(name)
    assert isinstance(caught.value, tvmgo.TVMError)
    with pytest.raises(TypeError, match="^dtype: "):
        tvmgo.empty(1, name)
    with pytest.raises(TypeError, match="^dtype: "):
        tvmgo.array([1], name)


# Words that mean one thing to TVM, which counts bits, and another to NumPy.
@pytest.mark.parametrize(
    "word, tvm, numpy",
    [
        ("i8", "int8", "int64"),
        ("u1", "uint1", "uint8"),
        ("i1", "int1", "int8"),
        ("u8", "uint8", "uint64"),
        ("int", "int32", "int64"),
        ("float", "float32", "float64"),
    ],
)
def test_word_of_two_meanings_raises_type_error_with_both(word, tvm, numpy):
    assert np.dtype(word) == numpy
    with pytest.raises(TypeError, match=f"'{word}' is '{tvm}' to TVM and '{numpy}' to NumPy"):
        tvmgo.DType(word)


@pytest.mark.parametrize(
    "word, meant",
    [
        ("flaot32", "float32"),
        ("Float32", "float32"),
        (" int8", "int8"),
        ("f4", "float32"),
        ("f8", "float64"),
        ("<f4", "float32"),
        (">i8", "int64"),
        ("?", "bool"),
        ("double", "float64"),
        ("half", "float16"),
        ("fp16", "float16"),
        ("bf16", "bfloat16"),
        ("f32", "float32"),
        ("float0", "float32"),
        ("float33", "float32"),
        ("bool8", "bool"),
        ("e4m3_float8", "float8_e4m3fn"),
    ],
)
def test_word_that_is_no_name_raises_type_error_that_suggests_one(word, meant):
    with pytest.raises(TypeError, match=re.escape(f"{word!r} is not") + f".*mean '{meant}'"):
        tvmgo.DType(word)


@pytest.mark.parametrize("word", ["i8", "float", "<f4", "no type"])
def test_dtype_differs_from_a_word_that_is_no_name(word):
    assert all(tvmgo.DType(name) != word for name in NUMPY_NAMES)


@pytest.mark.parametrize(
    "x",
    [
        None,
        5,
        object(),
        object,
        [1],
        b"no type",
        np.dtype("U5"),
        np.dtype("S3"),
        np.dtype("O"),
        np.dtype("M8[s]"),
        np.dtype("m8[s]"),
        np.dtype([("a", "f4")]),
        np.dtype("V4"),
        np.longdouble,
        np.clongdouble,
        np.dtype(">f4"),
        np.dtype(("f4", 3)),
    ],
    ids=name_of,
)
def test_dtype_of_something_else_raises_type_error(x):
    with pytest.raises(TypeError):
        tvmgo.DType(x)


def test_scalable_vector_is_a_type_without_a_size():
    dtype = tvmgo.DType("float32xvscalex4")
    assert str(dtype) == "float32xvscalex4"
    assert pickle.loads(pickle.dumps(dtype)) == dtype
    with pytest.raises(TypeError, match="no size"):
        dtype.itemsize
    with pytest.raises(TypeError, match="no size"):
        tvmgo.empty(1, dtype)


@pytest.mark.parametrize("word", ["float", "int8", "f4", "float32x4"])
def test_dtype_of_tvm_ffis_is_what_that_means(word):
    theirs = tvm_ffi.dtype(word)
    dtype = tvmgo.DType(theirs)
    assert (dtype.type_code, dtype.bits, dtype.lanes) == (
        theirs.type_code,
        theirs.bits,
        theirs.lanes,
    )
    assert dtype == theirs


def test_dtype_of_another_byte_order_raises_type_error_that_says_so():
    with pytest.raises(TypeError, match="byte order"):
        tvmgo.DType(np.dtype("f4").newbyteorder())


def test_dtype_of_a_str_subclass_is_that_of_the_string():
    class Name(str):
        pass

    assert tvmgo.DType(Name("int8")) == tvmgo.DType(np.str_("int8")) == "int8"
    assert tvmgo.empty(1, Name("int8")).dtype == Name("int8")


def test_dtype_of_a_dtype_is_equal():
    assert tvmgo.DType(tvmgo.DType("int8")) == tvmgo.DType("int8")


@pytest.mark.parametrize(
    "copier",
    [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))],
    ids=["copy", "deepcopy", "pickle"],
)
@pytest.mark.parametrize("name", ["float32", "bfloat16", "float32x4", "int4"])
def test_copied_dtype_is_equal(copier, name):
    assert copier(tvmgo.DType(name)) == name


def test_repr_can_be_evaluated():
    dtype = tvmgo.DType("bfloat16")
    assert eval(repr(dtype)) == dtype


@pytest.mark.parametrize("attribute", ["type_code", "bits", "lanes", "itemsize", "numpy"])
def test_setting_an_attribute_raises(attribute):
    with pytest.raises(AttributeError):
        setattr(tvmgo.DType("float32"), attribute, 1)


def test_second_init_does_not_change_a_dtype():
    dtype = tvmgo.DType("float32")
    try:
        dtype.__init__("int8")
    except TypeError:
        pass
    assert dtype == "float32"


@pytest.mark.parametrize("name", NUMPY_NAMES + ML_NAMES + ["float32x4", "int4"])
def test_dtype_passed_to_a_function_comes_back_equal(kernels, name):
    answer = kernels["echo"](tvmgo.DType(name))
    assert type(answer) is tvmgo.DType
    assert answer == name


def test_dtype_result_of_a_kernel_has_its_lanes(kernels):
    assert kernels["give"](5) == "float32x4"


@pytest.mark.parametrize(
    "code, bits, lanes",
    [(200, 32, 1), (5, 32, 1), (6, 1, 8), (0, 0, 0), (255, 255, 65535)],
    ids=str,
)
def test_dtype_without_a_name_can_be_shown_compared_and_passed_on(kernels, code, bits, lanes):
    dtype = kernels["make_dtype"](code, bits, lanes)
    assert (dtype.type_code, dtype.bits, dtype.lanes) == (code, bits, lanes)
    assert isinstance(repr(dtype), str)
    assert isinstance(hash(dtype), int)
    assert kernels["echo"](dtype) == dtype
    assert dtype != "float32"


def test_dtype_without_a_name_has_no_numpy_type(kernels):
    with pytest.raises(TypeError):
        kernels["make_dtype"](200, 32, 1).numpy
