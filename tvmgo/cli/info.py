# SPDX-License-Identifier: Apache-2.0
"""``tvmgo info``"""

from __future__ import annotations

import argparse

from tvmgo.cli.output import add_json, show
from tvmgo.cli.pairs import add_path
from tvmgo.model.inspection.outline import describe


def add(parser: argparse.ArgumentParser) -> None:
    add_path(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    show(describe(arguments.path), arguments)
