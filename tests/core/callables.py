# SPDX-License-Identifier: Apache-2.0
"""Callables of several kinds, for the tests of functions."""


def add(x, y):
    return x + y


class Callable:
    """Has state, can be called, can be weakly referenced."""

    def __init__(self, answer=None):
        self.answer = answer
        self.calls = []

    def __call__(self, *args):
        self.calls.append(args)
        return self.answer

    def method(self, *args):
        return self(*args)


BOUND = Callable("bound")
