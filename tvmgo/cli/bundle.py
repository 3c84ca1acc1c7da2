# SPDX-License-Identifier: Apache-2.0
"""``tvmgo bundle``"""

from __future__ import annotations

import argparse

from tvmgo.cli.output import add_json, show
from tvmgo.cli.pairs import add_path
from tvmgo.model.files.bundling import bundle


def add(parser: argparse.ArgumentParser) -> None:
    add_path(parser)
    parser.add_argument(
        "-o", "--output", required=True, metavar="NAME.tvmgo", help="the file to write"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    made = bundle(arguments.path, arguments.output)
    show({"path": str(made), "bytes": made.stat().st_size}, arguments)
