# SPDX-License-Identifier: Apache-2.0
"""Which Python code executes which fact, and what is stated about those that differ.

The rooms of ``counterparts`` fill it in::

    @executes("device.negative_index")
    def negative_index(world, fact):
        device = tvmgo.cpu(-3)
        return [device.device_type, device.device_id]

    improved("global.missing", Raises(KeyError, "no.such.name"))

A pattern is an id, or one with ``*`` in it for many. An id goes before a pattern that matches it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from conformance import rules
from conformance.outcome import plain
from conformance.rules import shown_error

MATCH, IMPROVED, PYTHON = "match", "improved", "python"


@dataclass(frozen=True)
class Counterpart:
    """The code that makes a fact's call in Python.

    Attributes
    ----------
    run : callable
        Gets the `World` and the `Fact`; returns an
        `Observed`, or the result alone.
    compare : callable
        The rule: gets the `Fact` and the `Observed`, returns the differences.
    alone : bool
        It wants a process to itself.
    """

    run: Callable
    compare: Callable
    alone: bool


@dataclass(frozen=True)
class Statement:
    """What tvmgo does where it does not do as gotvm did, and why."""

    verdict: str
    outcome: Any
    reason: str | None

    def outcome_of(self, fact):
        """Return the outcome stated for this fact."""
        return self.outcome if hasattr(self.outcome, "differences") else self.outcome(fact)

    def reason_of(self, fact):
        """Return the reason, which is the record's own note if no other is given."""
        return self.reason or fact.note


_counterparts: dict[str, Counterpart] = {}
_statements: dict[str, Statement] = {}


def executes(*patterns, compare=rules.differences, alone=False):
    """Make the decorated function the counterpart of these facts."""

    def add(run):
        for pattern in patterns:
            if pattern in _counterparts:
                raise ValueError(f"{pattern} has two counterparts")
            _counterparts[pattern] = Counterpart(run, compare, alone)
        return run

    return add


def improved(pattern, outcome, reason=None):
    """State the safe outcome of facts in which gotvm did wrong, or could do nothing.

    Parameters
    ----------
    pattern : str
    outcome : Raises, Gives, ... or callable
        Anything with ``differences(observed)``, or what returns it for a `Fact`.
    reason : str, optional
        Default: the record's own note.
    """
    _state(pattern, Statement(IMPROVED, outcome, reason))


def python(pattern, outcome, reason):
    """State where tvmgo follows a habit of Python instead of Go's."""
    _state(pattern, Statement(PYTHON, outcome, reason))


def _state(pattern, statement):
    if pattern in _statements:
        raise ValueError(f"{pattern} has two statements")
    _statements[pattern] = statement


def counterpart_of(fact):
    """Return the fact's `Counterpart`, or None."""
    return _only(_counterparts, fact.id)


def statement_of(fact):
    """Return the fact's `Statement`, or None."""
    return _only(_statements, fact.id)


def patterns():
    """Return all patterns in use, of counterparts and of statements."""
    return [*_counterparts], [*_statements]


def _only(table, fact_id):
    if fact_id in table:
        return table[fact_id]
    found = [pattern for pattern in table if fnmatchcase(fact_id, pattern)]
    if len(found) > 1:
        raise ValueError(f"{fact_id} is claimed by {' and '.join(found)}")
    return table[found[0]] if found else None


class Raises:
    """The outcome of a call that is refused.

    Parameters
    ----------
    kind : type
        The exception's class.
    *words : str
        What its message must tell.
    """

    def __init__(self, kind, *words):
        self.kind = kind
        self.words = words

    def __str__(self):
        told = " and ".join(f"`{word}`" for word in self.words)
        return f"`{self.kind.__name__}`" + (f" that tells {told}" if told else "")

    def differences(self, observed):
        """Return what is otherwise."""
        error = observed.error
        if not isinstance(error, self.kind):
            return [
                f"no {self.kind.__name__}: "
                + (shown_error(error) if error else f"the result is {observed.value!r}")
            ]
        return [
            f"{shown_error(error)} does not tell {word!r}"
            for word in self.words
            if word not in str(error)
        ]


class Gives:
    """The outcome of a call that works.

    Parameters
    ----------
    value : object
        What must be seen; of a `Value` what ``outcome.described`` tells.
    says : str, optional
        The same in words.
    """

    def __init__(self, value, says=None):
        self.value = value
        self.says = says

    def __str__(self):
        return self.says or f"gives `{plain(self.value)!r}`"

    def differences(self, observed):
        """Return what is otherwise."""
        if observed.error is not None:
            return [f"raises {shown_error(observed.error)}"]
        seen = plain(observed.value)
        return [] if seen == plain(self.value) else [f"{self.value!r} is {seen!r}"]
