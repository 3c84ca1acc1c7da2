# SPDX-License-Identifier: Apache-2.0
"""``tvmgo bench``"""

from __future__ import annotations

import argparse

from tvmgo.cli.output import add_json, show
from tvmgo.cli.pairs import add_input, add_path, integers
from tvmgo.model.trials.benchmark import SECONDS, bench
from tvmgo.model.trials.plotting import check_plot, plot


def add(parser: argparse.ArgumentParser) -> None:
    add_path(parser)
    add_input(parser)
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help=f"for all measurements together ({SECONDS:.0f} by default)",
    )
    parser.add_argument(
        "--concurrency",
        type=integers,
        metavar="1,2,4",
        help="how many callers there are (by default 1, and as many as there are CPUs)",
    )
    parser.add_argument(
        "--threads", type=int, help="for each caller (by default the CPUs are shared out)"
    )
    parser.add_argument("--onnx", metavar="MODEL.onnx", help="measure ONNX Runtime beside it")
    parser.add_argument(
        "--plot", metavar="FILE", help="draw it, as PNG, SVG or what the file's name says"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    if arguments.plot is not None:
        check_plot(arguments.plot)
    document = bench(
        arguments.path,
        dict(arguments.input),
        seconds=arguments.seconds,
        concurrency=arguments.concurrency,
        threads=arguments.threads,
        onnx=arguments.onnx,
    )
    if arguments.plot is not None:
        plot(document, arguments.plot)
    show(document, arguments)
