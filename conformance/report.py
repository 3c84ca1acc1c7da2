# SPDX-License-Identifier: Apache-2.0
"""The matrix of verdicts, and the page that explains each deviation."""

from collections import Counter

from conformance import facts, suites
from conformance.catalogue import IMPROVED, MATCH, PYTHON, statement_of
from conformance.rules import RULES, essence

VERDICTS = (MATCH, IMPROVED, PYTHON)
UNEXPLAINED = "unexplained"

PAGE = """\
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by `python -m conformance`; edits are lost. -->
# tvmgo and gotvm, fact by fact

What gotvm v0.12.0 did was recorded: its seven samples, the tests of its own suite, and {count} calls
at the edges of its API, crashes and leaks among them. `conformance/` executes each of them in
Python, on a library in C with the classic calling convention, and compares what comes of it.

| verdict | means |
| --- | --- |
| `match` | the same result |
| `improved` | gotvm crashed, panicked, leaked, read bits as what they were not, or could not carry what its runtime can; tvmgo has a defined outcome, which is stated below and verified |
| `python` | deliberately different, because Python has a habit of its own; stated below and verified |

## Totals

{matrix}

## Rules

What counts as the same, for all facts:

{rules}

## Python's habits

{python}

## Improvements

{improved}

## Artifacts of your own

`python -m conformance --artifacts DIR` replays models with recorded inputs and outputs; see
[artifacts.md](artifacts.md) for what the directory holds.
"""


def areas(judgements):
    """Count verdicts by area, in the order of the records."""
    counts = {}
    for judgement in judgements:
        area = judgement.id.partition(".")[0]
        counts.setdefault(area, Counter())[judgement.verdict or UNEXPLAINED] += 1
    return counts


def matrix(counts):
    """Return the counts as a table in Markdown, with totals."""
    columns = [*VERDICTS]
    if any(row[UNEXPLAINED] for row in counts.values()):
        columns.append(UNEXPLAINED)
    total = sum(counts.values(), Counter())
    rows = [["area", *columns, "facts"]]
    rows += [
        [area, *[str(row[column] or "") for column in columns], str(row.total())]
        for area, row in [*counts.items(), ("**all**", total)]
    ]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        in_row(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths))
        )
        for row in rows
    ]
    rule = (
        "|"
        + "|".join(
            "-" * (width + 2) if i == 0 else "-" * (width + 1) + ":"
            for i, width in enumerate(widths)
        )
        + "|"
    )
    return "\n".join([lines[0], rule, *lines[1:]])


def page(judgements, counts):
    """Return the page of a run in Markdown."""
    by_verdict = {
        verdict: [judgement.id for judgement in judgements if judgement.verdict == verdict]
        for verdict in VERDICTS
    }
    return PAGE.format(
        count=len(facts.edges()),
        matrix=matrix(counts),
        rules=RULES.rstrip(),
        python=deviations(by_verdict[PYTHON]),
        improved=deviations(by_verdict[IMPROVED]),
    )


def deviations(chosen):
    """Return a table of what differs and why."""
    rows = ["| fact | call | gotvm | tvmgo | why |", "| --- | --- | --- | --- | --- |"]
    for fact_id in chosen:
        cells = (
            f"`{fact_id}`",
            *(
                deviation_of_test(fact_id)
                if fact_id in suites.OTHERWISE
                else deviation(facts.edges()[fact_id])
            ),
        )
        rows.append(in_row(map(in_cell, cells)))
    return "\n".join(rows)


def deviation(fact):
    """Return the call, both outcomes and the reason."""
    statement = statement_of(fact)
    return (
        f"`{fact.call}`",
        recorded_outcome(fact),
        str(statement.outcome_of(fact)),
        statement.reason_of(fact),
    )


def deviation_of_test(test_id):
    """Return the same of a ported test."""
    otherwise = suites.OTHERWISE[test_id]
    return ("gotvm's own test", otherwise.gotvm, otherwise.tvmgo, otherwise.reason)


def recorded_outcome(fact):
    """Return in a few words what gotvm did."""
    outcome = fact.outcome
    if outcome.get("signal"):
        return f"the process died: {outcome['signal']}"
    if outcome.get("panic"):
        return f"panic: `{shortened(outcome['panic'])}`"
    if outcome["error"] is not None:
        return f"error: `{shortened(essence(outcome['error']))}`"
    return f"`{shortened(str(outcome['value']))}`"


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
