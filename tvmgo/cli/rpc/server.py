# SPDX-License-Identifier: Apache-2.0
"""``tvmgo rpc server``"""

from __future__ import annotations

import argparse
import signal
from typing import Any

from tvmgo.cli.output import add_json, show
from tvmgo.rpc.server.listener import LONGEST_PACKET, Server


def add(verbs: Any) -> None:
    what = "let trusted clients upload libraries to this machine and run them"
    parser = verbs.add_parser("server", help=what, description=what)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    parser.add_argument("--port", type=int, default=9090, help="0 takes a free one (%(default)s)")
    parser.add_argument("--key", default="", help="clients must name the same")
    parser.add_argument(
        "--timeout",
        type=positive(float),
        default=600.0,
        metavar="SECONDS",
        help="end sessions whose client is silent for so long (%(default)g)",
    )
    parser.add_argument(
        "--sessions", type=positive(int), default=8, help="how many at a time (%(default)s)"
    )
    parser.add_argument(
        "--longest-packet",
        type=positive(int),
        default=LONGEST_PACKET,
        metavar="BYTES",
        help="refuse longer ones (%(default)s)",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def positive(kind: type[float] | type[int]) -> Any:
    """Return what reads a number above 0."""

    def read(text: str) -> float:
        number = kind(text)
        if not 0 < number < float("inf"):
            raise ValueError
        return number

    read.__name__ = f"positive {kind.__name__}"
    return read


def run(arguments: argparse.Namespace) -> None:
    server = Server(
        arguments.host,
        arguments.port,
        arguments.key,
        timeout=arguments.timeout,
        sessions=arguments.sessions,
        longest_packet=arguments.longest_packet,
    )
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        show({"host": server.address[0], "port": server.address[1]}, arguments, one_line=True)
        print(end="", flush=True)  # who starts it waits for the port
        server.serve_forever()
    finally:
        server.close()
        signal.signal(signal.SIGTERM, before)
