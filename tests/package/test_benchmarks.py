# SPDX-License-Identifier: Apache-2.0
"""The benchmarks' own logic, with made-up figures: what is measured is tested where it is run."""

import json
import os
import random
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks import harness, history, instructions, page
from benchmarks.case import Case, Target, Timed, at_most, constant, cost, equals, ratio
from benchmarks.cases import CASES
from tests.helpers import run_python

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reports" / "performance.md"
RIVALS = sum(len(case.rivals) for case in CASES)
MACHINE = {"cpu": "Some CPU (R) 3.0", "cores": 2, "system": "Linux x86_64"}


def spread(median, percent=1):
    return {
        "low": median * (1 - percent / 100),
        "median": median,
        "high": median * (1 + percent / 100),
    }


def result(group="Group", name="case", rivals=None, **changes):
    """Figures of one case, as `harness.measure` returns them."""
    rivals = rivals or {"tvmgo": 50.0, "tvm_ffi": 100.0}
    return {
        "group": group,
        "name": name,
        "unit": "ns",
        "size": 0,
        "rounds": 101,
        "rivals": {rival: spread(median) for rival, median in rivals.items()},
        "ratios": {
            rival: spread(rivals["tvmgo"] / median)
            for rival, median in rivals.items()
            if rival != "tvmgo"
        },
        "targets": [],
    } | changes


def figures(*results, date="2026-01-02T03:04:05+00:00", **changes):
    """A run, as ``python -m benchmarks`` keeps it."""
    return {
        "date": date,
        "machine": MACHINE,
        "versions": {"CPython": "3.13.1", "tvmgo": "1.0"},
        "neighbours": 0.0,
        "yardstick_ns": [10.0, 10.1],
        "results": list(results),
        "instructions": {COUNTED: {"tvmgo": 1234.4, FLOOR: 617.2}},
    } | changes


def run_cases(*options):
    """Run the cases under pytest in a fresh interpreter. Return what it printed."""
    # pytest-benchmark measures nothing in what it takes for one of several workers.
    alone = {name: value for name, value in os.environ.items() if "PYTEST_XDIST" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", ROOT / "benchmarks" / "test_cases.py", *map(str, options)],
        env=alone,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


# The cases


def test_titles_of_cases_differ():
    titles = [case.title for case in CASES]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.targets], ids=lambda case: case.title
)
def test_targets_name_rivals_of_their_case(case):
    costs = {name: 7.0 + i for i, name in enumerate(case.rivals)}
    for target in case.targets:
        assert target.met(target.figure.of(costs), target.limit.of(costs)) in (True, False)
        if target.floor:
            assert target.floor.of(costs) > 0


def test_twelve_calls_and_ten_kernels_are_counted_and_the_counts_are_stored():
    stored = json.loads(instructions.STORED.read_text())["counts"]
    counted = {case.title: {"tvmgo", case.counted} for case in instructions.CASES if case.counted}
    assert len(counted) == 12 + 10
    assert {title: set(rivals) for title, rivals in stored.items()} == counted


def test_counted_cases_have_bare_c_for_a_floor_where_there_is_one():
    for case in CASES:
        if case.counted and "bare C" in case.rivals:
            assert case.counted == "bare C"
        assert case.counted in ("", *case.rivals)


def test_the_page_knows_all_rivals():
    assert {rival for case in CASES for rival in case.rivals} == {"tvmgo", *page.RIVALS}


def test_gotvm_figures_exist_for_the_cases_that_name_them():
    assert set(page.GOTVM_NS) <= {case.title for case in CASES}
    assert len(page.GOTVM["ns"]) == 16


@pytest.mark.slow
@pytest.mark.apache_tvm  # some cases export a model
def test_each_rival_alone_gives_the_right_answer_and_a_sample():
    done = run_python("""
        from benchmarks import harness
        from benchmarks.cases import CASES
        for case in CASES:
            for rival in () if case.group.processes else case.rivals:
                timed = case.prepare(rival)[rival]
                assert harness.sampler(timed)(2) > 0
    """)
    assert done.returncode == 0, done.stderr


def test_wrong_answer_of_a_rival_is_an_error():
    case = Case(CASES[0].group, "wrong", lambda: 3, {"tvmgo": lambda n: Timed(int, equals(n))})
    with pytest.raises(AssertionError, match="wrong: wrong answer of tvmgo"):
        case.prepare()


