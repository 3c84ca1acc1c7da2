# SPDX-License-Identifier: Apache-2.0
"""Errors of the runtime as exceptions, exceptions as its errors, and identity through both."""

import builtins
import gc
import inspect
import pickle
import sys
import traceback
import weakref

import pytest

import tvmgo

TWINS = [
    "AssertionError",
    "AttributeError",
    "BufferError",
    "FileNotFoundError",
    "ImportError",
    "IndexError",
    "KeyError",
    "MemoryError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "TypeError",
    "ValueError",
]


def raiser(exception):
    """A function of the runtime that raises `exception`."""

    def fail(*args):
        raise exception

    return tvmgo.convert_function(fail)


def raised_by(function, *args):
    """What the call raises, without the traceback, whose frames would keep the callbacks alive."""
    try:
        function(*args)
    except BaseException as error:
        for raised in (error, error.__cause__, error.__context__):
            if raised is not None:
                raised.__traceback__ = None
        return error
    raise AssertionError("nothing was raised")


def nest(function, levels):
    """Wrap `function` in so many Python callbacks, each called through the runtime."""
    for _ in range(levels):
        function = tvmgo.convert_function(lambda *args, inner=function: inner(*args))
    return function


class Custom(Exception):
    pass


class CustomBase(BaseException):
    pass


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


# ---------------------------------------------------------------- identity


EXCEPTIONS = [
    ValueError("text"),
    KeyError("key"),
    Custom("text", 2),
    CustomBase("text"),
    KeyboardInterrupt(),
    SystemExit(3),
    StopIteration(7),
    GeneratorExit(),
    StopAsyncIteration(),
    MemoryError(),
    RecursionError("deep"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    OSError(2, "gone", "f"),
    tvmgo.TVMError("text"),
    tvmgo.TVMKeyError("text"),
    Warning("text"),
    AssertionError(),
]


@pytest.mark.parametrize("levels", [0, 2], ids=["one level", "three levels"])
@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda e: type(e).__name__)
def test_exception_of_a_callback_comes_out_as_the_same_object(exception, levels):
    assert raised_by(nest(raiser(exception), levels)) is exception


@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda e: type(e).__name__)
def test_exception_through_native_code_comes_out_as_the_same_object(kernels, exception):
    assert raised_by(kernels["forward"], raiser(exception)) is exception


def test_exception_through_another_thread_comes_out_as_the_same_object(kernels):
    exception = Custom("from a thread")
    assert raised_by(kernels["forward_in_new_thread"], raiser(exception)) is exception


def test_exception_of_a_method_with_values_comes_out_as_the_same_object():
    exception = Custom("with values")

    def fail(value):
        raise exception

    assert raised_by(tvmgo.convert_function(fail, values=True), 1) is exception


def test_exception_through_invoke_comes_out_as_the_same_object():
    exception = Custom("invoked")
    assert raised_by(raiser(exception).invoke) is exception


def test_native_error_through_callbacks_stays_one_object(kernels):
    seen = []

    def note():
        try:
            kernels["fail"]("ValueError", "deep")
        except ValueError as error:
            seen.append(error)
            raise

    assert raised_by(nest(tvmgo.convert_function(note), 2)) is seen[0]
    seen.clear()


class Speechless(Exception):
    def __str__(self):
        raise self.args[0]


class Mumbler(Exception):
    def __str__(self):
        return 5


@pytest.mark.parametrize(
    "exception",
    [
        pytest.param(Speechless(ValueError), id="str raises"),
        pytest.param(Speechless(KeyboardInterrupt), id="str interrupts"),
        pytest.param(Mumbler(), id="str returns an int"),
    ],
)
def test_exception_without_a_message_comes_out_as_the_same_object(exception):
    assert raised_by(nest(raiser(exception), 2)) is exception


@pytest.mark.parametrize("kind", [None, 5, b"ValueError", "sur\udcffrogate"], ids=repr)
def test_tvm_error_with_a_strange_kind_comes_out_as_the_same_object(kind):
    error = tvmgo.TVMError("text")
    error.kind = kind
    assert raised_by(raiser(error)) is error


def test_exception_whose_class_has_a_lying_name_comes_out_as_the_same_object(kernels):
    liar = type("ValueError", (Exception,), {})("not the built-in one")
    assert raised_by(raiser(liar)) is liar


