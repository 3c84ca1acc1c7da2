# SPDX-License-Identifier: Apache-2.0
"""Functions: calling them, by plain arguments and by Values."""

import functools
import sys

import numpy as np
import pytest

import tvmgo
from tests.core.callables import Callable

# ---------------------------------------------------------------- calling


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 100, 1000, 10_000])
def test_call_passes_any_number_of_arguments(kernels, count):
    assert kernels["nargs"](*range(count)) == count
    assert kernels["sum_ints"](*range(count)) == sum(range(count))


@pytest.mark.parametrize("count", [0, 1, 8, 9, 10_000])
def test_call_of_a_callback_passes_any_number_of_arguments(count):
    assert tvmgo.convert_function(lambda *args: list(args))(*range(count)) == list(range(count))


@pytest.mark.parametrize("count", [0, 1, 8, 9, 10_000])
def test_invoke_passes_any_number_of_arguments(kernels, count):
    assert kernels["sum_ints"].invoke(*range(count)).as_int64() == sum(range(count))


def test_call_passes_arguments_in_order():
    assert tvmgo.convert_function(lambda *args: list(args))(3, 1, 2) == [3, 1, 2]


def test_call_of_a_function_without_result_returns_none(kernels):
    assert kernels["sleep_us"](0) is None


def test_dunder_call_is_a_call(kernels):
    assert kernels["sum_ints"].__call__(1, 2) == 3


def test_function_is_callable(kernels):
    assert callable(kernels["nargs"])


def test_function_works_with_partial_and_map(kernels):
    assert functools.partial(kernels["sum_ints"], 1, 2)(3) == 6
    assert list(map(kernels["sum_ints"], [1, 2], [10, 20])) == [11, 22]


@pytest.mark.parametrize(
    "call",
    [
        lambda f: f(x=1),
        lambda f: f(1, x=1),
        lambda f: f(**{"": 1}),
        lambda f: f.__call__(x=1),
        lambda f: f.invoke(x=1),
        lambda f: functools.partial(f, x=1)(),
    ],
    ids=["call", "mixed", "empty name", "dunder", "invoke", "partial"],
)
def test_keyword_arguments_raise_type_error(kernels, call):
    with pytest.raises(TypeError, match="keyword"):
        call(kernels["nargs"])


def test_empty_keywords_are_fine(kernels):
    assert kernels["nargs"](*()) == 0


def test_failed_call_frees_its_arguments(kernels):
    x = np.zeros(3)
    before = sys.getrefcount(x)
    for _ in range(10):
        with pytest.raises(TypeError):
            kernels["nargs"](x, [x], object())
    assert sys.getrefcount(x) == before


def test_equal_functions_are_found_in_a_set(kernels):
    f = tvmgo.get_global_function("ffi.Array")
    assert f in {tvmgo.get_global_function("ffi.Array")}


def test_function_repr_says_what_it_is(kernels):
    assert repr(kernels["nargs"]).startswith("<tvmgo.Function ")


# ---------------------------------------------------------------- invoke and Values


def test_invoke_returns_a_value(kernels):
    assert type(kernels["sum_ints"].invoke(1, 2)) is tvmgo.Value


def test_invoke_without_a_result_returns_a_value_of_null(kernels):
    assert kernels["sleep_us"].invoke(0).type_code == 4


@pytest.mark.parametrize(
    "args",
    [([],), (1, []), ([], []), ([tvmgo.Value(1), 2],), ([[tvmgo.Value(1)]],), ([None],)],
    ids=repr,
)
def test_invoke_with_other_lists_passes_them_as_a_plain_call_does(args):
    function = Callable()
    made = tvmgo.convert_function(function)
    made.invoke(*args)
    made(*args)
    assert function.calls[0] == function.calls[1]
    assert len(function.calls[0]) == len(args)


@pytest.mark.parametrize("count", [1, 2, 9])
def test_invoke_with_a_list_of_values_spreads_it(kernels, count):
    assert kernels["sum_ints"].invoke([tvmgo.Value(i) for i in range(count)]).as_int64() == sum(
        range(count)
    )


@pytest.mark.parametrize(
    "mix",
    [
        lambda values: (values, 1),
        lambda values: (1, values),
        lambda values: (values, values),
        lambda values: (values, tvmgo.Value(1)),
        lambda values: (values, None),
    ],
    ids=["before", "after", "two lists", "a value", "None"],
)
def test_invoke_with_a_list_of_values_and_more_raises_type_error(mix):
    function = Callable()
    with pytest.raises(TypeError, match="cannot be mixed"):
        tvmgo.convert_function(function).invoke(*mix([tvmgo.Value(1)]))
    assert function.calls == []


def test_invoke_with_values_beside_plain_arguments_is_fine(kernels):
    assert kernels["sum_ints"].invoke(1, tvmgo.Value(2), 3).as_int64() == 6


@pytest.mark.parametrize(
    "arguments",
    [([1, 2],), ([1, tvmgo.Value(2)],), ((tvmgo.Value(1),),), ({"a": tvmgo.Value(1)},)],
    ids=["plain list", "mixed list", "tuple", "dict"],
)
def test_invoke_with_another_container_passes_it_as_one_argument(kernels, arguments):
    assert kernels["nargs"].invoke(*arguments).as_int64() == 1


def test_plain_call_with_a_list_of_values_passes_it_as_one_argument(kernels):
    assert kernels["nargs"]([tvmgo.Value(1), tvmgo.Value(2)]) == 1


def test_forwarding_an_invoke_result_keeps_it(kernels):
    result = kernels["make_text"].invoke(20, 1)
    assert kernels["echo"].invoke(result).as_bytes() == bytes(range(20))
    assert result.as_bytes() == bytes(range(20))
