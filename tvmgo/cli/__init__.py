# SPDX-License-Identifier: Apache-2.0
"""The command ``tvmgo``. A folder for each group of verbs, a file for each verb.

A verb's ``add`` says its arguments, its ``run`` calls what does the work, prints what comes of it and
returns an exit status, or None for 0; there is no logic here. Only the verb that is called is
imported, so that ``--version`` and ``--help`` answer at once.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from tvmgo import __version__
from tvmgo.exceptions import TVMError

VERBS = {
    "info": "tell what a model is: inputs, outputs, sizes, how it was made",
    "doctor": "tell whether a model will run here, and if not, what to do",
    "compile": "compile a model, of ONNX or of a framework",
    "bundle": "put the files of a model into one",
    "run": "run a model once",
    "bench": "measure latency and throughput of a model",
    "profile": "tell which operators of a model take how long",
    "replay": "compare a model's results with recorded ones",
    "serve": "serve models by the Open Inference Protocol",
    "compiler": "install, list and remove compilers",
    "rpc": "let other machines run libraries on this one",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status: 1 for what went wrong, 2 for wrong arguments."""
    words = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser("tvmgo", description="Tools around tvmgo.")
    parser.add_argument("--version", action="version", version=f"tvmgo {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for verb, what in VERBS.items():
        command = commands.add_parser(verb, help=what, description=what)
        if verb in words:
            importlib.import_module(f"tvmgo.cli.{verb}").add(command)
    chosen = parser.parse_args(words)
    try:
        status: int | None = chosen.run(chosen)
        sys.stdout.flush()
    except BrokenPipeError:  # who reads, as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (TVMError, OSError) as error:
        print(f"tvmgo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status or 0
