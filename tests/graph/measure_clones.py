# SPDX-License-Identifier: Apache-2.0
"""What clones of an executor cost and give, measured with a compiled model.

TVM_NUM_THREADS=1 python -m tests.graph.measure_clones DIRECTORY

The directory holds deploy.json, deploy.so and deploy.params, as `make demo` leaves them.
"""

import ctypes
import gc
import json
import math
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import tvmgo

CLONES = 20
ROUNDS = 15
SECONDS = 5.0  # of each throughput measurement
WORKERS = 2


def creator(directory):
    """Return a function that makes an executor; the files have been read already."""
    text = (directory / "deploy.json").read_text()
    library = tvmgo.load_module(directory / "deploy.so")
    parameters = (directory / "deploy.params").read_bytes()

    def create():
        graph = tvmgo.graph_executor.create(text, library, tvmgo.cpu(0))
        graph.load_params(parameters)
        return graph

    return create


def milliseconds(call):
    start = time.perf_counter()
    result = call()
    return (time.perf_counter() - start) * 1e3, result


def activation_bytes(directory, graph):
    """The memory of the pools that hold no parameter."""
    document = json.loads((directory / "deploy.json").read_text())
    attrs, pools = document["attrs"], {}
    inputs = graph.get_input_info()[0]
    parameters = {
        attrs["storage_id"][1][document["node_row_ptr"][node]]
        for node in document["arg_nodes"]
        if document["nodes"][node]["name"] not in inputs
    }
    for shape, dtype, pool in zip(*(attrs[k][1] for k in ("shape", "dltype", "storage_id"))):
        if pool not in parameters:
            size = math.prod(shape) * tvmgo.DType(dtype).itemsize
            pools[pool] = max(pools.get(pool, 0), size)
    return sum(pools.values())


def runs_per_second(graph):
    count, start = 0, time.perf_counter()
    while time.perf_counter() < start + SECONDS:
        graph.run()
        count += 1
    return count / (time.perf_counter() - start)


def serve(directory, pipe):
    """A process of its own: measures whenever it is told to, and answers."""
    graph = creator(directory)()
    graph.run()
    pipe.send(None)
    while pipe.recv():
        pipe.send(runs_per_second(graph))


def with_threads(graphs):
    with ThreadPoolExecutor(len(graphs)) as pool:
        return sum(pool.map(runs_per_second, graphs))


def with_processes(pipes):
    for pipe in pipes:
        pipe.send(True)
    return sum(pipe.recv() for pipe in pipes)


def measure_time(directory):
    """Both ways of the allocator: memory new from the system, and memory used before."""
    create = creator(directory)
    for kept, what in (([], "all kept, so each gets fresh memory"), (None, "memory used before")):
        pairs = []
        for _ in range(ROUNDS):
            first, graph = milliseconds(create)
            clone, twin = milliseconds(graph.clone)
            pairs.append((first, clone))
            if kept is not None:
                kept += (graph, twin)
            del graph, twin
        first, clone = (statistics.median(column) for column in zip(*pairs))
        print(
            f"{what}: create and load_params {first:.2f} ms; clone {clone:.3f} ms; "
            f"1/{first / clone:.0f}"
        )


class Allocations(ctypes.Structure):
    """What the C library's mallinfo2 returns."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def allocated_bytes():
    """The bytes in use from malloc, whether they were touched or not."""
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = Allocations
    now = mallinfo2()
    return now.uordblks + now.hblkhd


def measure_memory(directory):
    graph = creator(directory)()
    graph.run()
    graph.clone().run()  # what the first run of a second one costs once
    gc.collect()
    before = allocated_bytes()
    clones = [graph.clone() for _ in range(CLONES)]
    for clone in clones:
        clone.run()
    each = (allocated_bytes() - before) / CLONES
    activations = activation_bytes(directory, graph)
    print(
        f"allocated bytes of a clone: {each / 1024:.1f} KiB; its activations: "
        f"{activations / 1024:.1f} KiB; more: {(each - activations) / 1024:.1f} KiB"
    )


def measure_throughput(directory):
    graph = creator(directory)()
    graphs = [graph, *(graph.clone() for _ in range(WORKERS - 1))]
    for each in graphs:
        each.run()
    context = get_context("spawn")
    pipes, processes = [], []
    for _ in range(WORKERS):
        here, there = context.Pipe()
        processes.append(context.Process(target=serve, args=(directory, there)))
        processes[-1].start()
        pipes.append(here)
    for pipe in pipes:
        pipe.recv()
    pairs = []
    for turn in range(ROUNDS):
        if turn % 2:  # who goes first alternates
            threads, both = with_threads(graphs), with_processes(pipes)
        else:
            both, threads = with_processes(pipes), with_threads(graphs)
        pairs.append((threads, both))
    for pipe, process in zip(pipes, processes):
        pipe.send(False)
        process.join()
    threads, both = (statistics.median(column) for column in zip(*pairs))
    ratios = sorted(a / b for a, b in pairs)
    print(
        f"runs per second of {WORKERS} threads: {threads:.1f}; of {WORKERS} processes: "
        f"{both:.1f}; median of the ratios: {statistics.median(ratios):.3f} "
        f"({ratios[0]:.3f} to {ratios[-1]:.3f})"
    )


def main():
    directory = Path(sys.argv[1])
    print(f"TVM_NUM_THREADS={os.environ.get('TVM_NUM_THREADS', 'unset')}")
    measure_time(directory)
    measure_memory(directory)
    measure_throughput(directory)


if __name__ == "__main__":
    main()
