# SPDX-License-Identifier: Apache-2.0
"""``tvmgo compiler install``"""

from __future__ import annotations

import argparse
from typing import Any

from tvmgo.compiler.environments.install import install
from tvmgo.compiler.environments.interpreters import COMPILERS


def add(verbs: Any) -> None:
    parser = verbs.add_parser("install", help="make an environment that has a compiler")
    parser.add_argument("compiler", choices=COMPILERS)
    parser.add_argument(
        "--wheels", metavar="DIR", help="take all wheels from this folder, none from a network"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    install(arguments.compiler, wheels=arguments.wheels)
