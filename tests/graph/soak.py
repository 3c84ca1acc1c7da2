# SPDX-License-Identifier: Apache-2.0
"""Many threads on one executor: every input unique, every answer compared.

``python -m tests.graph.soak [requests]`` makes 100,000 requests from 24 threads.
"""

import json
import sys
import time

import numpy as np

import tvmgo
from tests.graphs import document, op, var
from tests.helpers import in_threads

PREFIX = "test_soak."
SHAPE = (8,)


def graph_of_two_inputs(create):
    """An executor of y = (x + w) * 2 and z = -x, whose kernels let other threads run between."""

    def add(x, w, out):
        np.asarray(out)[...] = np.asarray(x) + np.asarray(w)

    def double(x, out):
        time.sleep(0)
        np.asarray(out)[...] = np.asarray(x) * 2

    def negate(x, out):
        np.asarray(out)[...] = -np.asarray(x)

    for kernel in (add, double, negate):
        tvmgo.register_function(kernel, PREFIX + kernel.__name__, override=True)
    nodes = [
        var("x", SHAPE, "int64"),
        var("w", SHAPE, "int64"),
        op("add", ["x", "w"], SHAPE, "int64", name="sum", prefix=PREFIX),
        op("double", ["sum"], SHAPE, "int64", name="y", prefix=PREFIX),
        op("negate", ["x"], SHAPE, "int64", name="z", prefix=PREFIX),
    ]
    graph = create(json.dumps(document(nodes, ["y", "z"])), None, tvmgo.cpu(0))
    for kernel in (add, double, negate):
        tvmgo.remove_global_function(PREFIX + kernel.__name__)
    return graph


def serve(create, threads, requests):
    """Make that many requests from that many threads; raise on the first wrong answer or error."""
    graph = graph_of_two_inputs(create)

    def work(number):
        for request in range(number, requests, threads):
            x = np.arange(8) + 1000 * request
            w = np.full(SHAPE, request) ** 2
            y, z = graph(x=x, w=w)
            np.testing.assert_array_equal(y.numpy(), (x + w) * 2)
            np.testing.assert_array_equal(z.numpy(), -x)

    in_threads(work, threads)


def main():
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for create in (tvmgo.graph_executor.create, tvmgo.debug_executor.create):
        start = time.monotonic()
        serve(create, threads=24, requests=requests)
        seconds = time.monotonic() - start
        print(f"{create.__module__}: 24 threads, {requests:,} requests, all right, {seconds:.0f} s")


if __name__ == "__main__":
    main()
