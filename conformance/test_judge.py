# SPDX-License-Identifier: Apache-2.0
"""Tests of the judge: whatever is falsified, the record, the verdict or the code, it notices."""

import sys
from dataclasses import replace

import pytest

import tvmgo
from conformance import catalogue, isolated, judge
from conformance.facts import IMPROVED, MATCH, PYTHON, recorded
from conformance.outcome import Observed

# Of each kind of outcome and of each verdict one.
MATCHES = """
arg.int_neg1 str.utf8.roundtrip bytes.nul.c arr.copy.short err.cb.plain.depth1 version.tvm
tests.TestArrayNDim samples.pack_func_convert
"""
DEVIATIONS = "acc.null.AsInt64 arg.uint64_max ret.map tests.TestArrayCreateSize"


def each_of(ids):
    return pytest.mark.parametrize("fact", [recorded()[fact_id] for fact_id in ids], ids=ids)


each_match = each_of(MATCHES.split())
each_deviation = each_of(DEVIATIONS.split())


@pytest.fixture(autouse=True)
def executed(beside_library):
    """Facts are executed in the directory of the recorded library."""


def restated(fact, **entries):
    return replace(fact, stated={**fact.stated, **entries})


@each_match
def test_changed_record_is_noticed(fact):
    if fact.outcome["error"] is None:
        changed = {"value": ["something", "else"]}
    else:
        changed = {"error": "arr_size == nbytes (17 vs. 13)"}
    assert judge.judge(replace(fact, outcome={**fact.outcome, **changed}))


@each_match
@pytest.mark.parametrize("verdict", [IMPROVED, PYTHON])
def test_match_called_anything_else_is_noticed(fact, verdict):
    observed = judge.observe(fact)
    stated = {"verdict": verdict, "gives": None, "reason": "none"}
    if observed.error is None:
        stated["gives"] = judge.plain(observed.value)
    else:
        stated = {**stated, "raises": type(observed.error).__name__, "tells": []}
    assert judge.judge(replace(fact, stated=stated)) == [f"{verdict}, but gotvm did the same"]


@each_deviation
def test_deviation_called_a_match_is_noticed(fact):
    assert judge.judge(restated(fact, verdict=MATCH))


@each_deviation
def test_unknown_verdict_is_noticed(fact):
    assert judge.judge(restated(fact, verdict="better"))


@each_deviation
def test_changed_statement_is_noticed(fact):
    if "raises" in fact.stated:
        assert judge.judge(restated(fact, tells=["something else"]))
        assert judge.judge(restated(fact, raises="OSError"))
    else:
        assert judge.judge(restated(fact, gives="something else"))


@each_deviation
def test_statement_without_reason_is_noticed(fact):
    assert judge.judge(replace(restated(fact, reason=""), note=""))


@pytest.mark.parametrize("observed", [Observed(), Observed(error=RuntimeError("sabotage"))])
def test_counterpart_that_does_nothing_or_fails_is_noticed(observed):
    passing = {f.id for f in recorded().values() if not judge.unexplained(f, observed)}
    if observed.error is None:
        empty = {"value": None, "error": None, "signal": None}
        passing -= {
            fact.id
            for fact in recorded().values()
            if fact.verdict == MATCH and empty.items() <= {**empty, **fact.outcome}.items()
        }
    assert not passing


def test_fact_without_counterpart_is_noticed(monkeypatch):
    monkeypatch.setattr(catalogue, "COUNTERPARTS", {})
    assert judge.judge(recorded()["arg.nil"]) == ["nothing executes this fact"]


def test_second_counterpart_of_a_fact_is_refused():
    with pytest.raises(ValueError, match="two counterparts"):
        catalogue.counterpart("arg.error")(lambda fact: None)


# ---------------------------------------------------------------- stated outcomes


def failed(error):
    return Observed(error=error)


def test_gives_the_value_passes():
    assert judge.differences_from_stated({"gives": [1, 2]}, Observed((1, 2))) == []


@pytest.mark.parametrize(
    "observed",
    [Observed([1]), Observed([1.0, 2.0]), Observed([True, 2]), failed(ValueError("x"))],
    ids=["value", "floats", "bool", "error"],
)
def test_gives_another_fails(observed):
    assert judge.differences_from_stated({"gives": [1, 2]}, observed)


REFUSED = {"raises": "ValueError", "tells": ["16"]}


def test_raises_with_words_passes():
    assert not judge.differences_from_stated(REFUSED, failed(tvmgo.TVMValueError("16 bytes")))


@pytest.mark.parametrize(
    "observed",
    [Observed(1), failed(TypeError("16")), failed(ValueError("12"))],
    ids=["value", "class", "words"],
)
def test_raises_another_fails(observed):
    assert judge.differences_from_stated(REFUSED, observed)


# ---------------------------------------------------------------- processes

DYING = """
import os, sys
from conformance import isolated
from conformance.counterparts import accessors

read = accessors.read
accessors.read = lambda value, name: os.abort() if name == "AsBytes" else read(value, name)
isolated.main(*sys.argv[1:])
"""


def test_fact_that_kills_its_process_is_named_and_the_others_go_on(recorded_directory):
    ids = ["acc.null.AsStr", "acc.null.AsBytes", "acc.int.AsStr"]
    judged = isolated.judge_isolated(
        [recorded()[fact_id] for fact_id in ids], recorded_directory, [sys.executable, "-c", DYING]
    )
    assert judged == {ids[0]: [], ids[1]: ["the process died of SIGABRT"], ids[2]: []}
