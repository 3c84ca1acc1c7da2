# SPDX-License-Identifier: Apache-2.0
"""Errors of the runtime as exceptions, and exceptions as its errors."""

import builtins
import pickle

import pytest

import tvmgo
from tests.core.errors import TWINS, Custom, CustomBase, raised_by, raiser

# ---------------------------------------------------------------- classes


def test_tvm_error_is_a_runtime_error():
    assert issubclass(tvmgo.TVMError, RuntimeError)


@pytest.mark.parametrize("name", TWINS)
def test_twin_is_a_tvm_error_and_the_built_in_error(name):
    assert issubclass(getattr(tvmgo, f"TVM{name}"), (tvmgo.TVMError,))
    assert issubclass(getattr(tvmgo, f"TVM{name}"), getattr(builtins, name))


def test_function_not_found_is_a_key_error_and_an_attribute_error():
    assert issubclass(tvmgo.TVMFunctionNotFoundError, tvmgo.TVMError)
    assert issubclass(tvmgo.TVMFunctionNotFoundError, KeyError)
    assert issubclass(tvmgo.TVMFunctionNotFoundError, AttributeError)


@pytest.mark.parametrize("name", ["TVMError", *(f"TVM{name}" for name in TWINS)])
def test_str_is_the_message(name):
    assert str(getattr(tvmgo, name)("the message")) == "the message"


def test_str_of_an_error_without_arguments_is_empty():
    assert str(tvmgo.TVMKeyError()) == ""


@pytest.mark.parametrize(
    "name", ["TVMError", "TVMFunctionNotFoundError", *(f"TVM{name}" for name in TWINS)]
)
def test_pickled_error_keeps_class_and_message(name):
    error = getattr(tvmgo, name)("the message")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == "the message"


def test_pickled_error_keeps_kind_and_backtrace(kernels):
    with pytest.raises(tvmgo.TVMError) as caught:
        kernels["fail"]("InternalError", "message")
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.kind == "InternalError"
    assert again.native_backtrace == caught.value.native_backtrace


# ---------------------------------------------------------------- native errors -> exceptions


@pytest.mark.parametrize("kind", TWINS)
def test_native_error_of_a_known_kind_is_the_built_in_error(kernels, kind):
    with pytest.raises(getattr(builtins, kind), match="^it went wrong$") as caught:
        kernels["fail"](kind, "it went wrong")
    assert type(caught.value) is getattr(tvmgo, f"TVM{kind}")
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    "kind",
    [
        "RuntimeError",
        "InternalError",
        "TVMError",
        "EOFError",
        "Strange",
        "SystemExit",
        "KeyboardInterrupt",
        "object",
        "__class__",
    ],
)
def test_native_error_of_another_kind_is_a_plain_tvm_error_that_keeps_it(kernels, kind):
    with pytest.raises(tvmgo.TVMError, match="^it went wrong$") as caught:
        kernels["fail"](kind, "it went wrong")
    assert type(caught.value) is tvmgo.TVMError
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    "message",
    [
        "",
        " ",
        "two\nlines\n",
        "ValueError: bad thing",
        "a: b: c",
        "100% %s %d",
        "größer 🎉",
        "x" * 1000,
    ],
    ids=["empty", "space", "lines", "own kind", "colons", "percent", "non-ASCII", "long"],
)
def test_native_message_arrives_intact(kernels, message):
    with pytest.raises(tvmgo.TVMError) as caught:
        kernels["fail"]("ValueError", message)
    assert str(caught.value) == message


def test_native_message_that_is_no_utf8_is_shown_escaped(kernels):
    with pytest.raises(ValueError) as caught:
        kernels["fail"]("ValueError", b"bad \xff byte")
    assert str(caught.value) == r"bad \xff byte"


def test_native_failure_without_an_error_says_so(kernels):
    with pytest.raises(tvmgo.TVMError, match="without an error message"):
        kernels["fail_silently"]()


def test_native_failure_without_an_error_does_not_show_an_earlier_one(kernels):
    kernels["leave_an_error"]()
    with pytest.raises(tvmgo.TVMError) as caught:
        kernels["fail_silently"]()
    assert "left behind" not in str(caught.value)


def test_native_error_is_forgotten_once_raised(kernels):
    with pytest.raises(ValueError, match="once"):
        kernels["fail"]("ValueError", "once")
    with pytest.raises(tvmgo.TVMError, match="without an error message"):
        kernels["fail_silently"]()


def test_native_call_after_a_failed_one_works(kernels):
    with pytest.raises(ValueError):
        kernels["fail"]("ValueError", "message")
    assert kernels["sum_ints"](1, 2) == 3


def test_native_error_of_a_wrong_argument_type_is_a_type_error():
    with pytest.raises(TypeError, match="Expected"):
        tvmgo.get_global_function("ffi.ArraySize")("no array")


def test_native_error_of_a_wrong_argument_count_is_a_type_error():
    with pytest.raises(TypeError, match="argument"):
        tvmgo.get_global_function("ffi.ArraySize")()


