# SPDX-License-Identifier: Apache-2.0
"""Pictures of what `bench` has measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tvmgo.exceptions import TVMFileNotFoundError, TVMImportError, TVMValueError
from tvmgo.model.files.model_files import Pathlike

LATENCIES = {"p50_seconds": "-", "p99_seconds": ":"}


def check_plot(path: Pathlike) -> None:
    """See that a picture can be drawn into a file, before there is anything to draw.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    FileNotFoundError, ValueError
        If there is no folder for the file, or its ending names no kind of picture.
    """
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise TVMImportError.for_package("plot", "matplotlib", "matplotlib") from None
    kinds = FigureCanvasBase.get_supported_filetypes()
    ending = Path(path).suffix.lower()
    if ending[1:] not in kinds:
        raise TVMValueError(
            f"plot: expected a file whose name ends with one of "
            f"{', '.join(f'.{kind}' for kind in sorted(kinds))}; got {str(path)!r}"
        )
    if not Path(path).parent.is_dir():
        raise TVMFileNotFoundError.for_argument("plot", str(Path(path).parent))


def plot(document: Mapping[str, Any], path: Pathlike) -> None:
    """Draw what `bench` has returned into a file, whose ending says which kind of picture it is."""
    draw(document).savefig(path)


def draw(document: Mapping[str, Any]) -> Any:
    """Return a figure of throughput and latency by the number of callers, with all engines."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    calls, latency = figure.subplots(1, 2)
    engines = dict.fromkeys(row["engine"] for row in document["rows"])
    for color, engine in enumerate(engines):
        rows = [row for row in document["rows"] if row["engine"] == engine]
        callers = [row["concurrency"] for row in rows]
        style = {"marker": "o", "color": f"C{color}"}
        calls.plot(callers, [row["per_second"] for row in rows], label=engine, **style)
        for name, line in LATENCIES.items():
            milliseconds = [row[name] * 1e3 for row in rows]
            label = f"{engine}, {name.removesuffix('_seconds')}"
            latency.plot(callers, milliseconds, label=label, linestyle=line, **style)
    for axes, title in ((calls, "calls a second"), (latency, "latency (ms)")):
        axes.set(xlabel="callers", title=title, ylim=(0, None))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend()
    figure.suptitle(Path(document["path"]).name)
    return figure
