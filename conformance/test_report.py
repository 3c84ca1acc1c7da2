# SPDX-License-Identifier: Apache-2.0
"""Tests of the command and of the page it writes."""

import pytest

from conformance import __main__ as command
from conformance import report
from conformance.facts import recorded


@pytest.fixture
def run_on(monkeypatch, tmp_path, capsys):
    """Run the command on what was judged; gives its exit code, what it printed, and the page."""
    page = tmp_path / "page.md"
    monkeypatch.setattr(report, "PAGE", page)

    def run(*arguments, **unexplained):
        judged = {**{fact_id: [] for fact_id in recorded()}, **unexplained}
        monkeypatch.setattr(command, "judge_all", lambda: judged)
        code = command.main([*arguments])
        return code, capsys.readouterr().out, page.read_text("utf-8") if page.exists() else None

    return run


def test_command_with_all_explained_succeeds(run_on):
    code, out, page = run_on()
    assert code == 0
    cells = [cell.strip() for cell in out.splitlines()[-1].split("|")[1:-1]]
    assert cells == ["**all**", "364", "180", "24", "568"]
    assert page is None


def test_command_asked_to_write_writes_the_page(run_on):
    code, out, page = run_on("--write")
    assert code == 0
    assert page == report.page()
    assert out.rstrip("\n") in page


def test_command_with_one_unexplained_fails_names_it_and_writes_nothing(run_on):
    code, out, page = run_on("--write", **{"arg.nil": ["4 is 5"]})
    assert code == 1
    assert "unexplained: arg.nil: 4 is 5" in out
    assert out.count("unexplained") == 2  # in the matrix, too
    assert page is None


def test_page_gives_call_outcome_and_reason_of_each_deviation():
    lines = report.page().splitlines()
    (habit,) = [line for line in lines if "`arg.bool_true`" in line]
    assert "callback.Invoke(true)" in habit
    assert "Given value Type not defined" in habit
    assert "bool and None are values like others" in habit
    (improvement,) = [line for line in lines if "`acc.null.AsStr`" in line]
    assert "SIGSEGV" in improvement
    assert "TypeError" in improvement
    assert not [line for line in lines if "`arg.int_neg1`" in line]
    (test,) = [line for line in lines if "`tests.TestArrayCreateSize`" in line]
    assert "empty shape" in test
    assert "one element" in test


def test_page_in_docs_is_as_written_now():
    assert report.PAGE.read_text(encoding="utf-8") == report.page(), "see `--write`"
