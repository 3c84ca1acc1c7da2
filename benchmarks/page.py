# SPDX-License-Identifier: Apache-2.0
"""``docs/reports/performance.md`` from the figures of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from benchmarks import instructions
from benchmarks.case import Group
from benchmarks.cases import CASES

QUIET = 0.05  # share of the CPUs that others may use in a run to be quoted
STEADY = 1.10  # slowest over fastest yardstick in such a run
RIVALS = (
    "tvm_ffi",
    "classic kernels",
    "ctypes",
    "NumPy",
    "memcpy",
    "one thread",
    "OpenMP in C",
    "ONNX Runtime",
    "two processes",
    "its p50",
    "row by row",
    "Python",
    "C method",
    "bare C",
    "array.array",
    "C loop",
)
# Of these a ratio is shown.
EQUALS = (
    "tvm_ffi",
    "classic kernels",
    "NumPy",
    "memcpy",
    "one thread",
    "OpenMP in C",
    "ONNX Runtime",
    "two processes",
    "its p50",
    "row by row",
)
GOTVM = json.loads(Path(__file__).with_name("gotvm.json").read_text())
GOTVM_NS = {title: row["medians"] for row in GOTVM["ns"] for title in row["cases"]}
SCALES = {
    "ns": ((1e9, "s", 1e9), (1e6, "ms", 1e6), (1e4, "µs", 1e3), (0, "ns", 1)),
    "ms": ((0, "ms", 1),),
    "KiB": ((0, "MiB", 1024),),
}

HEAD = """\
# What calls and copies cost

<!-- Written by `make bench`. What is timed stands in `benchmarks/cases/`. -->

tvmgo's calls, callbacks, results, errors, copies, graphs, threads and imports, each beside all who
do the same: tvm_ffi, NumPy, ctypes, plain Python, and C that does no more than it must. Each figure
is the median of {rounds} samples ({process_rounds} where a sample starts a process), each sample a
loop of at least 0.5 ms over one operation, or a single run of a longer one. The loop's own few
nanoseconds are in every figure. The rivals of a row took turns, round by round, and five times all
objects were made anew. A ratio is tvmgo's cost divided by the rival's in the same round, given as
median and, in brackets, the quartiles; **below 1 tvmgo is cheaper**. All answers were checked
first.

{origin}

{noise}"""

TARGETS = """\
## Targets

What each operation should cost, and what it does. Names are those of the tables below; a name
stands for the time of that rival in the same round. {count} of {all} targets are met. The floor is
what a rival needs that leaves out all that can be: hand-written C that converts nothing and checks
nothing, NumPy on the standard library's simplest array, an error raised in C and dropped.

{table}"""

GOTVM_NOTE = """\
The last column is for orientation only: what the same operation cost gotvm, TVM's former binding
for Go, **on another machine** ({machine}), with Go {go} and TVM's runtime of that time: the
medians of two runs, from the lower to the higher."""

INSTRUCTIONS = """\
## Instructions

Instructions of one call, loop included, counted by callgrind: no neighbour disturbs these
figures, but an instruction is no unit of time. `make bench-check` counts them again and fails if
one of tvmgo's, in those of the floor counted in the same run, is more than {growth:.0%} above what
`benchmarks/instructions.json` has stored.

{table}"""

TAIL = """\
## Do it yourself

