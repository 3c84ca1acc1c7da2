# SPDX-License-Identifier: Apache-2.0
"""``tvmgo compiler install``"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from tvmgo.cli.output import add_json, show
from tvmgo.compiler.environments.install import install
from tvmgo.compiler.environments.interpreters import COMPILERS


def add(verbs: Any) -> None:
    parser = verbs.add_parser("install", help="make an environment that has a compiler")
    parser.add_argument("compiler", choices=COMPILERS)
    parser.add_argument(
        "--wheels", metavar="DIR", help="take all wheels from this folder, none from a network"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    if not arguments.json:
        install(arguments.compiler, wheels=arguments.wheels)
        return
    with output_to_stderr():
        python = install(arguments.compiler, wheels=arguments.wheels)
    show({"compiler": arguments.compiler, "python": str(python)}, arguments)


@contextlib.contextmanager
def output_to_stderr() -> Iterator[None]:
    """Have all that is printed meanwhile, also by child processes, go to stderr."""
    sys.stdout.flush()
    output = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(output, 1)
        os.close(output)
