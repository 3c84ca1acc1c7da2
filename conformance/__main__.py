# SPDX-License-Identifier: Apache-2.0
"""``python -m conformance``: execute every recorded fact and write ``docs/conformance.md``.

``python -m conformance --artifacts DIR`` replays models of your own; see ``docs/artifacts.md``.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import tvmgo
from conformance import artifacts, facts, report, suites
from conformance.isolated import judge_isolated, needs_isolation
from conformance.judge import judge
from conformance.world import World

PAGE = Path(__file__).parents[1] / "docs" / "conformance.md"


def judge_all():
    """Execute every recorded fact.

    Returns
    -------
    list of conformance.judge.Judgement
        In the order of the records; gotvm's samples and tests come first.
    """
    tvmgo._native.locate.load()
    tvmgo._native.companions.load_extra()
    everything = facts.edges().values()
    with tempfile.TemporaryDirectory() as directory:
        world = World.made_in(Path(directory))
        judged = judge_isolated(
            [fact for fact in everything if needs_isolation(fact)], world.directory
        )
        with world.entered():
            judged.update(
                (fact.id, judge(fact, world)) for fact in everything if not needs_isolation(fact)
            )
    return suites.judge_tests() + [judged[fact.id] for fact in everything]


def main(arguments=None):
    """Run the command. Return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument(
        "--artifacts", type=Path, metavar="DIR", help="replay the models in this directory instead"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=PAGE,
        metavar="FILE",
        help="where the page goes (default: docs/conformance.md)",
    )
    options = parser.parse_args(arguments)
    if options.artifacts is not None:
        return artifacts.main(options.artifacts)
    judged = judge_all()
    counts = report.areas(judged)
    print(report.matrix(counts))
    unexplained = [judgement for judgement in judged if judgement.verdict is None]
    for judgement in unexplained:
        print(f"unexplained: {judgement.id}: {'; '.join(judgement.differences)}")
    options.output.write_text(report.page(judged, counts), encoding="utf-8")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
