# SPDX-License-Identifier: Apache-2.0
"""Executing a fact and judging what came of it."""

import builtins
import json

import tvmgo
from conformance import counterparts  # fills the catalogue
from conformance.catalogue import counterpart_of
from conformance.facts import MATCH, VERDICTS
from conformance.outcome import Observed, attempt, plain, shown_error

assert counterparts


def judge(fact):
    """Execute a fact beside the recorded library. Return what is not as stated, in words."""
    if counterpart_of(fact) is None:
        return ["nothing executes this fact"]
    return unexplained(fact, observe(fact))


def observe(fact):
    """Execute a fact's counterpart."""
    observed = attempt(counterpart_of(fact).run, fact)
    return observed.value if isinstance(observed.value, Observed) else observed


def unexplained(fact, observed):
    """Return what the fact's verdict does not explain of what was observed.

    A match is as recorded. What is improved, or a habit of Python, is not as recorded, but just as
    stated, and has a reason.
    """
    differences = counterpart_of(fact).compare(fact, observed)
    if fact.verdict == MATCH:
        return differences
    found = differences_from_stated(fact.stated, observed)
    if fact.verdict not in VERDICTS:
        found.append(f"{fact.verdict!r} is no verdict")
    if not fact.reason:
        found.append("no reason is given")
    if not differences:
        found.append(f"{fact.verdict}, but gotvm did the same")
    return found


def differences_from_stated(stated, observed):
    """Compare with a stated outcome: an error of a class that tells something, or a value."""
    error = observed.error
    if "raises" in stated:
        kind = getattr(builtins, stated["raises"], None) or getattr(tvmgo, stated["raises"])
        if not isinstance(error, kind):
            seen = shown_error(error) if error else f"the result is {observed.value!r}"
            return [f"no {kind.__name__}: {seen}"]
        told = stated["tells"]
        return [f"{shown_error(error)} does not tell {x!r}" for x in told if x not in str(error)]
    if error is not None:
        return [f"raises {shown_error(error)}"]
    wanted, seen = (json.dumps(plain(x), sort_keys=True) for x in (stated["gives"], observed.value))
    return [] if seen == wanted else [f"{wanted} is {seen}"]
