# SPDX-License-Identifier: Apache-2.0
"""Measure everything, say what has changed since the last release, write docs/reports/performance.md."""

import argparse
import compileall
import json
from pathlib import Path

import tvmgo
from benchmarks import BUILD, harness, history, instructions, page
from benchmarks.cases import CASES

PAGE = Path(__file__).parents[1] / "docs" / "reports" / "performance.md"
FEWEST = 5  # rounds that have quartiles


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=100, help="samples of each rival (default: %(default)s)"
    )
    parser.add_argument(
        "--only", metavar="TEXT", default="", help="cases with TEXT in their title; writes nothing"
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"{FEWEST} rounds, for trying; writes to {BUILD.name}"
    )
    options = parser.parse_args()
    # As pip leaves an installed package: else fresh processes may read a clone's sources each time.
    compileall.compile_dir(Path(tvmgo.__file__).parent, quiet=1)
    rounds = FEWEST if options.quick else options.rounds
    if rounds < FEWEST:
        parser.error(f"--rounds: at least {FEWEST}")
    if options.only:
        wanted = [case for case in CASES if options.only.lower() in case.title.lower()]
        harness.run(wanted, rounds)
        return
    counts = instructions.count()
    figures = harness.run(CASES, rounds) | {"instructions": counts}
    before = history.latest()
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "figures.json").write_text(json.dumps(figures, indent=1))
    if options.quick:
        (BUILD / PAGE.name).write_text(page.page(figures))
    else:
        PAGE.write_text(page.page(figures))
        history.write(figures)
    print(*(history.changes(before, figures) if before else ()), page.noise(figures), sep="\n")


if __name__ == "__main__":
    main()
