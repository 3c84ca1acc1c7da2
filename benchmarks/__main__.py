# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks``: measure everything, keep the figures, say what changed, and write
the page with its pictures."""

import argparse

from benchmarks import compare, render, runs
from benchmarks.cases import CASES

FEWEST = 5  # rounds that have quartiles


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=100, help="samples of each rival (default: %(default)s)"
    )
    parser.add_argument(
        "--only",
        metavar="TEXT",
        help="the cases with this text in their group or name; writes nothing",
    )
    options = parser.parse_args()
    if options.rounds < FEWEST:
        parser.error(f"--rounds: at least {FEWEST}")
    if options.only:
        text = options.only.lower()
        compare.run(options.rounds, [case for case in CASES if text in case.title.lower()])
        return
    figures = compare.run(options.rounds)
    before = runs.last(figures["machine"])
    kept = runs.store(figures)
    runs.write(figures, runs.PUBLISHED)
    render.write(figures)
    if before is None:
        print("no earlier run of this machine is stored")
    else:
        print("\n".join(runs.compare(before, figures)))
    print(render.noise(figures))
    print(f"figures in {kept}, page in {render.PAGE}")


if __name__ == "__main__":
    main()
