# SPDX-License-Identifier: Apache-2.0
"""Branches that are known, and loops of a known number of steps, without their loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tvmgo.compiler.simplify.branches import settle_branches
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, rewrite_graph, subgraphs
from tvmgo.compiler.simplify.inference import infer
from tvmgo.compiler.simplify.insertion import Copier
from tvmgo.compiler.simplify.reference import fold_by_reference, fold_node

# A loop becomes at most so many nodes; compilers need time for each.
MOST_NODES = 4096


def straighten(model: Any, *, keep_branches: bool = False) -> Any:
    """Put bodies in the place of If, Loop and Scan where constants say how often they run.

    Types and shapes of values should be known. With `keep_branches` what is left is made fit for
    who can choose a branch while the model runs.
    """
    while any(node.op_type in UNROLLED for node in model.graph.node):
        names = set(results_of(model.graph))
        model = infer(unroll_once(infer(fold_by_reference(model, every=True))))
        if set(results_of(model.graph)) != names:  # copies of nodes have new ones, at any depth
            continue
        if not (keep_branches and settle_branches(model)):
            break
        model = infer(model)
    return model


def results_of(graph: Any) -> Iterator[str]:
    """Yield what nodes compute, in this graph and those inside."""
    for node in graph.node:
        yield from node.output
        for inner in subgraphs(node):
            yield from results_of(inner)


def unroll_once(model: Any) -> Any:
    def rewrite(proto: Any, editor: GraphEditor) -> bool:
        unroll = UNROLLED.get(proto.op_type) if proto.domain == "" else None
        before = len(editor.nodes)
        done = unroll is not None and unroll(Node(proto, 0), Steps(editor, model.opset_import))
        if not done:
            del editor.nodes[before:]
        return done

    rewrite_graph(model.graph, rewrite)
    return model


class Steps:
    """Adds copies of a graph to the graph around it, computing what is constant in them."""

    def __init__(self, editor: GraphEditor, opsets: Any) -> None:
        self.g = editor
        self.opsets = opsets
        self.nodes = 0

    def add(self, graph: Any, inputs: Sequence[str]) -> list[str] | None:
        """Return the names of the results; None if there are too many nodes."""
        self.nodes += len(graph.node)
        if self.nodes > MOST_NODES:
            return None
        copier = Copier(self.g, dict(zip((value.name for value in graph.input), inputs)))
        copier.copy_constants(graph)
        for node in copier.copied(graph.node):
            if not fold_node(node, self.g, self.opsets):
                self.g.nodes.append(node)
        return [copier.names.get(value.name, value.name) for value in graph.output]

    def give(self, names: Sequence[str], outputs: Sequence[str]) -> None:
        for name, output in zip(names, outputs):
            if output:
                self.g.add("Identity", [name], [output])

    def stack(self, parts: Sequence[str], axis: int, output: str) -> None:
        if output:
            axes = self.g.integers(axis)
            wide = [self.g.add("Unsqueeze", [part, axes]) for part in parts]
            self.g.add("Concat", wide, [output], axis=axis)


def take_branch(node: Node, steps: Steps) -> bool:
    condition = steps.g.constant(node.input(0))
    if condition is None:
        return False
    branch = "then_branch" if condition.reshape(-1)[0] else "else_branch"
    results = steps.add(node.attributes[branch], [])
    if results is None:
        return False
    steps.give(results, node.outputs)
    return True


def unroll_loop(node: Node, steps: Steps) -> bool:
    """A loop ends when its count is reached or its condition false, which must both be known."""
    g, body = steps.g, node.attributes["body"]
    count, condition = node.input(0), node.input(1)
    limit = g.constant(count)
    if count is not None and limit is None:
        return False
    carried = node.inputs[2:]
    series: list[list[str]] = []
    step = 0
    while limit is None or step < int(limit.reshape(-1)[0]):
        known = np.array(True) if condition is None else g.constant(condition)
        if known is None:
            return False
        if not known.reshape(-1)[0]:
            break
        true = condition or g.add_constant(True)
        results = steps.add(body, [g.add_constant(step, np.int64), true, *carried])
        if results is None:
            return False
        condition, *rest = results
        carried, scanned = rest[: len(carried)], rest[len(carried) :]
        series.append(scanned)
        step += 1
    outputs = node.outputs[len(carried) :]
    if not series and any(outputs):
        return False  # of no steps; their shape is not known here
    steps.give(carried, node.outputs)
    for parts, output in zip(zip(*series), outputs):
        steps.stack(parts, 0, output)
    return True


def unroll_scan(node: Node, steps: Steps) -> bool:
    """A step for each place of the scanned inputs, which all have as many."""
    g, body, read = steps.g, node.attributes["body"], node.attributes.get
    if len(body.input) != len(node.inputs):
        return False  # opset 8 has a batch around it, and lengths
    scanned: int = node.attributes["num_scan_inputs"]
    carried, inputs = node.inputs[:-scanned], node.inputs[-scanned:]
    shapes = [g.shape(name) or [] for name in inputs]
    axes = read("scan_input_axes") or [0] * scanned
    outputs = len(body.output) - len(carried)
    directions = read("scan_output_directions") or [0] * outputs
    output_axes = read("scan_output_axes") or [0] * outputs
    # An axis from the end needs the rank of the parts.
    if not all(shapes) or not shapes[0][axes[0]] or min(output_axes, default=0) < 0:
        return False
    count = shapes[0][axes[0]]
    backwards = read("scan_input_directions") or [0] * scanned
    series = []
    for step in range(count):
        places = [count - 1 - step if back else step for back in backwards]
        parts = [
            g.add("Gather", [name, g.add_constant(place, np.int64)], axis=axis)
            for name, place, axis in zip(inputs, places, axes)
        ]
        results = steps.add(body, [*carried, *parts])
        if results is None:
            return False
        carried = results[: len(carried)]
        series.append(results[len(carried) :])
    steps.give(carried, node.outputs)
    for each, axis, back, output in zip(
        zip(*series), output_axes, directions, node.outputs[len(carried) :]
    ):
        steps.stack(each[::-1] if back else each, axis, output)
    return True


UNROLLED = {"If": take_branch, "Loop": unroll_loop, "Scan": unroll_scan}
