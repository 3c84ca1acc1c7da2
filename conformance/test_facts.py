# SPDX-License-Identifier: Apache-2.0
"""Every recorded fact about gotvm, executed in Python and compared."""

import hashlib
import re
from fnmatch import fnmatchcase

import pytest

from conformance import facts
from conformance.__main__ import PAGE
from conformance.catalogue import IMPROVED, MATCH, PYTHON, patterns, statement_of
from conformance.isolated import judge_isolated, needs_isolation
from conformance.judge import judge

EDGES = facts.edges()
HABITS_AT_MOST = 0.05


def deviations_on_page():
    """Return the verdict of each fact that ``docs/conformance.md`` does not call a match."""
    found, verdict = {}, None
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            verdict = {"## Python's habits": PYTHON, "## Improvements": IMPROVED}.get(line)
        elif verdict and (row := re.match(r"\| `(.+?)` \| ", line)):
            found[row[1]] = verdict
    return found


VERDICTS_ON_PAGE = deviations_on_page()


@pytest.fixture(scope="session")
def isolated_judgements(request, world):
    """What those facts came to, of the ones to be tested, that want processes of their own."""
    chosen = {
        item.callspec.params["fact_id"]
        for item in request.session.items
        if "fact_id" in getattr(item, "fixturenames", ())
    }
    return judge_isolated(
        [fact for fact in EDGES.values() if fact.id in chosen and needs_isolation(fact)],
        world.directory,
    )


@pytest.mark.parametrize("fact_id", EDGES)
def test_fact(fact_id, world, request, monkeypatch):
    fact = EDGES[fact_id]
    if needs_isolation(fact):
        judgement = request.getfixturevalue("isolated_judgements")[fact_id]
    else:
        monkeypatch.chdir(world.directory)
        judgement = judge(fact, world)
    assert judgement.verdict is not None, "; ".join(judgement.differences)
    # Nothing drifts from a match to what is stated elsewhere, nor back, without the page.
    assert judgement.verdict == VERDICTS_ON_PAGE.get(fact_id, MATCH), "see python -m conformance"


def test_records_are_as_they_were_recorded():
    # A result that is stated to differ is compared with the statement, not with the record.
    lines = (facts.HERE / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    kept = {name: digest for digest, name in map(str.split, lines)}
    assert kept == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in facts.HERE.iterdir()
        if path.suffix in (".json", ".txt")
    }


def test_every_pattern_is_of_a_fact():
    for pattern in [*patterns()[0], *patterns()[1]]:
        assert any(fnmatchcase(fact_id, pattern) for fact_id in EDGES), pattern


def test_few_facts_are_left_to_habits_of_python():
    habits = [
        fact.id
        for fact in EDGES.values()
        if (statement := statement_of(fact)) and statement.verdict == PYTHON
    ]
    assert len(habits) <= HABITS_AT_MOST * len(EDGES)
