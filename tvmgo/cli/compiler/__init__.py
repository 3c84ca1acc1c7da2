# SPDX-License-Identifier: Apache-2.0
"""``tvmgo compiler``: the environments in which compilers run."""

from __future__ import annotations

from typing import Any

from tvmgo.cli.compiler import install, list, remove


def add(commands: Any) -> None:
    parser = commands.add_parser("compiler", help="install, list and remove compilers")
    verbs = parser.add_subparsers(required=True, metavar="verb")
    for verb in (install, list, remove):
        verb.add(verbs)
