# SPDX-License-Identifier: Apache-2.0
"""``tvmgo compiler list``"""

from __future__ import annotations

import argparse
from typing import Any

from tvmgo.compiler.environments.listing import overview


def add(verbs: Any) -> None:
    parser = verbs.add_parser("list", help="show which compilers there are, and where")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    for row in overview():
        python = f"Python {row.python}" if row.python else ""
        size = f"{row.size / 1e6:.0f} MB" if row.size else ""
        print(f"{row.kind:9} {row.where}", *filter(None, (python, size, row.what)), sep="  ")
