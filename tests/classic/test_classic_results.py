# SPDX-License-Identifier: Apache-2.0
"""Results and errors of functions of classic libraries."""

import numpy as np
import pytest

import tvmgo
from tests.classic.arrays import aligned, raised

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
