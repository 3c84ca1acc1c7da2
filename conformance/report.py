# SPDX-License-Identifier: Apache-2.0
"""The matrix of verdicts, and the page that explains each deviation."""

from collections import Counter
from pathlib import Path

from conformance.facts import IMPROVED, PYTHON, VERDICTS, calls, recorded
from conformance.rules import essence

PAGE = Path(__file__).parents[1] / "docs" / "reports" / "conformance.md"
TEMPLATE = Path(__file__).with_name("page.md")  # its prose, with the rules in words
UNEXPLAINED = "unexplained"


def matrix(unexplained=()):
    """Return the counts of verdicts by area as a table in Markdown, with totals.

    Parameters
    ----------
    unexplained : container of str
        The ids of facts that are not as stated; they are counted in a column of their own.
    """
    counts = {}
    for fact in recorded().values():
        verdict = UNEXPLAINED if fact.id in unexplained else fact.verdict
        counts.setdefault(fact.area, Counter())[verdict] += 1
    columns = [*VERDICTS, UNEXPLAINED] if unexplained else VERDICTS
    counts["**all**"] = sum(counts.values(), Counter())
    rows = [["area", *columns, "facts"]]
    for area, row in counts.items():
        rows.append([area, *[str(row[column] or "") for column in columns], str(row.total())])
    width, *widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [in_row([area.ljust(width), *map(str.rjust, cells, widths)]) for area, *cells in rows]
    rule = "|".join(["-" * (width + 2), *["-" * (width + 1) + ":" for width in widths]])
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def page():
    """Return the page about all facts in Markdown."""
    return TEMPLATE.read_text(encoding="utf-8").format(
        count=len(calls()),
        matrix=matrix(),
        python=deviations(PYTHON),
        improved=deviations(IMPROVED),
    )


def deviations(verdict):
    """Return a table of what differs, with this verdict, and why."""
    rows = ["| fact | call | gotvm | tvmgo | why |", "| --- | --- | --- | --- | --- |"]
    for fact in recorded().values():
        if fact.verdict == verdict:
            ours = stated_outcome(fact.stated)
            cells = f"`{fact.id}`", f"`{fact.call}`", recorded_outcome(fact), ours, fact.reason
            rows.append(in_row(map(in_cell, cells)))
    return "\n".join(rows)


def recorded_outcome(fact):
    """Return in a few words what gotvm did."""
    outcome = fact.outcome
    if fact.area == "tests":
        return "passes"
    if outcome.get("signal"):
        return f"the process died: {outcome['signal']}"
    if outcome.get("panic"):
        return f"panic: `{shortened(outcome['panic'])}`"
    if outcome["error"] is not None:
        return f"error: `{shortened(essence(outcome['error']))}`"
    return f"`{shortened(str(outcome['value']))}`"


def stated_outcome(stated):
    """Return in a few words what tvmgo does."""
    if "raises" in stated:
        told = " and ".join(f"`{word}`" for word in stated["tells"])
        return f"`{stated['raises']}`" + (f" that tells {told}" if told else "")
    return stated.get("says", f"gives `{stated['gives']!r}`")


def shortened(text, length=90):
    """Return the text in one line of limited length."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[:length] + "..."


def in_row(cells):
    """Return a row of a table."""
    return f"| {' | '.join(cells)} |"


def in_cell(text):
    """Return text that does not end a table's cell."""
    text = text.replace("|", "\\|").replace("\n", " ").replace("\0", "\\0")
    return text.replace("\x01", "\\1").replace("\x07", "\\7")
