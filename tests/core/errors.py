# SPDX-License-Identifier: Apache-2.0
"""Exceptions, and functions that raise them, for the tests of errors."""

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
