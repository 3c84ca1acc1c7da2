# SPDX-License-Identifier: Apache-2.0
"""The table of models as a page of the documentation."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from tests.real_models.catalogue import MODELS

PAGE = Path(__file__).parents[2] / "docs" / "reports" / "models.md"
# Where the part begins that `make bench-models` writes.
SPEED = "\n## Speed\n"

HEAD = """# Real models

What `tvmgo.compiler.export` makes of models that people have: which compiler takes them, how far the
results lie from ONNX Runtime's, and how long they take beside it. `make models` writes this page; it collects
the models first.

The error is the largest difference as a part of the largest number of an output. The ratio is CPU time beside
ONNX Runtime's with all its optimisations, in turns in one process, one thread each, `target="native"`,
untuned; below 1 is faster. Right and wrong is what verification says of it. Written with {versions}.

| compiler | exported | right | ratio, geometric mean |
| --- | --- | --- | --- |
{summary}
"""

TABLE = """
## compiler="{compiler}"

| model | from | outcome | compiler | format | error | ratio | export, s |
| --- | --- | --- | --- | --- | --- | --- | --- |
{rows}
"""

# What a cell shows, and how.
COLUMNS = {"compiler": "", "format": "", "error": ".1e", "ratio": ".2f", "seconds": ".0f"}

Results = Mapping[str, Mapping[str, dict]]  # by compiler and model


def page(results: Results) -> str:
    """Return the page of what became of each model by each compiler."""
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("onnx", "onnxruntime", "apache-tvm")
    )
    summary = "\n".join(summary_row(compiler, found) for compiler, found in results.items())
    text = HEAD.format(versions=packages, summary=summary)
    for compiler, found in results.items():
        rows = [row(model, found[model.name]) for model in MODELS if model.name in found]
        text += TABLE.format(compiler=compiler, rows="\n".join(rows))
        text += reasons(found)
    return text


def summary_row(compiler: str, found: Mapping[str, dict]) -> str:
    exported = [each for each in found.values() if "compiler" in each]
    right = [each for each in exported if each["outcome"] == "right"]
    ratios = [each["ratio"] for each in right if "ratio" in each]
    mean = f"{statistics.geometric_mean(ratios):.2f}" if ratios else ""
    return f"| {compiler} | {len(exported)} of {len(found)} | {len(right)} | {mean} |"


def row(model, found: dict) -> str:
    cells = [model.name, model.origin, found["outcome"]]
    for key, form in COLUMNS.items():
        cells.append(format(found[key], form) if key in found else "")
    return "| " + " | ".join(cells) + " |"


def reasons(found: Mapping[str, dict]) -> str:
    """Say why models are not exported, or what is wrong."""
    lines = [f"- {name}: {each['reason']}" for name, each in found.items() if "reason" in each]
    return "\n" + "\n".join(lines) + "\n" if lines else ""
