# SPDX-License-Identifier: Apache-2.0
"""What reports tell of kernels: how each was made, and what it probably takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import tvm
from tvm import tirx

from tvmgo.compiler.graph.nodes import KERNEL_PREFIX, Graph, Node
from tvmgo.compiler.relax.kernel_attributes import IS_FLAT, OPERATIONS, TEMPLATE, TILE
from tvmgo.compiler.relax.schedule.costs import NANOSECONDS
from tvmgo.compiler.relax.schedule.expressions import nodes_of
from tvmgo.compiler.relax.templates.kernels.vectors import vector_unit

GENERIC = "generic schedule"
NONE = "as TVM wrote it"
OTHER = "template"  # one that does not say what it is

# A core as they are today, to tell what a kernel waits for. It begins so many operations in a
# nanosecond in each lane of a template's vectors, which are multiplications with additions, two at once.
TEMPLATE_RATE = 12.0
# The schedule reckons its operations for vectors of eight lanes.
GENERIC_RATE = 1 / NANOSECONDS / 8
# Bytes in a nanosecond: weights come from memory, values mostly from the second cache.
WEIGHTS_RATE = 15.0
VALUES_RATE = 50.0
CALL = 100.0  # nanoseconds, whatever a kernel does


def explain(
    graph: Graph,
    programs: Sequence[tuple[tvm.target.Target, Mapping[str, tirx.PrimFunc]]],
    foreign: Collection[str],
) -> list[dict[str, Any]]:
    """Tell of each kernel of a graph what `tvmgo.compiler.report.Kernel` has, costly ones first.

    Parameters
    ----------
    graph : Graph
    programs : sequence of (Target, mapping of str to PrimFunc)
        The kernels for each target, those that are reckoned with last.
    foreign : collection of str
        Functions that old runtimes cannot call.
    """
    calls: dict[str, list[Node]] = defaultdict(list)
    for node in graph.nodes:
        if node.function in programs[0][1]:
            calls[str(node.function)].append(node)
    records: list[dict[str, Any]] = []
    for symbol, nodes in calls.items():
        target, kernels = programs[-1]
        computing, loading = estimate(kernels[symbol], nodes, target)
        attributes = kernels[symbol].attrs
        records.append(
            {
                "name": symbol.removeprefix(KERNEL_PREFIX),
                "template": template_of(attributes),
                "tiles": {
                    name_of(each): str(made[symbol].attrs.get(TILE, "")) for each, made in programs
                },
                "calls": len(nodes),
                "tasks": tasks(kernels[symbol]),
                "operations": float(attributes.get(OPERATIONS, 0)),
                "bytes": sum(map(sum, map(traffic, nodes))),
                "share": max(computing, loading) + CALL * len(nodes),
                "bound": "compute" if computing >= loading else "memory",
                "classic": symbol not in foreign,
            }
        )
    total = sum(record["share"] for record in records)
    for record in records:
        record["share"] = round(record["share"] / total, 4)
    return sorted(records, key=lambda record: -record["share"])


def template_of(attributes: Mapping[str, Any]) -> str:
    unnamed = OTHER if IS_FLAT in attributes else GENERIC if OPERATIONS in attributes else NONE
    return str(attributes.get(TEMPLATE, unnamed))


def estimate(
    kernel: tirx.PrimFunc, nodes: Sequence[Node], target: tvm.target.Target
) -> tuple[float, float]:
    """Return how many nanoseconds all calls compute on one core, and how many they load."""
    rate = TEMPLATE_RATE if TEMPLATE in kernel.attrs else GENERIC_RATE
    computing = float(kernel.attrs.get(OPERATIONS, 0)) / (rate * vector_unit(target).lanes)
    loading = 0.0
    for node in nodes:
        weights, values = traffic(node)
        loading += weights / WEIGHTS_RATE + values / VALUES_RATE
    return computing * len(nodes), loading


def traffic(node: Node) -> tuple[int, int]:
    """Return the bytes of the weights, and of the other tensors, that a call reads or writes."""
    weights = sum(entry.spec.nbytes for entry in node.inputs if entry.node.is_placeholder)
    values = sum(entry.spec.nbytes for entry in node.inputs if not entry.node.is_placeholder)
    return weights, values + sum(spec.nbytes for spec in node.outputs)


def tasks(kernel: tirx.PrimFunc) -> int:
    """Return into how many tasks for threads a kernel is divided at most."""
    loops = nodes_of(kernel.body, tirx.For)
    found = [loop.extent for loop in loops if loop.kind == tirx.ForKind.PARALLEL]
    return max((int(each) for each in found if isinstance(each, tirx.IntImm)), default=1)


def name_of(target: tvm.target.Target) -> str:
    """Return the processor that a target is for."""
    return str(target.attrs.get("mcpu", target.kind.name))
