# SPDX-License-Identifier: Apache-2.0
"""``err``: errors of callbacks and of C code, and how they come out."""

import tvmgo
from conformance import library
from conformance.catalogue import counterpart
from conformance.library import callback
from conformance.outcome import attempt

MESSAGES = {
    "plain": "Sample Error XYZABC",
    "multiline": "line one\nline two\n  indented",
    "empty": "",
    "utf8": "dégât ✓",
    "trailing_newline": "ends here\n",
    "colon": "a: b: c",
    "nul": "before\0after",
    "stack_trace_word": "oops\nStack trace:\n  fake frame",
    "percent": "100% %s %d",
    "long": "long " * 2000,
    "looks_like_log": "[12:00:00] file.cc:12: TypeError: from log",
}


def exception_of(kind):
    """Return the exception that answers to an error of Go."""
    # "ValueError: bad thing" was how a Go program said which class it meant.
    return ValueError("bad thing") if kind == "typed" else tvmgo.TVMError(MESSAGES[kind])


def nested(function, depth):
    """Return a function that calls another through as many packed calls."""
    for _ in range(depth - 1):
        function = (lambda inner: callback(lambda: inner.invoke()))(function)
    return function


def failing(error):
    """Return a callback that raises this very exception."""

    def fail():
        raise error

    return callback(fail)


@counterpart("err.cb.*")
def callback_fails(fact):
    _, kind, depth = fact.case.split(".")
    error = exception_of(kind)
    function = nested(failing(error), int(depth.removeprefix("depth")))
    observed = attempt(function.invoke, raised=error)
    if kind == "empty":  # an empty message is in any, also in gotvm's, whose probe said otherwise
        observed.extra["contains_message"] = bool(str(observed.error))
    return observed


# ---------------------------------------------------------------- C code that fails


@counterpart("err.c.err_msg", "err.c.err_multi", "err.c.err_silent")
def kernel_fails(fact):
    return library.kernel(fact.case.partition(".")[2]).invoke()


@counterpart("err.c.*.in_callback")
def kernel_fails_in_callback(fact):
    kernel = library.kernel(fact.case.split(".")[1])
    return callback(lambda: kernel.invoke()).invoke()


@counterpart("err.c.silent_after_other")
def stale_message():
    attempt(library.kernel("err_msg").invoke)
    observed = attempt(library.kernel("err_silent").invoke)
    return {
        "raises": type(observed.error).__name__,
        "old_message": "deliberate" in str(observed.error),
        "names_the_function": "err_silent" in str(observed.error),
    }


@counterpart("err.c.err_of_callback_in_call_func")
def callback_fails_under_kernel():
    error = tvmgo.TVMError("from go")
    return attempt(library.kernel("call_func").invoke, failing(error), raised=error)


@counterpart("err.c.nested_go_c_go_c")
def kernel_fails_under_callback_under_kernel():
    kernel = library.kernel("err_msg")
    return library.kernel("call_func").invoke(callback(lambda: kernel.invoke()))


@counterpart("err.myadd.wrong_kind")
def kernel_refuses():
    return library.kernel("myadd").invoke(1, 2, 3)


# ---------------------------------------------------------------- errors in the hands of a program


@counterpart("err.unwrap")
def unwrap():
    sentinel = LookupError("the program's own")
    observed = attempt(failing(sentinel).invoke)
    return {"errors.Is": observed.error is sentinel, "type": type(observed.error).__name__}


@counterpart("err.swallowed")
def swallowed():
    inner = failing(tvmgo.TVMError("inner"))

    def outer():
        assert attempt(inner.invoke).error is not None
        return 5

    return callback(outer).invoke().as_int64()


@counterpart("err.wrapped")
def wrapped():
    inner = failing(tvmgo.TVMError("inner"))

    def outer():
        try:
            inner.invoke()
        except tvmgo.TVMError as error:
            raise tvmgo.TVMError(f"outer: {type(error).__name__}: {error}") from error

    return callback(outer).invoke()


@counterpart("err.unsupported_return_text")
def unsupported_result():
    return attempt(callback(lambda: True).invoke, about=True)


# ---------------------------------------------------------------- the full text


@counterpart("error_text_format")
def full_text():
    return tvmgo.load_module("xyzabc.so")
