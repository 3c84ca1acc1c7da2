# SPDX-License-Identifier: Apache-2.0
"""``tvmgo replay``"""

from __future__ import annotations

import argparse

from tvmgo.cli.output import add_json, show
from tvmgo.model.trials.recordings import replay_all


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="DIR", help="a folder with recorded runs, in it or below")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    results = replay_all(arguments.path)
    if arguments.json:
        as_recorded = all(result.as_recorded for result in results)
        document = {"as_recorded": as_recorded, "runs": [each.to_json() for each in results]}
        show(document, arguments)
    else:
        print(*results, sep="\n")
    return 0 if all(result.as_recorded for result in results) else 1
