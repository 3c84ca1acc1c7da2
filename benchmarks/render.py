# SPDX-License-Identifier: Apache-2.0
"""``docs/performance.md`` from the figures of a run.

``python -m benchmarks.render FILE`` writes the page again from a kept run.
"""
from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.cases import CASES, Group

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
QUIET = 0.05            # share of the CPUs that others may use in a run to be quoted
STEADY = 1.10           # slowest over fastest yardstick in such a run
RIVALS = ("tvm_ffi", "classic kernels", "NumPy", "memmove", "Python")
FLOORS = ("Python",)    # shown, but not the same operation: no ratio
SCALES = {
    "ns": ((1e9, "s"), (1e6, "ms"), (1e4, "µs"), (0, "ns")),
    "ns per operator": ((0, "ns"),),
    "KiB": ((0, "MiB"),),
}
DIVISORS = {"s": 1e9, "ms": 1e6, "µs": 1e3, "ns": 1, "MiB": 1024}

HEAD = """\
# What calls and copies cost

<!-- Written by `make bench`. What is timed stands in `benchmarks/cases.py`. -->

Each figure is the median of {rounds} samples ({process_rounds} where a sample starts a process), each
sample a loop of at least 2 ms over one statement, or a single run of a longer one. The loop's own few
nanoseconds are in every figure. The rivals of a row took turns, round by round. A ratio is tvmgo's cost
divided by the rival's in the same round, given as median and, in brackets, the quartiles; **below 1
tvmgo is cheaper**. All answers were checked first.

{origin}

{noise}"""

TAIL = """\
## Do it yourself

`make bench` measures everything again and rewrites this page; it takes a minute or two, and the
machine should have nothing else to do. `python -m benchmarks --only "3 ints"` measures single rows and writes
nothing. `pytest benchmarks` shows the same operations in pytest-benchmark's tables. The figures of each
run are kept as JSON in `.benchmarks/`; `python -m benchmarks.render FILE` writes the page from one.

## The statements

Names mean the same for each rival: `benchmarks/worlds.py` says what.

{statements}
"""


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table, its first column text, the others figures."""
    header = list(header)
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def amount(value: float, unit: str) -> str:
    """Return a figure with three digits and the scale it reads best in."""
    shown = next(name for least, name in SCALES[unit] if value >= least)
    scaled = value / DIVISORS[shown]
    digits = 0 if scaled >= 100 else 1 if scaled >= 10 else 2
    if shown == "ns":
        digits = min(digits, 1)
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
    return (f"tvmgo takes from {best:.2f} ({best_name}) to {worst:.2f} ({worst_name}) of what "
            f"tvm_ffi takes.")


def section(group: Group, results: list[dict]) -> str:
    """Return the chapter of one group."""
    rivals = [name for name in RIVALS if any(name in result["rivals"] for result in results)]
    judged = [name for name in rivals if name not in FLOORS]

    def row(result: dict) -> list[str]:
        cells = [result["name"]]
        for name in ["tvmgo", *rivals]:
            figures = result["rivals"].get(name)
            cells.append(amount(figures["median"], result["unit"]) if figures else "")
        for name in judged:
            figures = result["ratios"].get(name)
            cells.append(ratio(figures) if figures else "")
        return cells

    header = ["", "tvmgo", *rivals, *(f"tvmgo / {name}" for name in judged)]
    parts = [f"## {group.title}", f"{group.question}\n\nBeside it: {group.baseline}",
             table(header, map(row, results)), takeaway(results)]
    if group.processes:
        parts[-1] += " " + over_python(results[0])
    return "\n\n".join(parts)


def over_python(result: dict) -> str:
    """Compare what the imports add to an interpreter that imports nothing."""
    bare = result["rivals"]["Python"]["median"]
    ours, theirs = (result["rivals"][name]["median"] - bare for name in ("tvmgo", "tvm_ffi"))
    return (f"Over the bare interpreter, tvmgo adds {amount(ours, result['unit'])} and tvm_ffi "
            f"{amount(theirs, result['unit'])}: {ours / theirs:.2f} of it.")


def noise(figures: dict) -> str:
    """Say how busy and how steady the machine was, and whether that was good enough."""
    share, yardsticks = figures["neighbours"], figures["yardstick_ns"]
    fastest, slowest = min(yardsticks), max(yardsticks)
    busy = ("How much other processes used the CPUs is not known on this system" if share is None
            else f"Other processes used {share:.0%} of the machine's CPU time during the run")
    said = (f"{busy}; a fixed loop of plain Python, timed between all rows, took {fastest:.1f} to "
            f"{slowest:.1f} ns a turn.")
    if (share or 0) <= QUIET and slowest <= STEADY * fastest:
        return said
    return (f"**{said} The machine was not quiet: these figures are provisional. Read the ratios; "
            f"the times are not what a quiet machine gives.**")


def statements(result: dict) -> str:
    """Return tvmgo's statement of a row and those that differ from it."""
    by_text = {}
    for name, rival in result["rivals"].items():
        by_text.setdefault(rival["statement"], []).append(name)
    return "; ".join(f"{', '.join(names)}: `{text}`" for text, names in by_text.items())


def page(figures: dict) -> str:
    """Return the whole page."""
    machine, results = figures["machine"], figures["results"]
    versions = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    groups = dict.fromkeys(case.group for case in CASES)
    rounds = sorted({result["rounds"] for result in results})
    head = HEAD.format(
        rounds=rounds[-1], process_rounds=rounds[0],
        origin=(f"Taken on {figures['date'][:10]} on {machine['cpu']}, {machine['cores']} cores, "
                f"{machine['system']}, with {versions}."),
        noise=noise(figures))
    sections = [section(group, [result for result in results if result["group"] == group.title])
                for group in groups]
    listing = "\n".join(f"- {result['group']}, {result['name']}: {statements(result)}"
                        for result in results)
    return "\n\n".join([head, *sections, TAIL.format(statements=listing)])


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(Path(sys.argv[1]).read_text())))
