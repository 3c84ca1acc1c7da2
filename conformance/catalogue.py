# SPDX-License-Identifier: Apache-2.0
"""Which Python function makes the call of which fact.

The modules of ``counterparts`` fill it in::

    @counterpart("device.negative_index")
    def negative_index():
        device = tvmgo.cpu(-3)
        return [device.device_type, device.device_id]

A pattern is an id, or one with ``*`` in it for many. An id goes before a pattern that matches it.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from conformance import rules


@dataclass(frozen=True)
class Counterpart:
    """The code that makes a fact's call in Python.

    Attributes
    ----------
    run : callable
        Gets the `Fact` if it has a parameter; returns an `Observed`, or the result alone.
    compare : callable
        The rule: gets the `Fact` and the `Observed`, returns the differences.
    alone : bool
        It wants a process to itself.
    """

    run: Callable
    compare: Callable
    alone: bool


COUNTERPARTS: dict[str, Counterpart] = {}


def counterpart(*patterns, compare=rules.differences, alone=False):
    """Make the decorated function the counterpart of these facts."""

    def add(run):
        takes_fact = inspect.signature(run).parameters
        made = Counterpart(run if takes_fact else lambda fact: run(), compare, alone)
        for pattern in patterns:
            if pattern in COUNTERPARTS:
                raise ValueError(f"{pattern} has two counterparts")
            COUNTERPARTS[pattern] = made
        return run

    return add


def counterpart_of(fact):
    """Return the fact's `Counterpart`, or None."""
    if fact.id in COUNTERPARTS:
        return COUNTERPARTS[fact.id]
    found = [pattern for pattern in COUNTERPARTS if fnmatchcase(fact.id, pattern)]
    if len(found) > 1:
        raise ValueError(f"{fact.id} is claimed by {' and '.join(found)}")
    return COUNTERPARTS[found[0]] if found else None
