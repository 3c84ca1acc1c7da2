# SPDX-License-Identifier: Apache-2.0
"""An exception comes out of the runtime as the same object, with its traceback, and is freed."""

import gc
import inspect
import sys
import traceback
import weakref

import pytest

import tvmgo
from tests.core.errors import Custom, CustomBase, nest, raised_by, raiser

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
