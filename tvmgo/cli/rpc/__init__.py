# SPDX-License-Identifier: Apache-2.0
"""``tvmgo rpc``: devices far away."""

from __future__ import annotations

import argparse

from tvmgo.cli.rpc import server


def add(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="verb")
    server.add(verbs)
