# SPDX-License-Identifier: Apache-2.0
"""The benchmarks' own logic, with made-up figures: what is measured is tested where it is run."""

import copy
import json
import random
import sys

import numpy as np
import pytest

from benchmarks import compare, instructions, render, runs
from benchmarks.case import Target, at_least, at_most
from benchmarks.cases import CASES
from tests.helpers import run_python

MACHINE = {"cpu": "Some CPU (R) 3.0", "cores": 2, "system": "Linux x86_64"}


def spread(median, percent=1):
    return {
        "low": median * (1 - percent / 100),
        "median": median,
        "high": median * (1 + percent / 100),
    }


def result(group="Group", name="case", rivals=None, **changes):
    """Figures of one case, as `compare.measure` returns them."""
    rivals = rivals or {"tvmgo": 50.0, "tvm_ffi": 100.0}
    return {
        "group": group,
        "name": name,
        "unit": "ns",
        "nbytes": 16,
        "length": 1,
        "rounds": 101,
        "rivals": {
            rival: {"statement": "f()", "calls": 10, **spread(median)}
            for rival, median in rivals.items()
        },
        "ratios": {
            rival: spread(rivals["tvmgo"] / median)
            for rival, median in rivals.items()
            if rival != "tvmgo"
        },
        "targets": [],
    } | changes


def figures(*results, date="2026-01-02T03:04:05+00:00", machine=MACHINE, **changes):
    """A run, as `compare.run` returns it."""
    return {
        "date": date,
        "machine": machine,
        "versions": {"CPython": "3.13.1", "tvmgo": "1.0"},
        "neighbours": 0.0,
        "yardstick_ns": [10.0, 10.1],
        "results": list(results),
    } | changes


# The table of cases


def test_titles_of_cases_differ():
    titles = [case.title for case in CASES]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.targets], ids=lambda case: case.title
)
def test_targets_name_rivals_of_their_case(case):
    for target in case.targets:
        figure, limit = target.evaluate({name: 7.0 + i for i, name in enumerate(case.rivals)})
        assert target.met(figure, limit) in (True, False)
        target.evaluate_floor(dict.fromkeys(case.rivals, 7.0))


def test_twelve_cases_are_counted_and_the_counts_are_stored():
    stored = json.loads(instructions.STORED.read_text())["counts"]
    counted = {case.title: set(case.rivals) for case in CASES if case.counted}
    assert len(counted) == 12
    assert {title: set(rivals) for title, rivals in stored.items()} == counted


def test_the_page_knows_all_rivals():
    assert {rival for case in CASES for rival in case.rivals} == {"tvmgo", *render.RIVALS}


def test_gotvm_figures_exist_for_the_cases_that_name_them():
    assert {case.gotvm for case in CASES if case.gotvm} == set(render.GOTVM["ns"])


@pytest.mark.slow
def test_each_rival_alone_gives_the_right_answer_and_a_sample():
    done = run_python("""
        from benchmarks.cases import CASES
        for case in CASES:
            for rival in () if case.group.processes else case.rivals:
                assert case.prepare((rival,))[rival](2) > 0
    """)
    assert done.returncode == 0, done.stderr


# Targets and spreads


def test_target_evaluates_rivals_with_spaces_in_their_names():
    target = Target("tvmgo - C_loop", "<=", "max(Python + 25, 3 * C_loop)", "ns")
    assert target.evaluate({"tvmgo": 40.0, "C loop": 30.0, "Python": 20.0}) == (10.0, 90.0)


@pytest.mark.parametrize(
    ("target", "figure", "met"),
    [
        (at_most(0.5), 0.5, True),
        (at_most(0.5), 0.51, False),
        (at_least(0.97, "memcpy / tvmgo"), 0.97, True),
        (at_least(0.97, "memcpy / tvmgo"), 0.96, False),
    ],
)
def test_target_is_met_up_to_its_limit(target, figure, met):
    assert target.met(figure, float(target.limit)) is met


def test_floor_is_the_median_of_the_rounds():
    samples = {"tvmgo": [3.0] * 3, "bare C": [1.0, 2.0, 9.0], "array.array": [1.0, 1.0, 2.0]}
    for floor, expected in (("bare_C", 2), ("bare_C / array_array", 2), ("", None)):
        target = at_most(9, "tvmgo / bare_C", floor=floor)
        assert compare.judge(target, samples)["floor_measured"] == expected


def test_target_is_judged_by_the_median_of_the_rounds():
    samples = {"tvmgo": [1.0, 2.0, 30.0, 4.0, 5.0], "tvm_ffi": [10.0] * 5}
    judged = compare.judge(at_most(0.4), samples)
    ratios = np.array(samples["tvmgo"]) / 10
    assert judged["measured"] == pytest.approx(
        dict(zip(("low", "median", "high"), np.percentile(ratios, [25, 50, 75])))
    )
    assert judged["met"] is True
    assert compare.judge(at_most(0.39), samples)["met"] is False


