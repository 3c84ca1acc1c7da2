# SPDX-License-Identifier: Apache-2.0
"""``tvmgo compile``"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from tvmgo.cli.output import add_json, show
from tvmgo.cli.pairs import integers, pair, sizes
from tvmgo.compiler import export
from tvmgo.compiler.exporter import FORMATS


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a file of ONNX, or a file or folder of a framework")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="DIR|NAME.tvmgo",
        help="the folder or bundle to write",
    )
    parser.add_argument("--target", help='for which processor, such as "native"')
    parser.add_argument(
        "--shapes",
        nargs="+",
        type=pair(sizes),
        action="extend",
        default=[],
        metavar="NAME=1,3,224,224",
        help="shapes of inputs whose dimensions the model leaves open",
    )
    parser.add_argument(
        "--batch", type=integers, metavar="1,8,32", help="for how many rows to compile it"
    )
    parser.add_argument(
        "--compiler", default="auto", help="auto (the default), relax, relay, or a Python"
    )
    parser.add_argument("--format", choices=("auto", *FORMATS), default="auto")
    parser.add_argument(
        "--no-verify", action="store_true", help="do not compare it with the original"
    )
    parser.add_argument(
        "--tune",
        type=float,
        metavar="MINUTES",
        help="try other schedules of the kernels that long; with --compiler relay",
    )
    parser.add_argument(
        "--tune-log", metavar="FILE", help="what was tried before, and where it is written down"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    made = export(
        arguments.model,
        arguments.output,
        compiler=arguments.compiler,
        target=arguments.target,
        shapes=dict(arguments.shapes),
        format=arguments.format,
        batch=arguments.batch,
        verify=False if arguments.no_verify else "auto",
        tune=arguments.tune,
        tune_log=arguments.tune_log,
        progress=lambda line: print(line, file=sys.stderr, flush=True),
    )
    assert made.report is not None
    if arguments.json:
        files = [made.library, made.graph, made.params, made.manifest]
        files += [path for each in made.sizes.values() for path in each]
        names = list(dict.fromkeys(str(path) for path in files if path))
        show({"files": names, **asdict(made.report)}, arguments)
    else:
        print(made.report)
