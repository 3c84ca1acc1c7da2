# SPDX-License-Identifier: Apache-2.0
"""What a verb has found out, as JSON for programs and as text for people: one document, two forms."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tvmgo.model.profiling.text_table import aligned

Document = Mapping[str, Any]
UNITS = ((1, "s"), (1e3, "ms"), (1e6, "µs"))


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def show(document: Document, arguments: argparse.Namespace, *, one_line: bool = False) -> None:
    """Print a document of what JSON knows.

    JSON takes one line, if wanted: for who reads it from a program that goes on.

    In text a mapping becomes a line for each entry, and a sequence of mappings a table. Numbers
    whose names are "bytes" or end with "seconds" get a unit.
    """
    if arguments.json:
        print(json.dumps(document, indent=None if one_line else 1))
    else:
        print("\n".join(lines_of(document)))


def lines_of(document: Document) -> list[str]:
    lines: list[str] = []
    width = max((len(name) for name, value in document.items() if not is_block(value)), default=0)
    for name, value in document.items():
        if isinstance(value, Mapping) and value:
            lines += [f"{name}:", *(f"  {line}" for line in lines_of(value))]
        elif is_block(value):
            lines += [f"{name}:", *(f"  {line}" for line in table(value))]
        else:
            lines.append(f"{name:{width}}  {text_of(name, value)}")
    return lines


def is_block(value: Any) -> bool:
    rows = isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)
    return rows or (isinstance(value, Mapping) and bool(value))


def table(rows: Sequence[Document]) -> list[str]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([text_of(name, row.get(name)) for name in names] for row in rows)]
    return aligned(cells)


def text_of(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(str, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "-", True: "yes", False: "no"}[value]
    if name == "bytes":
        return f"{value / 1e6:.3g} MB" if value >= 1e5 else f"{value} bytes"
    if name.endswith("seconds"):
        scale, unit = next(each for each in UNITS if value >= 0.1 / each[0] or each is UNITS[-1])
        return f"{value * scale:.3g} {unit}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
