# SPDX-License-Identifier: Apache-2.0
"""``tvmgo doctor``"""

from __future__ import annotations

import argparse

from tvmgo.cli.output import add_json, show
from tvmgo.cli.pairs import add_path
from tvmgo.model.inspection.examination import doctor


def add(parser: argparse.ArgumentParser) -> None:
    add_path(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    report = doctor(arguments.path)
    if arguments.json:
        show(report.to_json(), arguments)
    else:
        print(report)
    return 0 if report.runs else 1
