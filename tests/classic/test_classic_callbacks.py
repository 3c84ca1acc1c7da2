# SPDX-License-Identifier: Apache-2.0
"""Functions that classic libraries call back: their arguments, results and what is kept."""

import gc

import numpy as np
import pytest

import tvmgo
from tests.classic.loading import load_classic
from tests.helpers import resident_bytes


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
    every = load_classic(fresh_path)
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
