# SPDX-License-Identifier: Apache-2.0
"""``tvmgo compiler``: the environments in which compilers run."""

from __future__ import annotations

import argparse

from tvmgo.cli.compiler import install, list, remove


def add(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="verb")
    for verb in (install, list, remove):
        verb.add(verbs)
