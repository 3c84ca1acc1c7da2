# SPDX-License-Identifier: Apache-2.0
"""Tests of the command and of the page it writes."""

import sys
from pathlib import Path

import pytest

from conformance import __main__ as command
from conformance import facts, isolated, suites
from conformance.catalogue import IMPROVED, MATCH, PYTHON
from conformance.judge import Judgement

PAGE = Path(__file__).parents[1] / "docs" / "conformance.md"
JUDGED = [
    Judgement("arg.bool_true", PYTHON, ("x",)),
    Judgement("arg.int_neg1", MATCH, ()),
    Judgement("acc.null.AsStr", IMPROVED, ("x",)),
    Judgement("tests.TestArrayCreateSize", IMPROVED, ("x",)),
]


@pytest.fixture
def run_on(monkeypatch, tmp_path, capsys):
    """Run the command on given judgements; gives its exit code, what it printed, and the page."""

    def run(judged):
        monkeypatch.setattr(command, "judge_all", lambda: judged)
        code = command.main(["--output", str(tmp_path / "page.md")])
        return code, capsys.readouterr().out, (tmp_path / "page.md").read_text(encoding="utf-8")

    return run


def test_command_with_all_explained_succeeds(run_on):
    code, out, page = run_on(JUDGED)
    assert code == 0
    assert [cell.strip() for cell in out.splitlines()[-1].split("|")[1:-1]] == [
        "**all**",
        "1",
        "2",
        "1",
        "4",
    ]
    assert out.rstrip("\n") in page


def test_command_with_one_unexplained_fails_and_names_it(run_on):
    code, out, page = run_on([*JUDGED, Judgement("arg.nil", None, ("4 is 5",))])
    assert code == 1
    assert "unexplained: arg.nil: 4 is 5" in out
    assert "unexplained" in page


def test_page_gives_call_outcome_and_reason_of_each_deviation(run_on):
    _, _, page = run_on(JUDGED)
    (habit,) = [line for line in page.splitlines() if "`arg.bool_true`" in line]
    assert "callback.Invoke(true)" in habit
    assert "Given value Type not defined" in habit
    assert "bool and None are values like others" in habit
    (improvement,) = [line for line in page.splitlines() if "`acc.null.AsStr`" in line]
    assert "SIGSEGV" in improvement
    assert "TypeError" in improvement
    assert "arg.int_neg1" not in page
    (test,) = [line for line in page.splitlines() if "`tests.TestArrayCreateSize`" in line]
    assert "empty shape" in test
    assert "one element" in test


def test_page_in_docs_counts_every_fact():
    # What it says of each is tested where the facts are; a page of another suite is found here.
    totals = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "**all**" in line]
    count = len(facts.edges()) + len(facts.gotvm_tests()) + len(suites.SAMPLES)
    assert totals[0].split("|")[-2].strip() == str(count)
    assert "unexplained" not in PAGE.read_text(encoding="utf-8")


DYING = """
import os, sys
from conformance import isolated
from conformance.counterparts import accessors

read = accessors.read
accessors.read = lambda value, name: os.abort() if name == "AsBytes" else read(value, name)
isolated.main(*sys.argv[1:])
"""


def test_fact_that_kills_its_process_is_named_and_the_others_go_on(world):
    ids = ["acc.null.AsStr", "acc.null.AsBytes", "acc.int.AsStr"]
    judged = isolated.judge_isolated(
        [facts.edges()[fact_id] for fact_id in ids], world.directory, [sys.executable, "-c", DYING]
    )
    assert [judged[fact_id].verdict for fact_id in ids] == [IMPROVED, None, IMPROVED]
    assert judged["acc.null.AsBytes"].differences == ("the process died of SIGABRT",)


def test_each_test_that_asserts_something_else_is_of_gotvm():
    assert suites.OTHERWISE.keys() <= {f"tests.{test['name']}" for test in facts.gotvm_tests()}


@pytest.mark.parametrize(
    ("go", "python"),
    [
        ("TestArrayNDim", "test_array_ndim"),
        ("TestArrayCopySliceUInt8", "test_array_copy_slice_uint8"),
        ("TestFunctionNoArgsReturns2", "test_function_no_args_returns2"),
        ("TestTVMVersion", "test_tvm_version"),
        ("TestDLPackVersion", "test_dlpack_version"),
    ],
)
def test_snake_case_is_name_in_python(go, python):
    assert suites.snake_case(go) == python
