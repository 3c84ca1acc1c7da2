# SPDX-License-Identifier: Apache-2.0
"""``err``: errors of callbacks and of C code, and how they come out."""

import tvmgo
from conformance.catalogue import Gives, Raises, executes, improved, python
from conformance.counterparts.results import NUMBERS_AND_NONE
from conformance.outcome import TypeCode, attempt
from conformance.world import callback

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


@executes("err.cb.*")
def callback_fails(world, fact):
    _, kind, depth = fact.case.split(".")
    error = exception_of(kind)
    function = nested(failing(error), int(depth.removeprefix("depth")))
    observed = attempt(function.invoke, raised=error)
    if kind == "empty":  # an empty message is in any, also in gotvm's, whose probe said otherwise
        observed.extra["contains_message"] = bool(str(observed.error))
    return observed


improved("err.cb.nul.depth1", Raises(tvmgo.TVMError, MESSAGES["nul"]))
improved(
    "err.cb.looks_like_log.depth1",
    Raises(tvmgo.TVMError, MESSAGES["looks_like_log"]),
    "The runtime took the message for a line of its log and rewrote it.",
)


# ---------------------------------------------------------------- C code that fails


@executes("err.c.err_msg", "err.c.err_multi", "err.c.err_silent")
def kernel_fails(world, fact):
    return world.kernel(fact.case.partition(".")[2]).invoke()


@executes("err.c.*.in_callback")
def kernel_fails_in_callback(world, fact):
    kernel = world.kernel(fact.case.split(".")[1])
    return callback(lambda: kernel.invoke()).invoke()


@executes("err.c.silent_after_other")
def stale_message(world, fact):
    attempt(world.kernel("err_msg").invoke)
    observed = attempt(world.kernel("err_silent").invoke)
    return {
        "raises": type(observed.error),
        "old_message": "deliberate" in str(observed.error),
        "names_the_function": "err_silent" in str(observed.error),
    }


improved(
    "err.c.silent_after_other",
    Gives(
        {"raises": tvmgo.TVMError, "old_message": False, "names_the_function": True},
        "`TVMError` that tells the function's name and shows no older message",
    ),
)


@executes("err.c.err_of_callback_in_call_func")
def callback_fails_under_kernel(world, fact):
    error = tvmgo.TVMError("from go")
    return attempt(world.kernel("call_func").invoke, failing(error), raised=error)


@executes("err.c.nested_go_c_go_c")
def kernel_fails_under_callback_under_kernel(world, fact):
    kernel = world.kernel("err_msg")
    return world.kernel("call_func").invoke(callback(lambda: kernel.invoke()))


@executes("err.myadd.wrong_kind")
def kernel_refuses(world, fact):
    return world.kernel("myadd").invoke(1, 2, 3)


# ---------------------------------------------------------------- errors in the hands of a program


@executes("err.unwrap")
def unwrap(world, fact):
    sentinel = LookupError("the program's own")
    observed = attempt(failing(sentinel).invoke)
    return {"errors.Is": observed.error is sentinel, "type": type(observed.error)}


improved(
    "err.unwrap",
    Gives(
        {"errors.Is": True, "type": LookupError}, "the very exception comes out, of its own class"
    ),
)


@executes("err.swallowed")
def swallowed(world, fact):
    inner = failing(tvmgo.TVMError("inner"))

    def outer():
        assert attempt(inner.invoke).error is not None
        return 5

    return callback(outer).invoke().as_int64()


@executes("err.wrapped")
def wrapped(world, fact):
    inner = failing(tvmgo.TVMError("inner"))

    def outer():
        try:
            inner.invoke()
        except tvmgo.TVMError as error:
            raise tvmgo.TVMError(f"outer: {type(error).__name__}: {error}") from error

    return callback(outer).invoke()


@executes("err.unsupported_return_text")
def unsupported_result(world, fact):
    return attempt(callback(lambda: True).invoke, about=True)


python(
    "err.unsupported_return_text",
    Gives({"type_code": TypeCode(0), "AsInt64": 1, "holds": True}),
    NUMBERS_AND_NONE,
)


# ---------------------------------------------------------------- the full text


@executes("error_text_format")
def full_text(world, fact):
    return tvmgo.load_module("xyzabc.so")
