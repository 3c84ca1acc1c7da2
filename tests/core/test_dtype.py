# SPDX-License-Identifier: Apache-2.0
"""Element types: names, NumPy's and ml_dtypes' types, comparing, and what is refused."""

import copy
import pickle

import ml_dtypes
import numpy as np
import pytest

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


@pytest.mark.parametrize(
    "short, name", [("int", "int32"), ("uint", "uint32"), ("float", "float32")]
)
def test_dtype_of_a_name_without_bits_is_tvms_default(short, name):
    assert tvmgo.DType(short) == name


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
    ],
)
def test_dtype_of_a_string_that_names_none_raises_value_error(name):
    with pytest.raises(ValueError) as caught:
        tvmgo.DType(name)
    assert isinstance(caught.value, tvmgo.TVMError)


def test_dtype_of_an_unknown_name_shows_it():
    with pytest.raises(ValueError, match="'flaot32'"):
        tvmgo.DType("flaot32")


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