def test_rivals_of_a_case_share_what_its_setup_makes():
    shared = []
    rivals = dict.fromkeys("ab", lambda made: shared.append(made) or Timed(dict, equals({})))
    Case(CASES[0].group, "shared", object, rivals).prepare()
    assert shared[0] is shared[1]


@pytest.mark.parametrize(
    ("expected", "answer", "right"),
    [(None, None, True), (None, 0, False), (3, 3, True), (3, 4, False), (3, None, False)],
)
def test_answer_equals_what_is_expected(expected, answer, right):
    assert equals(expected)(answer) is right


# Under pytest


@pytest.mark.slow
@pytest.mark.apache_tvm  # some cases export a model
def test_pytest_runs_each_rival_of_each_case_once():
    assert f"{RIVALS} passed" in run_cases("--benchmark-disable")


@pytest.mark.slow
def test_pytest_benchmark_saves_and_compares(tmp_path):
    options = ["-k", "c-function-2-ints", f"--benchmark-storage={tmp_path}"]
    options += ["--benchmark-max-time=0.001", "--benchmark-group-by=group"]
    run_cases(*options, "--benchmark-autosave")
    (saved,) = tmp_path.rglob("*.json")
    case = next(case for case in CASES if case.title == "Calling a C function: 2 ints")
    rows = json.loads(saved.read_text())["benchmarks"]
    assert {row["group"] for row in rows} == {case.title}
    assert {row["extra_info"]["rival"] for row in rows} == set(case.rivals)
    assert {row["params"]["rival"] for row in rows} == set(case.rivals)
    said = run_cases(*options, "--benchmark-compare")
    assert re.search(r"test_case\[Calling-a-C-function-2-ints-tvm_ffi\] \(0001_", said)
    assert f"benchmark '{case.title}': {2 * len(case.rivals)} tests" in said


# Samples, targets and spreads


def test_sample_calls_the_function_with_its_arguments_and_counts_its_operations():
    calls = []
    sample = harness.sampler(Timed(partial(lambda *args: calls.append(args), 1, "x"), bool, 1000))
    assert 0 < sample(5) < 1e6
    assert calls == [(1, "x")] * 5


def test_sample_of_another_unit_is_the_mean_of_the_answers():
    answers = iter([1, 2, 6])
    assert harness.sampler(Timed(lambda: next(answers), bool), "KiB")(3) == 3


def test_limit_may_depend_on_the_costs():
    (target,) = next(case for case in CASES if case.title == "A prepared call: 3 arrays").targets
    costs = {"tvmgo": 40.0, "C loop": 30.0, "Python": 20.0}
    assert (target.figure.of(costs), target.limit.of(costs)) == (40.0, 90.0)


@pytest.mark.parametrize(
    ("target", "figure", "met"),
    [
        (at_most(0.5), 0.5, True),
        (at_most(0.5), 0.51, False),
        (Target(ratio("memcpy", "tvmgo"), ">=", constant(0.97)), 0.97, True),
        (Target(ratio("memcpy", "tvmgo"), ">=", constant(0.97)), 0.96, False),
    ],
)
def test_target_is_met_up_to_its_limit(target, figure, met):
    assert target.met(figure, target.limit.of({})) is met


def test_floor_is_the_median_of_the_rounds():
    samples = {"tvmgo": [3.0] * 3, "bare C": [1.0, 2.0, 9.0], "array.array": [1.0, 1.0, 2.0]}
    for floor, expected in (
        (cost("bare C"), 2),
        (ratio("bare C", "array.array"), 2),
        (None, None),
    ):
        target = Target(ratio("tvmgo", "bare C"), "<=", constant(9), floor=floor)
        assert harness.judge(target, samples)["floor_measured"] == expected


def test_target_is_judged_by_the_median_of_the_rounds():
    samples = {"tvmgo": [1.0, 2.0, 30.0, 4.0, 5.0], "tvm_ffi": [10.0] * 5}
    judged = harness.judge(at_most(0.4), samples)
    ratios = np.array(samples["tvmgo"]) / 10
    assert judged["measured"] == pytest.approx(
        dict(zip(("low", "median", "high"), np.percentile(ratios, [25, 50, 75])))
    )
    assert judged["met"] is True
    assert harness.judge(at_most(0.39), samples)["met"] is False


