# SPDX-License-Identifier: Apache-2.0
"""Value: what the runtime holds, with its type, read only as what it is."""

import copy
import gc
import pickle
import sys

import numpy as np
import pytest

import tvmgo


def identity(x):
    return x


# (name in messages, something of that kind, gotvm's type code, how it is read)
KINDS = [
    ("None", lambda: None, 4, None),
    ("int", lambda: -5, 0, "as_int64"),
    ("bool", lambda: True, 0, "as_int64"),
    ("float", lambda: 2.5, 2, "as_float64"),
    ("str", lambda: "short", 11, "as_str"),
    ("str", lambda: "a longer text", 11, "as_str"),
    ("bytes", lambda: b"short", 12, "as_bytes"),
    ("bytes", lambda: b"longer bytes", 12, "as_bytes"),
    ("dtype", lambda: tvmgo.DType("int8"), 5, None),
    ("device", lambda: tvmgo.cuda(1), 6, None),
    ("array", lambda: tvmgo.empty(3), 7, "as_array"),
    ("function", lambda: tvmgo.convert_function(identity), 10, "as_function"),
    ("module", lambda: tvmgo.system_library(), 9, "as_module"),
    ("list", lambda: [1, 2], 8, None),
    ("dict", lambda: {"a": 1}, 8, None),
    ("big int", lambda: 2**63, 8, None),
    ("object", lambda: tvmgo.get_global_function("ffi.GetInvalidObject")(), 8, None),
    ("object", lambda: ValueError("an exception"), 8, None),
]
IDS = [
    "None",
    "int",
    "bool",
    "float",
    "short str",
    "long str",
    "short bytes",
    "long bytes",
    "dtype",
    "device",
    "array",
    "function",
    "module",
    "list",
    "dict",
    "big int",
    "object",
    "exception",
]
READERS = ["as_int64", "as_float64", "as_str", "as_bytes", "as_function", "as_module", "as_array"]
every_kind = pytest.mark.parametrize("name, make, code, reader", KINDS, ids=IDS)


@every_kind
def test_type_code_is_gotvms(name, make, code, reader):
    assert tvmgo.Value(make()).type_code == code


@every_kind
def test_type_code_of_an_invoke_result_is_gotvms(name, make, code, reader):
    assert tvmgo.convert_function(identity).invoke(make()).type_code == code


@pytest.mark.parametrize(
    "index, code", [(0, 4), (1, 0), (2, 0), (3, 2), (4, 3), (5, 5), (6, 6), (11, 11), (12, 12)]
)
def test_type_code_of_a_kernels_result_is_gotvms(kernels, index, code):
    assert kernels["give"].invoke(index).type_code == code


@every_kind
def test_to_python_is_what_a_plain_call_returns(name, make, code, reader):
    x = make()
    answer = tvmgo.Value(x).to_python()
    assert type(answer) is type(x)
    assert answer == x


@pytest.mark.parametrize(
    "name, make, reader", [pytest.param(n, m, r, id=i) for (n, m, _, r), i in zip(KINDS, IDS) if r]
)
def test_reader_of_its_type_returns_the_value(name, make, reader):
    x = make()
    assert getattr(tvmgo.Value(x), reader)() == x


@pytest.mark.parametrize(
    "name, make, wrong",
    [
        pytest.param(name, make, reader, id=f"{i}-{reader}")
        for i, (name, make, _, own) in zip(IDS, KINDS)
        for reader in READERS
        if reader != own
    ],
)
def test_reader_of_another_type_raises_type_error_that_names_both(name, make, wrong):
    value = tvmgo.Value(make())
    with pytest.raises(TypeError) as caught:
        getattr(value, wrong)()
    wanted = wrong.removeprefix("as_").removesuffix("64")
    assert wanted in str(caught.value).partition("but")[0]
    assert str(caught.value).endswith(f"the value is of type {name}")
    assert isinstance(caught.value, tvmgo.TVMError)


@pytest.mark.parametrize("number", [0, 2**63 - 1, -(2**63)])
def test_as_int64_reads_the_limits(number):
    assert tvmgo.Value(number).as_int64() == number


def test_as_int64_of_a_bool_is_0_or_1():
    assert [type(tvmgo.Value(b).as_int64()) for b in (True, False)] == [int, int]
    assert [tvmgo.Value(b).as_int64() for b in (True, False)] == [1, 0]


def test_as_bytes_is_a_copy():
    value = tvmgo.Value(b"0123456789")
    assert value.as_bytes() is not value.as_bytes()


def test_as_array_shares_the_memory():
    array = tvmgo.array([1, 2, 3])
    assert tvmgo.Value(array).as_array() == array


def test_as_function_can_be_called():
    assert tvmgo.Value(lambda x: x + 1).as_function()(1) == 2


@pytest.mark.parametrize("text", ["nul\0inside", "", "1234567", "12345678"])
def test_as_str_keeps_every_character(text):
    assert tvmgo.Value(text).as_str() == text


# ---------------------------------------------------------------- owning


