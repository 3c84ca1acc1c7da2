# SPDX-License-Identifier: Apache-2.0
"""``tvmgo serve`` under load, beside the same server with ONNX Runtime; writes docs/reports/serving.md.

``python -m tests.serving.load [--rounds 5] [--seconds 10] [--connections 1,8,64] [--requests 1000000]``: wrk asks one
server after the other, in every round, for which both are started anew. Then every answer of the last so many requests
is compared, while the model is loaded anew again and again.
"""

import argparse
import asyncio
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.helpers import CHECKOUT
from tests.model import exact
from tests.serving.server import HOST, serving
from tvmgo.serving.messages import LENGTH_HEADER

PAGE = CHECKOUT / "docs" / "reports" / "serving.md"
RIVAL = [sys.executable, "-m", "tests.serving.rival"]
SHAPES = {"mlp": ("x", [1, 784]), "mobilenet": ("input", [1, 224, 224, 3])}
SCRIPT = """
local file = io.open("{body}", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers["{header}"] = "{length}"
function done(summary, latency)
    local errors = summary.errors
    print(string.format('{{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "errors": %d}}',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


def message(name, array):
    """Return the head of a request's body, and the whole body, of a tensor as bytes."""
    tensor = {"name": name, "datatype": "FP32", "shape": list(array.shape)}
    tensor["parameters"] = {"binary_data_size": array.nbytes}
    text = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return text, text + array.astype("<f4").tobytes()


def script(folder, model):
    """Write what wrk sends to a model; return the file."""
    name, shape = SHAPES[model]
    text, body = message(name, np.random.default_rng(0).random(shape, "float32"))
    Path(folder, f"{model}.body").write_bytes(body)
    file = Path(folder, f"{model}.lua")
    values = {"body": Path(folder, f"{model}.body"), "header": LENGTH_HEADER, "length": len(text)}
    file.write_text(SCRIPT.format(**values))
    return file


def ask(server, model, file, connections, seconds):
    """Have wrk ask over so many connections; return requests a second, and ms: p50, p99, the server's CPU for each."""
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}",
        "--timeout",
        "30s",
        "-s",
        str(file),
    ]
    url = f"http://{server.url}/v2/models/{model}/infer"
    before = server.cpu_seconds()
    said = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    found = json.loads(said.splitlines()[-1])
    assert found["errors"] == 0, said
    cpu = (server.cpu_seconds() - before) / found["requests"] * 1e3
    rate = found["requests"] / found["microseconds"] * 1e6
    return rate, found["p50"] / 1e3, found["p99"] / 1e3, cpu


def compare(folder, connections, rounds, seconds):
    """Return a row for each model and number of connections.

    Servers are started anew for each round: two processes of the same server differ by a tenth and more, as long as they
    live.
    """
    figures = {}
    names = list(SHAPES)
    files = {model: script(folder, model) for model in names}
    for number in range(rounds):
        with (
            serving(folder, *names) as ours,
            serving(folder, *(f"{name}.onnx" for name in names), command=RIVAL) as theirs,
        ):
            for model in names:
                for server in (ours, theirs):
                    ask(server, model, files[model], 8, 1)  # warms up
                for count in connections:
                    servers = [("tvmgo", ours), ("ONNX Runtime", theirs)]
                    for kind, server in servers if number % 2 else reversed(servers):
                        found = ask(server, model, files[model], count, seconds)
                        figures.setdefault((model, count, kind), []).append(found)
        print(f"round {number + 1} of {rounds}", flush=True)
    rows = []
    for model in names:
        for count in connections:
            ours, theirs = (figures[model, count, kind] for kind in ("tvmgo", "ONNX Runtime"))
            rates, *times = (
                [[each[place] for each in side] for side in (ours, theirs)] for place in range(4)
            )
            ratio = statistics.median(mine / other for mine, other in zip(*rates))
            medians = [statistics.median(side) for figure in (rates, *times) for side in figure]
            rows.append([model, count, *medians[:2], ratio, *medians[2:]])
    return rows


# ---------------------------------------------------------------- every answer


async def talk(port, numbers):
    """Ask for the answers of numbers, one after the other; see that each is the right one."""
    reader, writer = await asyncio.open_connection(HOST, port)
    for number in numbers:
        x = exact.rows(number)
        text, body = message("x", x.astype("float32"))
        writer.write(
            f"POST /v2/models/exact/infer HTTP/1.1\r\nHost: {HOST}\r\n{LENGTH_HEADER}: {len(text)}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
        answer = await reader.readexactly(int(fields["content-length"]))
        assert " 200 " in head.splitlines()[0], answer
        got = np.frombuffer(answer[int(fields[LENGTH_HEADER]) :], "<f4")
        assert (got == exact.answers(x)[0]).all(), (number, got)
    writer.close()
    await writer.wait_closed()


async def talk_all(server, requests, connections):
    """Talk over so many connections; load the model anew meanwhile. Return how often."""
    numbers = iter(range(requests))
    talking = asyncio.gather(*(talk(server.port, numbers) for _ in range(connections)))
    reloads = 0
    while not talking.done():
        await asyncio.wait([talking], timeout=5)
        if not talking.done():
            path = "/v2/repository/models/exact/load"
            status, text, _ = await asyncio.to_thread(server.ask, "POST", path)
            assert status == 200, text
            reloads += 1
    await talking
    return reloads


def every_answer(folder, requests, connections=100):
    with serving(folder, "exact") as server:
        start = time.monotonic()
        reloads = asyncio.run(talk_all(server, requests, connections))
        seconds = time.monotonic() - start
    return (
        f"{requests:,} requests over {connections} connections, each with another input, every answer compared: all "
        f"right, {requests / seconds:,.0f} a second together with the client, which runs on the same CPUs; the model "
        f"was loaded anew {reloads:,} times meanwhile."
    )


def page(rows, answers, arguments):
    """Return the page."""
    lines = [
        f"""\
# `tvmgo serve` under load

`make test-serving` asks [the server](../guide/inference_protocol.md), and the same server with ONNX Runtime in tvmgo's
place, by wrk over REST, a tensor of bytes in each request, all on one machine. The two take turns, and are started anew
for each of {arguments.rounds} rounds of {arguments.seconds} s, of which these are medians. `mlp` has layers of 784, 512, 512 and 10, and a row in each request, which `tvmgo serve`
runs together; `mobilenet` takes an image. CPU is the server's, for each request.

{os.cpu_count()} CPUs, Python {platform.python_version()}, load average {arguments.busy:.1f} before the first round. Above 1 the machine had other work to
do: requests a second and latencies then tell little, CPU times still something.

| model | connections | requests/s | ONNX Runtime's | ratio | p50, ms | theirs | p99, ms | theirs | CPU, ms | theirs |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"""
    ]
    for model, count, mine, other, ratio, *times in rows:
        cells = [model, count, f"{mine:,.0f}", f"{other:,.0f}", f"{ratio:.2f}"]
        lines.append(
            "| " + " | ".join(map(str, [*cells, *(f"{each:.2f}" for each in times)])) + " |"
        )
    return "\n".join([*lines, "", answers, ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", default="1,8,64")
    parser.add_argument("--requests", type=int, default=1_000_000)
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("wrk is not installed; Debian's package wrk has it")
    arguments.busy = os.getloadavg()[0]
    connections = [int(each) for each in arguments.connections.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        rows = compare(folder, connections, arguments.rounds, arguments.seconds)
        answers = every_answer(folder, arguments.requests)
    PAGE.write_text(text := page(rows, answers, arguments))
    print(text)


if __name__ == "__main__":
    main()
