# SPDX-License-Identifier: Apache-2.0
"""The part of docs/reports/models.md that is about speed, and a picture of it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from benchmarks import machine

WORST = 3  # networks whose layers are told

TEXT = """
`make bench-models` measures networks exported by default arguments: `run` with its inputs set, beside ONNX Runtime's
`run_with_iobinding` with all its optimisations and as many threads. A ratio is tvmgo's time in that of ONNX Runtime in
the same round, as median and, in brackets, quartiles; **below 1 tvmgo is faster**. With one thread it is CPU time, with
two the time that passes, after a pause of 80 ms, because idle threads of either go on looking for work for a while.
The column v3 has the kernels for processors without AVX-512, beside an ONNX Runtime that uses all that the machine
has. "At most" is what was aimed at with one thread and with two.

Measured on {machine} with {versions}. Weights are random unless a package ships them.

| network | 1 thread, ms | ratio | 2 threads, ms | ratio | at most | v3, ratio | export, s |
| --- | --- | --- | --- | --- | --- | --- | --- |
{rows}
| **geometric mean** | | {mean_1} | | {mean_2} | | {mean_3} | |

{layers}"""

Figures = Mapping[str, Mapping[str, Any]]  # by network


def section(figures: Figures) -> str:
    """Return what is said of the figures of all networks."""
    one, two, old = ({name: ratio(each, key) for name, each in figures.items()} for key in COLUMNS)
    worst = sorted(figures, key=one.__getitem__, reverse=True)[:WORST]
    described = machine.describe_machine()
    versions = next(iter(figures.values()))["versions"]
    return TEXT.format(
        machine=f"{described['cpu']}, {described['cores']} cores",
        versions=", ".join(f"{name} {version}" for name, version in versions.items()),
        rows="\n".join(row(name, each) for name, each in figures.items()),
        mean_1=mean(one),
        mean_2=mean(two),
        mean_3=mean(old),
        layers="\n".join(layers_of(name, figures[name]) for name in worst),
    )


# Threads, and the rival of ONNX Runtime.
COLUMNS = (("1", "tvmgo"), ("2", "tvmgo"), ("1", "tvmgo, v3"))


def ratio(figure: Mapping[str, Any], column: tuple[str, str]) -> float:
    threads, rival = column
    return float(figure[threads]["ratios"][rival]["median"])


def mean(ratios: Mapping[str, float]) -> str:
    return f"{statistics.geometric_mean(ratios.values()):.2f}"


def row(name: str, figure: Mapping[str, Any]) -> str:
    one, two = figure["1"], figure["2"]
    cells = [name]
    for each in (one, two):
        cells.append(f"{each['ms']['tvmgo']['median']:.3g}")
        cells.append(with_spread(each["ratios"]["tvmgo"], each["limit"]))
    cells.append(f"{one['limit']:g}, {two['limit']:g}")
    cells.append(with_spread(one["ratios"]["tvmgo, v3"]))
    cells.append(f"{figure['export']:.0f}")
    return f"| {' | '.join(cells)} |"


def with_spread(ratio: Mapping[str, float], limit: float | None = None) -> str:
    text = f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"
    return text if limit is None or ratio["median"] > limit else f"**{text}**"


def layers_of(name: str, figure: Mapping[str, Any]) -> str:
    lines = [f"### {name}\n", "| tvmgo | ONNX Runtime |", "| --- | --- |"]
    ours, theirs = figure["layers"]
    for i in range(max(len(ours), len(theirs))):
        lines.append(
            f"| {' | '.join(each[i] if i < len(each) else '' for each in (ours, theirs))} |"
        )
    return "\n".join([*lines, ""])


def draw(figures: Figures, path: Path) -> None:
    """Draw the ratios of all networks, with their quartiles."""
    figure = Figure(figsize=(9, 1.4 + 0.3 * len(figures)), layout="constrained")
    ax = figure.subplots()
    for offset, marker, column, label in (
        *((-0.2, "o", COLUMNS[0], "1 thread"), (0, "s", COLUMNS[1], "2 threads")),
        (0.2, "^", COLUMNS[2], "v3, 1 thread"),
    ):
        spreads = [each[column[0]]["ratios"][column[1]] for each in figures.values()]
        medians = [spread["median"] for spread in spreads]
        bars = [
            [s["median"] - s["low"] for s in spreads],
            [s["high"] - s["median"] for s in spreads],
        ]
        rows = [row + offset for row in range(len(spreads))]
        ax.errorbar(medians, rows, xerr=bars, fmt=marker, label=label, markersize=4)
    ax.axvline(1, color="#888888", linewidth=0.8)
    ax.set_yticks(range(len(figures)), list(figures))
    ax.set_ylim(len(figures) - 0.5, -0.5)
    ax.set_xlabel("time in that of ONNX Runtime")
    ax.grid(color="#dddddd", linewidth=0.6)
    figure.legend(loc="outside upper right", ncols=3, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": "tvmgo", "font.size": 8}):
        figure.savefig(path, metadata={"Date": None})