def test_native_backtrace_of_a_cxx_error_is_kept():
    with pytest.raises(IndexError) as caught:
        tvmgo.get_global_function("ffi.ArrayGetItem")([1], 5)
    assert caught.value.native_backtrace.strip() != ""


def test_native_backtrace_ends_where_the_call_enters_native_code(kernels):
    with pytest.raises(ValueError) as caught:
        kernels["fail"]("ValueError", "message")
    frames = caught.value.native_backtrace
    assert "call_native" not in frames and "_PyEval" not in frames


def test_native_backtrace_is_a_string_when_there_is_none(kernels):
    with pytest.raises(ValueError) as caught:
        kernels["fail"]("ValueError", "message")
    assert isinstance(caught.value.native_backtrace, str)


def test_native_backtrace_of_a_fresh_error_is_empty():
    assert tvmgo.TVMError("message").native_backtrace == ""


def test_native_error_has_no_context_of_its_own(kernels):
    with pytest.raises(ValueError) as caught:
        kernels["fail"]("ValueError", "message")
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_native_error_raised_while_handling_another_has_it_as_context(kernels):
    first = KeyError("first")
    with pytest.raises(ValueError) as caught:
        try:
            raise first
        except KeyError:
            kernels["fail"]("ValueError", "second")
    assert caught.value.__context__ is first


# ---------------------------------------------------------------- exceptions -> native errors


@pytest.mark.parametrize(
    "exception, kind",
    [
        *(pytest.param(getattr(builtins, name)("m"), name, id=name) for name in TWINS),
        *(pytest.param(getattr(tvmgo, f"TVM{name}")("m"), name, id=f"TVM{name}") for name in TWINS),
        pytest.param(RuntimeError("m"), "RuntimeError", id="RuntimeError"),
        pytest.param(tvmgo.TVMError("m"), "RuntimeError", id="TVMError"),
        pytest.param(RecursionError("m"), "RuntimeError", id="subclass of RuntimeError"),
        pytest.param(PermissionError("m"), "OSError", id="subclass of OSError"),
        pytest.param(ModuleNotFoundError("m"), "ImportError", id="subclass of ImportError"),
        pytest.param(Custom("m"), "RuntimeError", id="custom"),
        pytest.param(CustomBase("m"), "RuntimeError", id="custom base"),
        pytest.param(tvmgo.TVMFunctionNotFoundError("m"), "KeyError", id="function not found"),
    ],
)
def test_python_exception_arrives_below_with_its_kind(kernels, exception, kind):
    assert kernels["error_of"](raiser(exception)).partition("|")[0] == kind


@pytest.mark.parametrize(
    "exception, message",
    [
        pytest.param(ValueError(), "", id="empty"),
        pytest.param(ValueError("größer 🎉"), "größer 🎉", id="non-ASCII"),
        pytest.param(ValueError("two\nlines"), "two\nlines", id="lines"),
        pytest.param(ValueError("nul\0inside"), "nul\0inside", id="nul"),
        pytest.param(ValueError("surrogate \udcff"), "surrogate \\udcff", id="surrogate"),
        pytest.param(ValueError("1", 2), "('1', 2)", id="two arguments"),
    ],
)
def test_python_exception_arrives_below_with_its_message(kernels, exception, message):
    below = kernels["error_of"](raiser(exception))
    assert below.partition("|")[2] == message


def test_python_error_with_a_native_kind_keeps_it_below(kernels):
    error = tvmgo.TVMError("m")
    error.kind = "InternalError"
    assert kernels["error_of"](raiser(error)) == "InternalError|m"


def test_native_error_seen_below_a_callback_keeps_its_kind(kernels):
    below = tvmgo.convert_function(lambda: kernels["fail"]("InternalError", "deep"))
    assert kernels["error_of"](below) == "InternalError|deep"


def test_error_handled_below_does_not_come_out(kernels):
    assert kernels["error_of"](raiser(ValueError("handled"))) == "ValueError|handled"
    assert kernels["sum_ints"](1) == 1


# ---------------------------------------------------------------- which argument it was


def test_error_about_an_argument_names_its_position(kernels):
    with pytest.raises(TypeError, match="^argument 2: cannot pass complex; expected"):
        kernels["nargs"](0, 1, 2j)


def test_exception_raised_by_an_argument_comes_out_as_it_is(kernels):
    exception = Custom("from __index__")

    class Index:
        def __index__(self):
            raise exception

    assert raised_by(kernels["nargs"], Index()) is exception


def test_tvm_error_raised_by_an_argument_comes_out_as_it_is(kernels):
    class TwoArguments(tvmgo.TVMError):
        def __init__(self, code, detail):
            super().__init__(f"{code}: {detail}")

    exception = TwoArguments(1, "detail")

    class Index:
        def __index__(self):
            raise exception

    assert raised_by(kernels["nargs"], Index()) is exception