def test_ratios_are_formed_within_a_round():
    # The machine is twice as slow in every second round: the ratio does not see it.
    samples = {"tvmgo": [1.0, 2.0] * 5, "tvm_ffi": [2.0, 4.0] * 5}
    assert harness.judge(at_most(0.5), samples)["measured"] == {
        "low": 0.5,
        "median": 0.5,
        "high": 0.5,
    }


def test_interleave_takes_one_sample_of_each_rival_in_each_round():
    taken = []

    def sampler(name, cost):
        return lambda: taken.append(name) or cost

    samples = harness.interleave(
        {"a": sampler("a", 3.0), "b": sampler("b", 5.0)}, 4, random.Random(0)
    )
    assert samples == {"a": [3.0] * 4, "b": [5.0] * 4}
    assert [set(taken[i : i + 2]) for i in range(0, 8, 2)] == [{"a", "b"}] * 4


# The ratios of releases


def test_history_keeps_the_ratios_of_a_version_and_no_times(tmp_path):
    path = history.write(figures(result(rivals={"tvmgo": 50.0, "tvm_ffi": 200.0})), tmp_path)
    assert path.name == "1.0.json"
    kept = json.loads(path.read_text())
    assert kept.keys() == {"date", "machine", "versions", "ratios"}
    assert kept["ratios"] == {"Group: case": {"tvm_ffi": [0.2475, 0.25, 0.2525]}}


def test_latest_run_has_the_latest_date(tmp_path):
    assert history.latest(tmp_path) is None
    for day, version in ((3, "0.9"), (1, "0.10"), (2, "0.11")):
        versions = {"tvmgo": version}
        history.write(figures(date=f"2026-01-0{day}T00:00:00+00:00", versions=versions), tmp_path)
    assert history.latest(tmp_path)["versions"] == {"tvmgo": "0.9"}


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
def test_change_of_a_ratio_beyond_its_spread_is_said(tmp_path, tvmgo, tvm_ffi, verdict):
    history.write(figures(result(rivals={"tvmgo": 100.0, "tvm_ffi": 100.0})), tmp_path)
    new = figures(result(rivals={"tvmgo": tvmgo, "tvm_ffi": tvm_ffi}))
    *lines, counts = history.changes(history.latest(tmp_path), new)
    said = f"{verdict}: Group: case: {tvmgo / tvm_ffi:.3g} of tvm_ffi, 1 before"
    assert lines == ([said] if verdict else [])
    worse, better = int(verdict == "worse"), int(verdict == "better")
    assert counts == f"since 2026-01-02: {worse} worse, {better} better"


def test_comparison_names_new_and_gone_cases_and_other_versions(tmp_path):
    old = figures(result(name="before"), versions={"CPython": "3.12.0", "tvmgo": "1.0"})
    history.write(old, tmp_path)
    said = history.changes(history.latest(tmp_path), figures(result(name="after")))
    assert "new: Group: after" in said
    assert "gone: Group: before" in said
    assert "other version: CPython 3.12.0 then, 3.13.1 now" in said
    assert not any("tvmgo 1.0" in line for line in said)


# The page


CALL_ROW = dict(group=CASES[0].group.title, name=CASES[0].name)
COUNTED, FLOOR = CASES[0].title, CASES[0].counted


def judged(**changes):
    return {
        "figure": "tvmgo / tvm_ffi",
        "relation": "<=",
        "limit": "0.6",
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
        limit="max(Python + 25, 3 * C loop)",
        unit="ns",
        met=False,
        measured=spread(60.0, 10),
        limit_measured=45.0,
        floor="bare C",
        floor_measured=50.0,
    )
    text = page.page(figures(result(**CALL_ROW, targets=[judged(), missed])))
    title = f"{CALL_ROW['group']}: {CALL_ROW['name']}"
    assert f"| {title} | `tvmgo / tvm_ffi` | ≤ 0.600 | 0.500 (0.495 to 0.505) | yes |  |" in text
    assert (
        f"| {title} | `tvmgo` | ≤ 45.0 ns = `max(Python + 25, 3 * C loop)` "
        f"| 60.0 ns (54.0 ns to 66.0 ns) | **no** | 50.0 ns = `bare C` |"
    ) in text
    assert "1 of 2 targets are met" in text


