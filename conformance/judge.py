# SPDX-License-Identifier: Apache-2.0
"""Executing a fact and judging what came of it."""

from dataclasses import dataclass

from conformance import counterparts  # fills the catalogue
from conformance.catalogue import MATCH, counterpart_of, statement_of
from conformance.outcome import Observed, attempt

assert counterparts


@dataclass(frozen=True)
class Judgement:
    """What a fact came to.

    Attributes
    ----------
    id : str
    verdict : str or None
        ``match``, ``improved``, ``python``; None when nothing explains what was seen.
    differences : tuple of str
        What does not fit, for somebody who has to find out why.
    """

    id: str
    verdict: str | None
    differences: tuple


def observe(fact, world):
    """Execute a fact's counterpart."""
    run = counterpart_of(fact).run
    observed = attempt(run, world, fact)
    if observed.error is None and isinstance(observed.value, Observed):
        return observed.value
    return observed


def judge(fact, world):
    """Execute a fact and return the `Judgement`.

    Parameters
    ----------
    fact : conformance.facts.Fact
    world : conformance.world.World
        Its directory must be the current one.
    """
    if counterpart_of(fact) is None:
        return Judgement(fact.id, None, ("nothing executes this fact",))
    observed = observe(fact, world)
    differences = counterpart_of(fact).compare(fact, observed)
    if not differences:
        return Judgement(fact.id, MATCH, ())
    statement = statement_of(fact)
    if statement is None:
        return Judgement(fact.id, None, tuple(differences))
    unexplained = statement.outcome_of(fact).differences(observed)
    if not statement.reason_of(fact):
        unexplained.append("no reason is given")
    if unexplained:
        return Judgement(fact.id, None, tuple(unexplained))
    return Judgement(fact.id, statement.verdict, tuple(differences))
