# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks``: measure everything, keep the figures as JSON, render the page."""
import argparse
import json
from pathlib import Path

from benchmarks import compare, render
from benchmarks.cases import CASES

KEPT = Path(__file__).parents[1] / ".benchmarks"
FEWEST = 5     # rounds that have quartiles


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=101,
                        help="samples of each rival (default: %(default)s)")
    parser.add_argument("--only", metavar="TEXT",
                        help="the cases with this text in their name or group; writes nothing")
    options = parser.parse_args()
    if options.rounds < FEWEST:
        parser.error(f"--rounds: at least {FEWEST}")
    if options.only:
        text = options.only.lower()
        compare.run(options.rounds, [case for case in CASES
                                     if text in f"{case.group.title}: {case.name}".lower()])
        return
    figures = compare.run(options.rounds)
    KEPT.mkdir(exist_ok=True)
    kept = KEPT / f"compare-{figures['date'].replace(':', '')}.json"
    kept.write_text(json.dumps(figures, indent=1) + "\n")
    render.PAGE.write_text(render.page(figures))
    print(render.noise(figures))
    print(f"figures in {kept}, page in {render.PAGE}")


if __name__ == "__main__":
    main()