def test_published_page_shows_the_ratios_of_the_latest_release():
    release = history.latest()
    text = PAGE.read_text()
    assert f"Taken on {release['date'][:10]} on {release['machine']['cpu']}" in text
    assert set(release["ratios"]) <= {case.title for case in CASES}  # a new case: with the next run
    chapters = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL))
    for title, ratios in release["ratios"].items():
        group, name = title.split(": ", 1)
        (row,) = (line for line in chapters[group].splitlines() if line.startswith(f"| {name} |"))
        for rival in ratios.keys() & set(page.EQUALS):
            assert page.ratio(dict(zip(("low", "median", "high"), ratios[rival]))) in row


def test_published_page_links_to_files_that_exist():
    for target in re.findall(r"\]\(([^)#]+)", PAGE.read_text()):
        assert (PAGE.parent / target).exists()


def test_page_marks_gotvm_as_taken_on_another_machine():
    text = page.page(figures(result(**CALL_ROW)))
    low, high = page.GOTVM_NS[CASES[0].title]
    assert "gotvm, another machine |" in text
    assert f"| {low:,.0f} ns to {high:,.0f} ns |" in text
    assert "**on another machine**" in text


def test_page_shows_instruction_counts_and_their_ratio_to_the_floor():
    text = page.page(figures(result(**CALL_ROW)))
    assert f"| {COUNTED} | 1,234 | 617 | 2.00 of {FLOOR} |" in text


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
    noise = page.noise(figures(**changes))
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
    assert page.amount(value, unit) == text


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
    assert instructions.read_dump(text) == (("Group: 3 ints", "C loop"), 600, 61700)
    assert instructions.read_dump(DUMP.format(trigger="Program termination")) is None


def test_count_of_an_operation_is_the_difference_of_two_loops():
    outside, each = 5000, 123
    dumps = [(("case", "tvmgo"), number, outside + each * number) for number in (100, 600)]
    assert instructions.per_operation(dumps) == {"case": {"tvmgo": each}}


def counts(tvmgo, floor=100, title=COUNTED):
    return {title: {"tvmgo": tvmgo, FLOOR: floor}}


@pytest.mark.parametrize(
    ("tvmgo", "floor", "said"),
    [
        (90, 100, ""),
        (103, 100, ""),
        (103.2, 100, "3.2% more"),
        (206, 200, ""),  # another compiler or Python: both have grown
        (103, 99, "4.0% more"),
    ],
)
def test_growth_by_more_than_three_percent_beside_the_floor_is_a_problem(tvmgo, floor, said):
    problems = instructions.problems(counts(100), counts(tvmgo, floor))
    assert [said in problem for problem in problems] == [True] * bool(said)


def test_cases_on_one_side_only_are_problems():
    before, now = instructions.problems(counts(1, 1, "old"), counts(2))
    assert before == f"{COUNTED}: 0.020 (2 / 100 of {FLOOR}) instructions, and no stored count"
    assert now == "old: stored, but no longer counted"


def check(monkeypatch, tmp_path, stored, now, versions=None):
    path = tmp_path / "instructions.json"
    monkeypatch.setattr(instructions, "STORED", path)
    instructions.store(stored)
    if versions:
        path.write_text(json.dumps(json.loads(path.read_text()) | {"versions": versions}))
    monkeypatch.setattr(instructions, "count", lambda: now)
    monkeypatch.setattr(sys, "argv", ["instructions", "--check"])
    instructions.main()


@pytest.mark.apache_tvm
def test_check_passes_and_fails(monkeypatch, tmp_path, capsys):
    check(monkeypatch, tmp_path, counts(100), counts(102))
    assert "none of 1 cases takes over 3%" in capsys.readouterr().out
    said = f"{COUNTED}: 6.0% more .* 1.060 .106 / 100 of {FLOOR}.; stored 1.000 .100 / 100"
    with pytest.raises(SystemExit, match=said):
        check(monkeypatch, tmp_path, counts(100), counts(106))


@pytest.mark.apache_tvm
def test_other_versions_are_named_when_the_check_fails(monkeypatch, tmp_path):
    said = f"note: numpy 2.0 when the counts were stored, {np.__version__} now"
    with pytest.raises(SystemExit, match=re.escape(said)):
        check(monkeypatch, tmp_path, counts(100), counts(106), {"numpy": "2.0"})


def test_missing_valgrind_is_said(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match="needs valgrind, which is not installed"):
        instructions.count()
