# SPDX-License-Identifier: Apache-2.0
"""``tvmgo serve``"""

from __future__ import annotations

import argparse

from tvmgo.serving.server import serve
from tvmgo.serving.settings import MIB, Settings

DEFAULT = Settings()


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="DIR", help="a folder or bundle with a model")
    parser.add_argument("--host", default=DEFAULT.host, help="address (%(default)s by default)")
    parser.add_argument(
        "--port", type=int, default=DEFAULT.port, help="of REST (%(default)s by default)"
    )
    parser.add_argument(
        "--grpc-port",
        type=int,
        default=DEFAULT.grpc_port,
        help="of gRPC (%(default)s by default); 0 for none",
    )
    parser.add_argument(
        "--workers", type=int, default=DEFAULT.workers, help="processes (%(default)s by default)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=DEFAULT.threads,
        help="for each request (%(default)s by default)",
    )
    parser.add_argument(
        "--max-batch", type=int, help="rows that run together at most; 1: each request by itself"
    )
    parser.add_argument(
        "--max-delay",
        type=float,
        default=DEFAULT.max_delay,
        help="seconds that a request waits for others (%(default).0f by default)",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT.timeout,
        help="seconds for a request to be answered (%(default).0f by default)",
    )
    parser.add_argument(
        "--max-mb",
        type=float,
        default=DEFAULT.max_bytes / MIB,
        help="MiB of a request at most (%(default).0f by default)",
    )
    parser.add_argument("--access-log", action="store_true", help="log each request")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    serve(
        arguments.paths,
        Settings(
            host=arguments.host,
            port=arguments.port,
            grpc_port=arguments.grpc_port,
            workers=arguments.workers,
            threads=arguments.threads,
            max_batch=arguments.max_batch,
            max_delay=arguments.max_delay,
            timeout=arguments.timeout,
            max_bytes=int(arguments.max_mb * MIB),
            access_log=arguments.access_log,
        ),
    )