def test_exception_raised_from_another_keeps_cause_and_context():
    cause = KeyError("cause")

    def fail():
        try:
            raise cause
        except KeyError as error:
            raise ValueError("effect") from error

    error = raised_by(nest(tvmgo.convert_function(fail), 2))
    assert error.__cause__ is cause
    assert error.__context__ is cause


def test_exception_without_context_gets_none_on_the_way():
    assert raised_by(nest(raiser(ValueError("alone")), 2)).__context__ is None


def test_exception_notes_and_attributes_survive():
    exception = Custom("text")
    exception.attribute = [1, 2]
    assert raised_by(nest(raiser(exception), 2)).attribute == [1, 2]


def test_infinite_recursion_through_callbacks_is_a_recursion_error():
    def again():
        return function()

    function = tvmgo.convert_function(again)
    limit = sys.getrecursionlimit()
    raised = []
    try:
        # Wherever the limit strikes, in the callback or while its error is made.
        for more in range(12):
            sys.setrecursionlimit(len(inspect.stack(0)) + 100 + more)
            raised.append(type(raised_by(function)))
    finally:
        sys.setrecursionlimit(limit)
        del function
    assert raised == [RecursionError] * 12


def test_callback_that_recovers_from_an_inner_error_returns_normally():
    inner = raiser(ValueError("inner"))

    def recover():
        raised_by(inner)
        return "recovered"

    assert tvmgo.convert_function(recover)() == "recovered"


def test_callback_that_replaces_an_inner_error_raises_its_own():
    inner = raiser(ValueError("inner"))
    replacement = Custom("outer")

    def replace():
        try:
            inner()
        except ValueError:
            raise replacement from None

    assert raised_by(tvmgo.convert_function(replace)) is replacement


# ---------------------------------------------------------------- tracebacks and lifetime


def test_traceback_shows_the_callbacks_frames_innermost_last():
    def innermost():
        raise ValueError("text")

    def middle():
        return tvmgo.convert_function(innermost)()

    def outermost():
        return tvmgo.convert_function(middle)()

    with pytest.raises(ValueError) as caught:
        tvmgo.convert_function(outermost)()
    names = [frame.name for frame in traceback.extract_tb(caught.tb)]
    ours = [name for name in names if name in ("innermost", "middle", "outermost")]
    assert ours == ["outermost", "middle", "innermost"]


def test_traceback_through_native_code_shows_the_callbacks_frame(kernels):
    def innermost():
        raise ValueError("text")

    with pytest.raises(ValueError) as caught:
        kernels["forward"](innermost)
    assert "innermost" in [frame.name for frame in traceback.extract_tb(caught.tb)]


def test_exception_is_freed_after_it_was_handled(kernels):
    class Mortal(Exception):
        pass

    def fail():
        raise Mortal

    gc.disable()
    try:
        try:
            kernels["forward"](fail)
        except Mortal as error:
            reference = weakref.ref(error)
        assert reference() is None
    finally:
        gc.enable()


def test_exception_handled_below_is_freed(kernels):
    class Mortal(Exception):
        pass

    references = []

    def fail():
        exception = Mortal()
        references.append(weakref.ref(exception))
        raise exception

    kernels["error_of"](fail)
    gc.collect()
    assert references[0]() is None


def test_exception_ignored_below_is_freed_by_the_next_call(kernels):
    class Mortal(Exception):
        pass

    references = []

    def fail():
        exception = Mortal()
        references.append(weakref.ref(exception))
        raise exception

    assert kernels["call_then_byte_sum"](fail, b"\1") == 1
    with pytest.raises(ValueError):
        kernels["fail"]("ValueError", "the next")
    gc.collect()
    assert references[0]() is None


def test_failing_calls_leave_reference_counts_as_they_were(kernels):
    exception = ValueError("text")
    function = raiser(exception)
    before = sys.getrefcount(exception)
    for _ in range(100):
        try:
            function()
        except ValueError as error:
            error.__traceback__ = None
    assert sys.getrefcount(exception) == before


def test_exception_as_an_argument_comes_back_as_the_same_object(kernels):
    exception = Custom("an argument")
    assert kernels["echo"](exception) is exception


def test_exception_as_a_result_is_returned_not_raised():
    exception = Custom("a result")
    assert tvmgo.convert_function(lambda: exception)() is exception


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
