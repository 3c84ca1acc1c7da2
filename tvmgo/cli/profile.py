# SPDX-License-Identifier: Apache-2.0
"""``tvmgo profile``"""

from __future__ import annotations

import argparse

from tvmgo.cli.output import add_json, show
from tvmgo.cli.pairs import add_input, add_path
from tvmgo.model.trials.profiled_runs import profile_runs


def add(parser: argparse.ArgumentParser) -> None:
    add_path(parser)
    add_input(parser)
    parser.add_argument(
        "--runs", type=int, help="how many (by default as many as take two seconds)"
    )
    parser.add_argument("--threads", type=int, default=1, help="for the kernels (1 by default)")
    parser.add_argument("--seed", type=int, default=0, help="of what is made up")
    parser.add_argument(
        "--trace", metavar="FILE", help="write a trace for chrome://tracing or Perfetto"
    )
    parser.add_argument("--dot", metavar="FILE", help="write the graph with times for Graphviz")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    profile = profile_runs(
        arguments.path,
        dict(arguments.input),
        runs=arguments.runs,
        threads=arguments.threads,
        seed=arguments.seed,
        trace=arguments.trace,
        dot=arguments.dot,
    )
    if arguments.json:
        show({"path": arguments.path, **profile.to_json()}, arguments)
    else:
        print(profile)
