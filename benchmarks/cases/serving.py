# SPDX-License-Identifier: Apache-2.0
"""What a service does with a `Model`: many threads, requests at times of their own, batches, a cold start.

What is needed is imported when a case is prepared, as for the cases of `Model`.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.case import Case, Group, Target, Timed, at_most, constant, cost, equals, ratio

PROCESSES, P50, ROW_BY_ROW, ONNX_RUNTIME = "two processes", "its p50", "row by row", "ONNX Runtime"
THREADS = Group(
    "A model and many threads",
    "What does a request to MobileNet cost if eight threads share one model, on two cores?",
    "Two processes with a model each, to which the same requests are shared out.",
    processes=True,
)
OPEN_LOOP = Group(
    "A model under load",
    "MobileNet is asked at times that nobody chose (exponential, at 70 % of what can be served) by "
    "eight threads: in how many milliseconds are 99 % of the requests answered?",
    "The 50 % point of as many other requests; a session of ONNX Runtime with one thread, asked in "
    "the same way.",
    processes=True,
)
BATCHES = Group(
    "Rows of many threads",
    "What does a row cost that one of 64 threads sends through a `Batcher`?",
    "The same rows, each a call of the model. Three dense layers, (784, 512, 512, 10) or 4,096 wide: "
    "the weights of the second do not fit into a cache.",
    processes=True,
)
START = Group(
    "A cold start",
    "How long does a fresh process take to answer its first request to MobileNet?",
    "ONNX Runtime, with one thread; from the start of the process to the answer.",
    processes=True,
)
MEMORY = Group(
    "Another model of the same files",
    "How much memory does a second `Model` of MobileNet's files take in a process?",
    "nobody. The first has answered a request; a state of the second will add its activations.",
    processes=True,
)

TVMGO_CODE = """
import os, numpy, tvmgo
model = tvmgo.Model.load({folder!r}, threads=1)
assert model(numpy.zeros((1, 224, 224, 3), "float32")).shape == (1, 1001)
os._exit(0)
"""
SESSION_CODE = """
import os, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession({path!r}, options)
x = numpy.zeros((1, 224, 224, 3), "float32")
assert session.run(None, {{"input": x}})[0].shape == (1, 1001)
os._exit(0)
"""
SECOND_CODE = """
import numpy, tvmgo
x = numpy.zeros((1, 224, 224, 3), "float32")

def private_kib():
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))

first = tvmgo.Model.load({folder!r}, concurrency=1, threads=1)
first(x)
before = private_kib()
second = tvmgo.Model.load({folder!r}, concurrency=1, threads=1)
print(private_kib() - before)
"""


def mobilenet() -> Any:
    from benchmarks.networks import service

    return service.mobilenet()


def dense_layers(width: int) -> Any:
    from benchmarks.networks import service

    return service.dense_layers(width, 512)


@functools.cache
def open_loop() -> Any:
    from benchmarks.networks import service, traffic

    return traffic.OpenLoop(service.mobilenet())


def from_threads(rivals: Any) -> Timed:
    from benchmarks.networks import traffic

    return traffic.from_threads(rivals, rivals.model)


def by_processes(rivals: Any) -> Timed:
    from benchmarks.networks import traffic

    return traffic.by_processes(rivals)


def milliseconds(loop: Any, answer: Callable[[Any], Any], percent: float) -> Timed:
    return Timed(functools.partial(loop.milliseconds, answer, percent), lambda ms: ms > 0)


def batched(rivals: Any) -> Timed:
    import tvmgo
    from benchmarks.networks import traffic

    batcher = tvmgo.Batcher(rivals.model, max_batch=64)

    def answer(row: Any) -> Any:
        (result,) = batcher({"x": row}).values()
        return result

    return traffic.from_threads(rivals, answer, 64)


def row_by_row(rivals: Any) -> Timed:
    from benchmarks.networks import traffic

    return traffic.from_threads(rivals, rivals.model, 64)


def start(code: str) -> int:
    return subprocess.run([sys.executable, "-c", code], check=True).returncode


def starting(code: str) -> Callable[[Any], Timed]:
    return lambda rivals: Timed(
        functools.partial(start, code.format(folder=rivals.folder, path=str(rivals.path))),
        equals(0),
    )


def kib_of_second(rivals: Any) -> Timed:
    command = [sys.executable, "-c", SECOND_CODE.format(folder=rivals.folder)]

    def kib() -> int:
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    return Timed(kib, lambda kib: kib < 1 << 20)


CASES = (
    Case(
        *(THREADS, "MobileNet, eight threads", mobilenet),
        {"tvmgo": from_threads, PROCESSES: by_processes},
        (Target(ratio(PROCESSES, "tvmgo"), ">=", constant(0.95)),),
    ),
    Case(
        *(OPEN_LOOP, "MobileNet, 99 %", open_loop),
        {
            "tvmgo": lambda loop: milliseconds(loop, loop.rivals.model, 99),
            P50: lambda loop: milliseconds(loop, loop.rivals.model, 50),
            ONNX_RUNTIME: lambda loop: milliseconds(loop, loop.rivals.run_session, 99),
        },
        (at_most(3, P50), at_most(1, ONNX_RUNTIME)),
        unit="ms",
    ),
    *(
        Case(
            *(BATCHES, f"{width} wide", functools.partial(dense_layers, width)),
            {"tvmgo": batched, ROW_BY_ROW: row_by_row},
            (Target(ratio(ROW_BY_ROW, "tvmgo"), ">=", constant(5)),),
        )
        for width in (512, 4096)
    ),
    Case(
        *(START, "MobileNet", mobilenet),
        {"tvmgo": starting(TVMGO_CODE), ONNX_RUNTIME: starting(SESSION_CODE)},
        (at_most(0.7, ONNX_RUNTIME),),
    ),
    Case(
        *(MEMORY, "MobileNet", mobilenet),
        {"tvmgo": kib_of_second},
        (Target(cost("tvmgo"), "<=", constant(1024), "KiB"),),
        unit="KiB",
    ),
)
