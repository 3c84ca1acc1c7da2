# SPDX-License-Identifier: Apache-2.0
"""``tvmgo compiler list``"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from tvmgo.cli.output import add_json, show
from tvmgo.compiler.environments.listing import overview


def add(verbs: Any) -> None:
    parser = verbs.add_parser("list", help="show which compilers there are, and where")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    rows = overview()
    if arguments.json:
        show({"compilers": [asdict(row) for row in rows]}, arguments)
        return
    width = max(len(row.kind) for row in rows)
    for row in rows:
        python = f"Python {row.python}" if row.python else ""
        size = f"{row.size / 1e6:.0f} MB" if row.size else ""
        print(f"{row.kind:{width}}  {row.where}", *filter(None, (python, size, row.what)), sep="  ")
