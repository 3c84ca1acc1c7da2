# SPDX-License-Identifier: Apache-2.0
"""``python -m conformance``: execute every recorded fact and print the totals.

With ``--write`` it also writes ``docs/reports/conformance.md``, if every fact is as stated. With
``--artifacts DIR`` it replays models of your own instead, as ``tvmgo replay`` does.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from conformance import library, report
from conformance.facts import recorded
from conformance.isolated import judge_isolated, needs_isolation
from conformance.judge import judge
from tvmgo.cli import main as replay


def judge_all():
    """Execute every recorded fact. Return what is unexplained of each, by id."""
    everything = recorded().values()
    with tempfile.TemporaryDirectory() as directory:
        library.prepare(Path(directory))
        judged = judge_isolated(list(filter(needs_isolation, everything)), directory)
        with library.beside(directory):
            judged.update(
                (fact.id, judge(fact)) for fact in everything if not needs_isolation(fact)
            )
    return judged


def main(arguments=None):
    """Run the command. Return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument(
        "--artifacts", type=Path, metavar="DIR", help="replay the models in this directory instead"
    )
    parser.add_argument(
        "--write", action="store_true", help="write docs/reports/conformance.md, too"
    )
    options = parser.parse_args(arguments)
    if options.artifacts is not None:
        return replay(["replay", str(options.artifacts)])
    unexplained = {fact_id: found for fact_id, found in judge_all().items() if found}
    print(report.matrix(unexplained))
    for fact_id, found in unexplained.items():
        print(f"unexplained: {fact_id}: {'; '.join(found)}")
    if unexplained:
        return 1
    if options.write:
        report.PAGE.write_text(report.page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
