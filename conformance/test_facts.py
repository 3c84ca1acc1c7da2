# SPDX-License-Identifier: Apache-2.0
"""Every recorded fact about gotvm, executed in Python and compared; and the data about it."""

import hashlib
from fnmatch import fnmatchcase

import pytest

from conformance import facts
from conformance.catalogue import COUNTERPARTS
from conformance.facts import MATCH, PYTHON, recorded
from conformance.isolated import judge_isolated, needs_isolation
from conformance.judge import judge

HABITS_AT_MOST = 0.05


@pytest.fixture(scope="session")
def isolated_judgements(request, recorded_directory):
    """What those facts came to, of the ones to be tested, that want processes of their own."""
    chosen = {
        item.callspec.params["fact_id"]
        for item in request.session.items
        if "fact_id" in getattr(item, "fixturenames", ())
    }
    return judge_isolated(
        [recorded()[fact_id] for fact_id in chosen if needs_isolation(recorded()[fact_id])],
        recorded_directory,
    )


@pytest.mark.parametrize("fact_id", recorded())
def test_fact(fact_id, beside_library, request):
    fact = recorded()[fact_id]
    if needs_isolation(fact):
        found = request.getfixturevalue("isolated_judgements")[fact_id]
    else:
        found = judge(fact)
    assert not found, "; ".join(found)


def test_records_are_as_they_were_recorded():
    # A result that is stated to differ is compared with the statement, not with the record.
    lines = (facts.HERE / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    kept = {name: digest for digest, name in map(str.split, lines)}
    assert kept == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in facts.HERE.iterdir()
        if path.suffix in (".json", ".txt") and path.name != "verdicts.json"
    }


def test_every_test_of_gotvm_passed_when_it_was_recorded():
    assert {test["result"] for test in facts.read("tests")["tests"]} == {"pass"}


def test_every_verdict_states_what_it_needs_and_nothing_else():
    outcomes = ({"gives"}, {"gives", "says"}, {"raises", "tells"})
    for fact in recorded().values():
        entries = fact.stated.keys() - {"verdict", "reason"}
        if fact.verdict == MATCH:
            assert fact.stated == {"verdict": MATCH}, fact.id
        else:
            assert entries in outcomes and fact.reason, fact.id


def test_verdict_of_a_fact_that_is_not_recorded_is_refused(monkeypatch):
    read = facts.read
    more = {"verdicts": {**read("verdicts"), "no.such.fact": {"verdict": MATCH}}}
    monkeypatch.setattr(facts, "read", lambda name: more.get(name) or read(name))
    with pytest.raises(ValueError, match="no.such.fact"):
        recorded.__wrapped__()


def test_every_pattern_is_of_a_fact():
    for pattern in COUNTERPARTS:
        assert any(fnmatchcase(fact_id, pattern) for fact_id in recorded()), pattern


def test_few_facts_are_left_to_habits_of_python():
    habits = [fact.id for fact in recorded().values() if fact.verdict == PYTHON]
    assert len(habits) <= HABITS_AT_MOST * len(facts.calls())