def test_ratios_are_formed_within_a_round():
    # The machine is twice as slow in every second round: the ratio does not see it.
    samples = {"tvmgo": [1.0, 2.0] * 5, "tvm_ffi": [2.0, 4.0] * 5}
    assert compare.judge(at_most(0.5), samples)["measured"] == {
        "low": 0.5,
        "median": 0.5,
        "high": 0.5,
    }


def test_interleave_takes_one_sample_of_each_rival_in_each_round():
    taken = []

    def sampler(name):
        return lambda calls: taken.append((name, calls)) or float(calls)

    samples = compare.interleave(
        {"a": sampler("a"), "b": sampler("b")}, {"a": 3, "b": 5}, 4, random.Random(0)
    )
    assert samples == {"a": [3.0] * 4, "b": [5.0] * 4}
    assert [{name for name, _ in taken[i : i + 2]} for i in range(0, 8, 2)] == [{"a", "b"}] * 4


# Stored runs


def test_last_run_is_the_latest_of_the_same_machine(tmp_path):
    published = tmp_path / "published.json"
    other = {**MACHINE, "cores": 64}
    assert runs.last(MACHINE, tmp_path, published) is None
    for day in (3, 1, 2):
        runs.store(figures(date=f"2026-01-0{day}T00:00:00+00:00"), tmp_path)
    runs.store(figures(date="2026-01-09T00:00:00+00:00", machine=other), tmp_path)
    assert runs.last(MACHINE, tmp_path, published)["date"] == "2026-01-03T00:00:00+00:00"
    runs.write(figures(date="2026-01-04T00:00:00+00:00"), published)
    assert runs.last(MACHINE, tmp_path, published)["date"] == "2026-01-04T00:00:00+00:00"
    assert runs.last(other, tmp_path, published)["machine"] == other


@pytest.mark.parametrize(
    ("tvmgo", "tvm_ffi", "verdict"),
    [
        (100.0, 100.0, ""),
        (101.0, 100.0, ""),  # within the spread of one percent on either side
        (110.0, 100.0, "worse"),
        (90.0, 100.0, "better"),
        (110.0, 110.0, ""),  # the whole machine was slower
        (110.0, 90.0, "worse"),
        (90.0, 90.0, ""),
        (103.0, 100.0, ""),  # at its mildest too small to be noticed
    ],
)
def test_change_beyond_spread_and_rivals_is_marked(tvmgo, tvm_ffi, verdict):
    old = figures(result(rivals={"tvmgo": 100.0, "tvm_ffi": 100.0}))
    new = figures(result(rivals={"tvmgo": tvmgo, "tvm_ffi": tvm_ffi}))
    line = next(line for line in runs.compare(old, new) if line.startswith("Group: case"))
    assert ("worse" in line, "better" in line) == (verdict == "worse", verdict == "better")
    assert f"{tvmgo / 100:.2f} (" in line


def test_comparison_names_new_and_gone_cases_and_other_versions():
    old = figures(result(name="before"), versions={"CPython": "3.12.0", "tvmgo": "1.0"})
    said = "\n".join(runs.compare(old, figures(result(name="after"))))
    assert "Group: after  new" in said
    assert "Group: before  gone" in said
    assert "CPython 3.12.0 then, 3.13.1 now" in said
    assert "tvmgo 1.0" not in said


# The page


CALL_ROW = dict(group=CASES[0].group.title, name=CASES[0].name)
COUNTS = {"versions": {"CPython": "3.13.1"}, "counts": {"Group: case": {"tvmgo": 1234.4}}}


def judged(**changes):
    return {
        "figure": "tvmgo / tvm_ffi",
        "relation": "<=",
        "limit": "0.60",
        "unit": "",
        "measured": spread(0.5),
        "limit_measured": 0.6,
        "met": True,
        "floor": "",
        "floor_measured": None,
    } | changes


def test_page_shows_each_target_with_its_figure():
    missed = judged(
        figure="tvmgo",
        limit="max(Python + 25, 3 * C_loop)",
        unit="ns",
        met=False,
        measured=spread(60.0, 10),
        limit_measured=45.0,
        floor="bare_C",
        floor_measured=50.0,
    )
    text = render.page(figures(result(**CALL_ROW, targets=[judged(), missed])), COUNTS)
    title = f"{CALL_ROW['group']}: {CALL_ROW['name']}"
    assert f"| {title} | `tvmgo / tvm_ffi` | ≤ 0.600 | 0.500 (0.495 to 0.505) | yes |  |" in text
    assert (
        f"| {title} | `tvmgo` | ≤ 45.0 ns = `max(Python + 25, 3 * C_loop)` "
        f"| 60.0 ns (54.0 ns to 66.0 ns) | **no** | 50.0 ns = `bare_C` |"
    ) in text
    assert "1 of 2 targets are met" in text


