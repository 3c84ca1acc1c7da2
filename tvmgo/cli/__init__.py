# SPDX-License-Identifier: Apache-2.0
"""The command ``tvmgo``. A folder for each group of verbs, a file for each verb.

A verb's ``add`` says its arguments, its ``run`` calls what does the work and prints what comes of
it; there is no logic here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tvmgo import __version__
from tvmgo.cli import compiler
from tvmgo.exceptions import TVMError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    parser = argparse.ArgumentParser("tvmgo", description="Tools around tvmgo.")
    parser.add_argument("--version", action="version", version=f"tvmgo {__version__}")
    compiler.add(parser.add_subparsers(required=True, metavar="command"))
    chosen = parser.parse_args(arguments)
    try:
        chosen.run(chosen)
    except TVMError as error:
        print(f"tvmgo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
