# SPDX-License-Identifier: Apache-2.0
"""Pictures of the last run, drawn into ``build/benchmarks/`` by ``python -m benchmarks.pictures``."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from benchmarks import BUILD
from benchmarks.case import Group
from benchmarks.cases import callbacks, calls, copies, graph, results

CALLS = (
    calls.RELEASED,
    calls.KEPT,
    calls.PREPARED,
    callbacks.CALLBACK,
    callbacks.CALLED_BACK,
    results.RESULT,
    results.ERROR,
)
COPIES = (copies.COPY_FROM, copies.COPY_TO, copies.AS_SLICE)

# A colour and a marker each: neither colours alone nor a grey print must hide who is who.
STYLES = {
    "tvmgo": ("#d62728", "o"),
    "tvm_ffi": ("#1f77b4", "s"),
    "ctypes": ("#9467bd", "^"),
    "NumPy": ("#ff7f0e", "D"),
    "classic kernels": ("#8c564b", "v"),
    "memcpy": ("#555555", "x"),
    "Python": ("#2ca02c", "P"),
    "C method": ("#17becf", "*"),
    "bare C": ("#8a8a00", "+"),
    "C loop": ("#555555", "x"),
}

Results = list[dict]


def of_group(results: Results, group: Group) -> Results:
    return [result for result in results if result["group"] == group.title]


def plot(ax, results: Results, point, line: str = "-") -> None:
    """Draw the points of each rival; `point` makes one of a result and the rival's median."""
    for rival, (colour, marker) in STYLES.items():
        points = [
            point(result, result["rivals"][rival]["median"])
            for result in results
            if rival in result["rivals"]
        ]
        if points:
            above = 3 if rival == "tvmgo" else 2
            ax.plot(*zip(*points), line, marker=marker, color=colour, label=rival, zorder=above)
    ax.grid(color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)


def bandwidth(result: dict, ns: float) -> tuple[int, float]:
    """Return the size of a copy and its GB/s."""
    return result["size"], result["size"] / ns


def nanoseconds(value: float, _position: int) -> str:
    """Label a tick of an axis of nanoseconds."""
    return f"{value / 1000:g} µs" if value >= 1000 else f"{value:g} ns"


def nbytes(value: float, _position: int) -> str:
    """Label a tick of an axis of sizes."""
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:g} {unit}"
        value /= 1024
    return f"{value:g} GiB"


def legend(figure: Figure) -> None:
    """Name above the axes all who appear in them, once."""
    handles = {}
    for ax in figure.axes:
        handles |= {label: handle for handle, label in zip(*ax.get_legend_handles_labels())}
    names = [name for name in STYLES if name in handles]
    figure.legend(
        [handles[name] for name in names],
        names,
        loc="outside upper center",
        ncols=len(names),
        frameon=False,
    )


def draw_calls(results: Results) -> Figure:
    """Nanoseconds per call by case and rival."""
    tables = [rows for rows in (of_group(results, group) for group in CALLS) if rows]
    heights = [len(rows) + 1 for rows in tables]
    figure = Figure(figsize=(9, 0.27 * sum(heights) + 1.2), layout="constrained")
    axes = figure.subplots(len(tables), sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for ax, rows in zip(axes, tables):
        names = [row["name"] for row in rows]
        plot(ax, rows, lambda row, ns, names=names: (ns, names.index(row["name"])), "")
        ax.set_title(rows[0]["group"], loc="left", fontsize="medium")
        ax.set_yticks(range(len(names)), names)
        ax.set_ylim(len(names) - 0.4, -0.6)
        ax.set_xscale("log")
    axes[-1].xaxis.set_major_formatter(nanoseconds)
    axes[-1].set_xlabel("time per call (logarithmic)")
    return figure


def draw_copies(results: Results) -> Figure:
    """Bandwidth by size, a panel for each direction."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots(1, len(COPIES), sharey=True)
    for ax, group in zip(axes, COPIES):
        rows = of_group(results, group)
        plot(ax, rows, bandwidth)
        ax.set_title(group.title, fontsize="medium")
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ax.set_xticks([row["size"] for row in rows])
        ax.xaxis.set_major_formatter(nbytes)
        ax.tick_params("x", rotation=60)
        ax.yaxis.set_major_formatter("{x:g}")
        ax.set_xlabel("size")
    axes[0].set_ylabel("GB/s (logarithmic)")
    return figure


def draw_graph(results: Results) -> Figure:
    """Nanoseconds per operator by length of the graph."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    ax = figure.subplots()
    plot(ax, of_group(results, graph.OPERATOR), lambda row, ns: (row["size"], ns))
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.xaxis.set_major_formatter("{x:,g}")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(nanoseconds)
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("operators in the graph")
    ax.set_ylabel("time per operator (logarithmic)")
    return figure


PICTURES = {"calls.svg": draw_calls, "copies.svg": draw_copies, "graph.svg": draw_graph}


def write(figures: dict, folder: Path = BUILD) -> None:
    """Draw all pictures. The same figures give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": "tvmgo", "font.size": 9}):
        for name, draw in PICTURES.items():
            figure = draw(figures["results"])
            legend(figure)
            figure.savefig(folder / name, metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    write(json.loads((BUILD / "figures.json").read_text()))
