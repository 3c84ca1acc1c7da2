# SPDX-License-Identifier: Apache-2.0
"""The pictures of ``docs/performance.md``: calls, copies, operators."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from benchmarks import groups
from benchmarks.case import Group

CALLS = (
    groups.CALL,
    groups.CALL_KEPT,
    groups.PREPARED,
    groups.CALLBACK,
    groups.CALLED_BACK,
    groups.RESULT,
    groups.ERROR,
)
COPIES = (groups.COPY_FROM, groups.COPY_TO, groups.AS_SLICE)

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


def series(results: list[dict], x: str) -> dict[str, list[tuple[float, float]]]:
    """Return for each rival its points: a field of the result, and the median cost."""
    points: dict[str, list[tuple[float, float]]] = {}
    for result in results:
        for name, figures in result["rivals"].items():
            points.setdefault(name, []).append((result[x], figures["median"]))
    return points


def bandwidths(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return GB/s by size from nanoseconds by size."""
    return [(nbytes, nbytes / cost) for nbytes, cost in points]


def of_group(results: list[dict], group: Group) -> list[dict]:
    """Return the results of one group."""
    return [result for result in results if result["group"] == group.title]


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


def legend(figure: Figure, axes) -> None:
    """Name above the axes all who appear in them, once."""
    handles = {}
    for ax in axes:
        handles |= {label: handle for handle, label in zip(*ax.get_legend_handles_labels())}
    names = [name for name in STYLES if name in handles]
    figure.legend(
        [handles[name] for name in names],
        names,
        loc="outside upper center",
        ncols=len(names),
        frameon=False,
    )


def calls(results: list[dict]) -> Figure:
    """Nanoseconds per call by case and rival."""
    tables = [rows for rows in (of_group(results, group) for group in CALLS) if rows]
    heights = [len(rows) + 1 for rows in tables]
    figure = Figure(figsize=(9, 0.27 * sum(heights) + 1.2), layout="constrained")
    axes = figure.subplots(len(tables), sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for ax, rows in zip(axes, tables):
        names = [row["name"] for row in rows]
        for rival, points in series(rows, "name").items():
            colour, marker = STYLES[rival]
            ax.plot(
                [cost for _, cost in points],
                [names.index(name) for name, _ in points],
                marker,
                color=colour,
                label=rival,
                zorder=3 if rival == "tvmgo" else 2,
            )
        ax.set_title(rows[0]["group"], loc="left", fontsize="medium")
        ax.set_yticks(range(len(names)), names)
        ax.set_ylim(len(names) - 0.4, -0.6)
        ax.set_xscale("log")
        ax.grid(axis="both", color="#dddddd", linewidth=0.6)
        ax.set_axisbelow(True)
    axes[-1].xaxis.set_major_formatter(nanoseconds)
    axes[-1].set_xlabel("time per call (logarithmic)")
    legend(figure, axes)
    return figure


def copies(results: list[dict]) -> Figure:
    """Bandwidth by size, a panel for each direction."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots(1, len(COPIES), sharey=True)
    for ax, group in zip(axes, COPIES):
        for rival, points in series(of_group(results, group), "nbytes").items():
            colour, marker = STYLES[rival]
            ax.plot(*zip(*bandwidths(points)), marker=marker, color=colour, label=rival)
        ax.set_title(group.title, fontsize="medium")
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ax.set_xticks([row["nbytes"] for row in of_group(results, group)])
        ax.xaxis.set_major_formatter(nbytes)
        ax.tick_params("x", rotation=60)
        ax.yaxis.set_major_formatter("{x:g}")
        ax.set_xlabel("size")
        ax.grid(color="#dddddd", linewidth=0.6)
    axes[0].set_ylabel("GB/s (logarithmic)")
    legend(figure, axes)
    return figure


def operators(results: list[dict]) -> Figure:
    """Nanoseconds per operator by length of the graph."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    ax = figure.subplots()
    for rival, points in series(of_group(results, groups.OPERATOR), "length").items():
        colour, marker = STYLES[rival]
        ax.plot(*zip(*points), marker=marker, color=colour, label=rival)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.xaxis.set_major_formatter("{x:,g}")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(nanoseconds)
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("operators in the graph")
    ax.set_ylabel("time per operator (logarithmic)")
    ax.grid(color="#dddddd", linewidth=0.6)
    legend(figure, [ax])
    return figure


PICTURES = {
    "performance_calls.svg": calls,
    "performance_copies.svg": copies,
    "performance_graph.svg": operators,
}


def write(figures: dict, folder: Path) -> None:
    """Draw all pictures. The same figures give the same bytes."""
    with matplotlib.rc_context({"svg.hashsalt": "tvmgo", "font.size": 9}):
        for name, draw in PICTURES.items():
            draw(figures["results"]).savefig(
                folder / name, metadata={"Date": None}, facecolor="white"
            )
