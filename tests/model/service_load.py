# SPDX-License-Identifier: Apache-2.0
"""The service of ``examples/`` under load: every input unique, every answer compared.

``python -m tests.model.service_load [--requests 1000000] [--connections 100]`` exports a
network, starts uvicorn, and talks HTTP to it over so many connections at a time.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np

from tests.helpers import CHECKOUT, search_path
from tests.model import exact
from tvmgo.compiler import export

HOST = "127.0.0.1"
SHOWN = 50_000
WARMUP = 5_000


def free_port():
    with socket.create_server((HOST, 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def serving(folder):
    """Run the service by uvicorn's command; yield its port and process."""
    port = free_port()
    command = f"--factory service:create_app --host {HOST} --port {port} --log-level warning"
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", *command.split()],
        env={**os.environ, "MODEL": str(folder), "PYTHONPATH": search_path(CHECKOUT / "examples")},
    )
    try:
        end = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://{HOST}:{port}/health").close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < end, "no service"
                time.sleep(0.1)
        yield port, process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)


async def ask(reader, writer, body):
    """Return status and answer of one request, on a connection that stays."""
    head = f"POST /predict HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    (length,) = (line for line in lines if line.lower().startswith(b"content-length:"))
    return int(status.split()[1]), await reader.readexactly(int(length.split(b":")[1]))


async def talk(port, numbers, seconds):
    """Ask for numbers until none is left; see that each answer is the right one."""
    reader, writer = await asyncio.open_connection(HOST, port)
    for number in numbers:
        x = exact.rows(number)
        body = json.dumps({"inputs": {"x": x.tolist()}}).encode()
        start = time.perf_counter()
        status, answer = await ask(reader, writer, body)
        seconds.append(time.perf_counter() - start)
        assert status == 200, answer
        expected = exact.answers(x).tolist()
        assert json.loads(answer)["outputs"]["y"] == expected, (number, answer, expected)
        if number > 0 and number % SHOWN == 0:
            print(f"  {number:,} requests", flush=True)
    writer.close()
    await writer.wait_closed()


def resident_mb(process):
    pages = Path(f"/proc/{process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def load(requests, connections):
    """Make the requests; return what is to be told of them. Raises at the first wrong answer."""
    with tempfile.TemporaryDirectory() as folder:
        exact.save_network(Path(folder, "exact.onnx"))
        export(Path(folder, "exact.onnx"), folder, batch=(1, 8, 32))
        with serving(folder) as (port, process):

            async def talk_all(numbers, seconds):
                await asyncio.gather(*(talk(port, numbers, seconds) for _ in range(connections)))

            # All connections draw from one iterator.
            asyncio.run(talk_all(iter(range(-min(requests, WARMUP), 0)), []))
            before = resident_mb(process)
            numbers, seconds = iter(range(requests)), []
            start = time.monotonic()
            asyncio.run(talk_all(numbers, seconds))
            took = time.monotonic() - start
            after = resident_mb(process)
            stats = json.load(urllib.request.urlopen(f"http://{HOST}:{port}/stats"))
    assert len(seconds) == requests
    p50, p99 = np.percentile(seconds, [50, 99]) * 1e3
    return (
        f"{requests:,} requests on {connections} connections, all right, {requests / took:,.0f} "
        f"a second; p50 {p50:.1f} ms, p99 {p99:.1f} ms; {stats['requests']:,} runs; "
        f"memory {before:.1f} MB, then {after:.1f} MB"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--connections", type=int, default=100)
    print(load(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
