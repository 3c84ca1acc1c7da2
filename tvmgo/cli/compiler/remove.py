# SPDX-License-Identifier: Apache-2.0
"""``tvmgo compiler remove``"""

from __future__ import annotations

import argparse
from typing import Any

from tvmgo.cli.output import add_json, show
from tvmgo.compiler.environments.install import remove
from tvmgo.compiler.environments.interpreters import COMPILERS


def add(verbs: Any) -> None:
    parser = verbs.add_parser("remove", help="delete the environments of a compiler")
    parser.add_argument("compiler", choices=COMPILERS)
    parser.add_argument(
        "--outdated", action="store_true", help="only those that another release of tvmgo made"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    if arguments.json:
        gone = remove(arguments.compiler, outdated=arguments.outdated, say=lambda text: None)
        show({"removed": [str(path) for path in gone]}, arguments)
    elif not remove(arguments.compiler, outdated=arguments.outdated):
        print(f"{arguments.compiler}: nothing to remove")
