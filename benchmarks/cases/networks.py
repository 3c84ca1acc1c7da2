# SPDX-License-Identifier: Apache-2.0
"""Networks beside ONNX Runtime, with one thread and with two.

``python -m benchmarks.networks`` measures them in its own way and has a page of its own for them.
"""

from __future__ import annotations

from functools import partial

from benchmarks.case import Case, Group, at_most
from benchmarks.networks.catalogue import NETWORKS, Network
from benchmarks.networks.prepared import prepare

ONNX_RUNTIME = "ONNX Runtime"
V3 = "tvmgo, v3"
GROUPS = {
    threads: Group(
        f"Networks, {threads} thread{'s' * (threads > 1)}",
        "What does one run of a network take whose inputs are set?",
        "ONNX Runtime with all its optimisations, as many threads, and inputs and outputs bound.",
    )
    for threads in (1, 2)
}


def case(network: Network, threads: int) -> Case:
    rivals = {
        "tvmgo": lambda prepared: prepared.ours(threads),
        ONNX_RUNTIME: lambda prepared: prepared.theirs(threads),
    }
    if threads == 1:  # what processors without AVX-512 run, beside an ONNX Runtime that uses all
        rivals[V3] = lambda prepared: prepared.ours(threads, "v3")
    limit = at_most(network.limits[threads - 1], ONNX_RUNTIME)
    return Case(
        *(GROUPS[threads], network.name, partial(prepare, network.name), rivals, (limit,)),
        sample_ns=5e6,
    )


CASES = tuple(case(network, threads) for network in NETWORKS for threads in GROUPS)