`make bench` measures everything again and rewrites this page, at a release; it takes some minutes,
and the machine should have nothing else to do. It says which ratios have changed since those in
`benchmarks/history/`, and draws pictures into `build/benchmarks/`.
`python -m benchmarks --only "3 ints"` measures single rows and writes nothing.
`pytest benchmarks` runs the same operations under pytest-benchmark, one after the other, with its
tables, saved runs and comparisons.
"""


NOT_QUIET = """\
The machine was not quiet: these figures are provisional. Read the ratios; the times are not what a
quiet machine gives."""
NOT_STEADY = """\
Nothing else ran, but the machine itself was not steady, as virtual ones with neighbours are not:
**read the ratios, both sides of which met the same machine; the times vary by as much as that
loop.**"""


def title_of(result: dict) -> str:
    """Return the title of a result's case."""
    return f"{result['group']}: {result['name']}"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table, its first column text, the others figures."""
    header = list(header)
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def amount(value: float, unit: str) -> str:
    """Return a figure with three digits and the scale it reads best in."""
    shown, divisor = next(scale[1:] for scale in SCALES[unit] if value >= scale[0])
    scaled = value / divisor
    digits = 0 if scaled >= 100 else 1 if scaled >= 10 or shown == "ns" else 2
    return f"{scaled:,.{digits}f} {shown}"


def ratio(figures: dict[str, float]) -> str:
    """Return a ratio with its quartiles."""
    return f"{figures['median']:.2f} ({figures['low']:.2f} to {figures['high']:.2f})"


def takeaway(results: list[dict]) -> str:
    """Say in one sentence how tvmgo stands against tvm_ffi."""
    if any("tvm_ffi" not in result["ratios"] for result in results):
        return ""  # tvm_ffi has nothing like it
    ratios = sorted((result["ratios"]["tvm_ffi"]["median"], result["name"]) for result in results)
    (best, best_name), (worst, worst_name) = ratios[0], ratios[-1]
    if len(ratios) == 1:
        return f"tvmgo takes {best:.2f} of what tvm_ffi takes."
    return (
        f"tvmgo takes from {best:.2f} ({best_name}) to {worst:.2f} ({worst_name}) of what "
        f"tvm_ffi takes."
    )


def section(group: Group, results: list[dict]) -> str:
    """Return the chapter of one group."""
    rivals = [name for name in RIVALS if any(name in result["rivals"] for result in results)]
    judged = [name for name in rivals if name in EQUALS]

    def row(result: dict) -> list[str]:
        costs = (result["rivals"].get(name) for name in ["tvmgo", *rivals])
        ratios = (result["ratios"].get(name) for name in judged)
        gotvm = GOTVM_NS.get(title_of(result), ())
        return [
            result["name"],
            *(amount(cost["median"], result["unit"]) if cost else "" for cost in costs),
            *(ratio(figures) if figures else "" for figures in ratios),
            *([" to ".join(amount(ns, "ns") for ns in gotvm)] if beside_gotvm else []),
        ]

    beside_gotvm = any(title_of(result) in GOTVM_NS for result in results)
    header = ["", "tvmgo", *rivals, *(f"tvmgo / {name}" for name in judged)]
    header += ["gotvm, another machine"] if beside_gotvm else []
    parts = [
        f"## {group.title}",
        f"{group.question}\n\nBeside it: {group.baseline}",
        table(header, map(row, results)),
        takeaway(results),
    ]
    return "\n\n".join(filter(None, parts))


def target_row(result: dict, target: dict) -> list[str]:
    """Return a target, what was measured, and whether it is met."""

    def quantity(value: float) -> str:
        return amount(value, target["unit"]) if target["unit"] else f"{value:.3f}"

    measured = {name: quantity(value) for name, value in target["measured"].items()}
    limit = f"{'≤' if target['relation'] == '<=' else '≥'} {quantity(target['limit_measured'])}"
    if not target["limit"].replace(".", "").isdigit():  # more than a number
        limit += f" = `{target['limit']}`"
    floor = f"{quantity(target['floor_measured'])} = `{target['floor']}`" if target["floor"] else ""
    return [
        title_of(result),
        f"`{target['figure']}`",
        limit,
        f"{measured['median']} ({measured['low']} to {measured['high']})",
        "yes" if target["met"] else "**no**",
        floor,
    ]


def targets(results: list[dict]) -> str:
    """Return the chapter of targets."""
    judged = [(result, target) for result in results for target in result["targets"]]
    rows = [target_row(result, target) for result, target in judged]
    return TARGETS.format(
        count=sum(target["met"] for _, target in judged),
        all=len(judged),
        table=table(["", "figure", "target", "measured", "met", "floor"], rows),
    )


def instruction_counts(counts: dict[str, dict[str, float]]) -> str:
    """Return the chapter of instruction counts."""
    names = ["tvmgo", *(name for name in RIVALS if any(name in row for row in counts.values()))]
    rows = []
    for title, row in counts.items():
        floor = instructions.FLOORS[title]
        rows.append(
            [
                title,
                *(f"{row[name]:,.0f}" if name in row else "" for name in names),
                f"{row['tvmgo'] / row[floor]:.2f} of {floor}",
            ]
        )
    return INSTRUCTIONS.format(
        growth=instructions.GROWTH - 1, table=table(["", *names, "tvmgo in the floor's"], rows)
    )


def noise(figures: dict) -> str:
    """Say how busy and how steady the machine was, and whether that was good enough."""
    share, yardsticks = figures["neighbours"], figures["yardstick_ns"]
    fastest, slowest = min(yardsticks), max(yardsticks)
    known = "an unknown share" if share is None else f"{share:.0%}"
    said = (
        f"Other processes used {known} of the machine's CPU time during the run; a fixed loop of "
        f"plain Python, timed between all rows, took {fastest:.1f} to {slowest:.1f} ns a turn."
    )
    if (share or 0) > QUIET:
        return f"**{said} {NOT_QUIET}**"
    return f"{said} {NOT_STEADY}" if slowest > STEADY * fastest else said


def page(figures: dict) -> str:
    """Return the whole page from the figures of a run."""
    machine, results = figures["machine"], figures["results"]
    versions = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    rounds = sorted({result["rounds"] for result in results})
    head = HEAD.format(
        rounds=rounds[-1],
        process_rounds=rounds[0],
        origin=(
            f"Taken on {figures['date'][:10]} on {machine['cpu']}, {machine['cores']} cores, "
            f"{machine['system']}, with {versions}."
        ),
        noise=noise(figures),
    )
    tables = {
        group: [result for result in results if result["group"] == group.title]
        for group in dict.fromkeys(case.group for case in CASES)
    }
    sections = [section(group, rows) for group, rows in tables.items() if rows]
    sections[0] += "\n\n" + GOTVM_NOTE.format(**GOTVM)
    counts = instruction_counts(figures["instructions"])
    return "\n\n".join([head, targets(results), *sections, counts, TAIL])
