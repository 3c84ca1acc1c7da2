# SPDX-License-Identifier: Apache-2.0
"""Pictures of the last run, one for each group, drawn into ``build/benchmarks/``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from benchmarks import BUILD
from benchmarks.page import RIVALS, amount

MARKERS = "osD^vP*Xpdh<>8H12"  # a colour alone does not say who is who


def draw(title: str, results: list[dict]) -> Figure:
    """Return the cost of each operation of a group by rival."""
    figure = Figure(figsize=(9, 1.4 + 0.3 * len(results)), layout="constrained")
    ax = figure.subplots()
    for rival, marker in zip(("tvmgo", *RIVALS), MARKERS):
        costs = {
            row: result["rivals"][rival]["median"]
            for row, result in enumerate(results)
            if rival in result["rivals"]
        }
        if costs:
            ax.plot(costs.values(), costs.keys(), marker, label=rival)
    unit = results[0]["unit"]
    ax.set_title(title, loc="left")
    ax.set_yticks(range(len(results)), [result["name"] for result in results])
    ax.set_ylim(len(results) - 0.5, -0.5)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda value, _position: amount(value, unit))
    ax.grid(color="#dddddd", linewidth=0.6)
    figure.legend(loc="outside upper right", ncols=len(ax.lines), frameon=False)
    return figure


def write(figures: dict, folder: Path = BUILD) -> None:
    """Draw all pictures. The same figures give the same bytes."""
    groups: dict[str, list[dict]] = {}
    for result in figures["results"]:
        groups.setdefault(result["group"], []).append(result)
    folder.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": "tvmgo", "font.size": 8}):
        for title, results in groups.items():
            path = folder / (re.sub(r"\W+", "-", title).lower() + ".svg")
            draw(title, results).savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    write(json.loads((BUILD / "figures.json").read_text()))
