# SPDX-License-Identifier: Apache-2.0
"""``tvmgo run``"""

from __future__ import annotations

import argparse

from tvmgo.cli.output import add_json, show
from tvmgo.cli.pairs import add_input, add_path, pair
from tvmgo.model.trials.single_run import run_once


def add(parser: argparse.ArgumentParser) -> None:
    add_path(parser)
    add_input(parser)
    parser.add_argument(
        "--output",
        nargs="+",
        action="extend",
        default=[],
        metavar="DIR|NAME=FILE.npy",
        help="where outputs go: a folder for all of them, or a file for one",
    )
    parser.add_argument("--seed", type=int, default=0, help="of what is made up")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    folders = [text for text in arguments.output if "=" not in text]
    files = dict(pair(str)(text) for text in arguments.output if "=" in text)
    show(run_once(arguments.path, dict(arguments.input), folders, files, arguments.seed), arguments)