def test_value_outlives_the_call_it_came_from(kernels):
    first = kernels["make_text"].invoke(20, 1)
    second = kernels["make_text"].invoke(30, 1)
    assert (first.as_bytes(), second.as_bytes()) == (bytes(range(20)), bytes(range(30)))


def test_value_of_a_callbacks_text_outlives_the_callback():
    first = tvmgo.convert_function(lambda: "the first text").invoke()
    second = tvmgo.convert_function(lambda: "another text").invoke()
    assert (first.as_str(), second.as_str()) == ("the first text", "another text")


@every_kind
def test_value_passed_on_stays_as_it_is(name, make, code, reader):
    value = tvmgo.Value(make())
    before = value.to_python()
    function = tvmgo.convert_function(lambda *args: None)
    function(value, value)
    function.invoke(value)
    assert value.type_code == code
    assert value.to_python() == before


def test_value_passed_twice_in_one_call_arrives_twice():
    value = tvmgo.Value("a longer text")
    assert tvmgo.convert_function(lambda x, y: x + y)(value, value) == "a longer text" * 2


def test_value_of_a_value_is_a_second_value():
    first = tvmgo.Value("a longer text")
    second = tvmgo.Value(first)
    del first
    assert second.as_str() == "a longer text"


def test_value_kept_by_a_callback_outlives_the_call():
    kept = []
    tvmgo.convert_function(kept.append, values=True)("a text longer than seven")
    gc.collect()
    assert kept[0].as_str() == "a text longer than seven"


def test_value_of_borrowed_bytes_owns_a_copy():
    kept = []
    data = bytes(bytearray(b"bytes longer than seven"))
    tvmgo.convert_function(kept.append, values=True)(data)
    del data
    assert kept[0].as_bytes() == b"bytes longer than seven"


def test_array_read_from_a_value_outlives_it():
    array = tvmgo.Value(np.arange(1000)).as_array()
    gc.collect()
    assert array.numpy().sum() == 499500


def test_function_read_from_a_value_outlives_it():
    function = tvmgo.Value(lambda: 5).as_function()
    gc.collect()
    assert function() == 5


def test_value_keeps_an_ndarray_alive_and_lets_it_go():
    source = np.zeros(3)
    before = sys.getrefcount(source)
    value = tvmgo.Value(source)
    assert sys.getrefcount(source) == before + 1
    del value
    assert sys.getrefcount(source) == before


# ---------------------------------------------------------------- making, comparing, showing


@pytest.mark.parametrize("x", [object(), 1j, {1}], ids=lambda x: type(x).__name__)
def test_value_of_what_cannot_be_passed_raises_type_error(x):
    with pytest.raises(TypeError, match="cannot pass "):
        tvmgo.Value(x)


@pytest.mark.parametrize("arguments", [(), (1, 2)], ids=str)
def test_value_of_another_number_of_arguments_raises_type_error(arguments):
    with pytest.raises(TypeError):
        tvmgo.Value(*arguments)


@pytest.mark.parametrize(
    "x, y",
    [
        (1, 1),
        ("a longer text", "a longer text"),
        ("short", "short"),
        (None, None),
        (2.5, 2.5),
        ([1, "a"], (1, "a")),
        ({"a": 1}, {"a": 1}),
        (2**70, 2**70),
    ],
    ids=repr,
)
def test_values_of_equal_contents_are_equal(x, y):
    assert tvmgo.Value(x) == tvmgo.Value(y)


@pytest.mark.parametrize(
    "x, y", [(1, 2), (1, True), (1, 1.0), ("1", b"1"), (None, 0), ([1], [2])], ids=repr
)
def test_values_of_other_contents_or_types_differ(x, y):
    assert tvmgo.Value(x) != tvmgo.Value(y)


def test_value_differs_from_what_it_holds():
    assert tvmgo.Value(1) != 1


def test_value_is_not_hashable():
    with pytest.raises(TypeError, match="unhashable"):
        hash(tvmgo.Value(1))


@pytest.mark.parametrize("x", [1, "text", None, 2.5, b"bytes", [1]], ids=repr)
def test_repr_can_be_evaluated(x):
    assert eval(repr(tvmgo.Value(x))) == tvmgo.Value(x)


@every_kind
def test_repr_shows_the_content(name, make, code, reader):
    x = make()
    assert repr(tvmgo.Value(x)) == f"tvmgo.Value({x!r})"


@pytest.mark.parametrize(
    "copier", [copy.copy, copy.deepcopy, pickle.dumps], ids=["copy", "deepcopy", "pickle"]
)
def test_copying_a_value_raises_type_error(copier):
    with pytest.raises(TypeError):
        copier(tvmgo.Value(1))


def test_setting_an_attribute_raises():
    with pytest.raises(AttributeError):
        tvmgo.Value(1).type_code = 5
    with pytest.raises(AttributeError):
        tvmgo.Value(1).no_such_thing = 5


def test_values_of_all_kinds_go_where_the_plain_objects_go(kernels):
    assert kernels["sum_ints"](tvmgo.Value(1), 2, tvmgo.Value(3)) == 6
    assert kernels["echo"]([tvmgo.Value("a longer text"), {"a": tvmgo.Value(None)}]) == [
        "a longer text",
        {"a": None},
    ]