def test_published_page_shows_the_published_run():
    figures = json.loads(runs.PUBLISHED.read_text())
    counts = json.loads(instructions.STORED.read_text())
    assert render.PAGE.read_text() == render.page(figures, counts)


def test_page_marks_gotvm_as_taken_on_another_machine():
    text = render.page(figures(result(**CALL_ROW)), COUNTS)
    low, high = render.GOTVM["ns"][CASES[0].gotvm]["medians"]
    assert "gotvm, another machine |" in text
    assert f"| {low:,.0f} ns to {high:,.0f} ns |" in text
    assert "**on another machine**" in text


def test_page_shows_instruction_counts():
    assert "| Group: case | 1,234 |" in render.page(figures(result(**CALL_ROW)), COUNTS)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, set()),
        ({"neighbours": 0.5}, {"provisional"}),
        ({"neighbours": 0.5, "yardstick_ns": [10.0, 12.0]}, {"provisional"}),
        ({"yardstick_ns": [10.0, 12.0]}, {"not steady"}),
        ({"neighbours": None}, set()),
    ],
)
def test_page_says_whether_the_machine_was_quiet_and_steady(changes, said):
    noise = render.noise(figures(**changes))
    assert {word for word in ("provisional", "not steady") if word in noise} == said


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (4.26, "ns", "4.3 ns"),
        (123.4, "ns", "123 ns"),
        (15_230, "ns", "15.2 µs"),
        (6.3e6, "ns", "6.30 ms"),
        (2e9, "ns", "2.00 s"),
        (4721, "KiB", "4.61 MiB"),
    ],
)
def test_amounts_have_three_digits_and_a_scale(value, unit, text):
    assert render.amount(value, unit) == text


# Instruction counts


DUMP = """\
# callgrind format
version: 1
creator: callgrind-3.19.0
pid: 17
cmd:  python -m benchmarks.instructions --loops
part: 4

desc: I1 cache:
desc: Timerange: Basic block 12 - 345
desc: Trigger: {trigger}

positions: line
events: Ir
summary: 61700

fn=(1) nop
1 61700

totals: 61700
"""


def test_dump_of_a_loop_is_read():
    text = DUMP.format(trigger="Client Request: Group: 3 ints | C loop | 600")
    assert instructions.read_dump(text) == (("Group: 3 ints", "C loop", 600), 61700)
    assert instructions.read_dump(DUMP.format(trigger="Program termination")) is None


def test_count_of_a_call_is_the_difference_of_two_loops():
    outside, per_call = 5000, 123
    totals = {
        ("case", "tvmgo", calls): outside + per_call * calls
        for calls in (instructions.SHORT, instructions.LONG)
    }
    assert instructions.per_call(totals) == {"case": {"tvmgo": per_call}}


@pytest.mark.parametrize(("now", "said"), [(90, ""), (105, ""), (105.2, "5.2% more")])
def test_growth_by_more_than_five_percent_is_a_problem(now, said):
    problems = instructions.problems(
        {"case": {"tvmgo": 100, "tvm_ffi": 1}}, {"case": {"tvmgo": now, "tvm_ffi": 999}}
    )
    assert [said in problem for problem in problems] == [True] * bool(said)


def test_cases_on_one_side_only_are_problems():
    before, now = instructions.problems({"old": {"tvmgo": 1}}, {"new": {"tvmgo": 2}})
    assert before == "new: 2 instructions, and no stored count"
    assert now == "old: stored, but no longer counted"


def check(monkeypatch, tmp_path, stored, counts):
    path = tmp_path / "instructions.json"
    path.write_text(json.dumps({"versions": instructions.versions(), "counts": stored}))
    monkeypatch.setattr(instructions, "STORED", path)
    monkeypatch.setattr(instructions, "count", lambda: copy.deepcopy(counts))
    monkeypatch.setattr(sys, "argv", ["instructions", "--check"])
    instructions.main()


def test_check_passes_and_fails(monkeypatch, tmp_path, capsys):
    check(monkeypatch, tmp_path, {"case": {"tvmgo": 100}}, {"case": {"tvmgo": 104}})
    assert "none of 1 cases" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="case: 106 instructions, 6.0% more than the stored 100"):
        check(monkeypatch, tmp_path, {"case": {"tvmgo": 100}}, {"case": {"tvmgo": 106}})


def test_other_versions_are_named():
    assert instructions.differences({"numpy": "2.0", "a": "1"}, {"numpy": "2.1", "a": "1"}) == [
        "numpy: 2.0 when the counts were stored, 2.1 now"
    ]


def test_missing_valgrind_is_said(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match="needs valgrind, which is not installed"):
        instructions.count()
