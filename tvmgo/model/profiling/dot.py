# SPDX-License-Identifier: Apache-2.0
"""Graphs in the language of Graphviz."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from tvmgo.exceptions import TVMValueError
from tvmgo.model.profiling.graph_nodes import Node
from tvmgo.model.profiling.profile import PREFIX, OperatorProfile

ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "&": "&amp;"}


def quoted(text: str) -> str:
    """Return a text as Graphviz reads it in quotes, where ``&`` would begin an HTML entity."""
    printable = (character if character >= " " or character == "\n" else "?" for character in text)
    return '"' + "".join(ESCAPES.get(each, each) for each in printable) + '"'


def chosen_batch(
    batch: int | None, sizes: Collection[int], profiled: Iterable[OperatorProfile]
) -> int:
    """Return a size: the one asked for, else the one with most time in the profile, or the least.

    Raises
    ------
    ValueError
        If there is no such size.
    """
    if batch is None:
        spent = dict.fromkeys(sorted(sizes), 0.0)
        for operator in profiled:
            if operator.batch in spent:
                spent[operator.batch] += operator.seconds
        return max(spent, key=lambda size: spent[size])
    if batch not in sizes:
        raise TVMValueError(f"batch: expected one of {sorted(sizes)}, got {batch!r}")
    return batch


def dot_of(
    name: str,
    nodes: Sequence[Node],
    heads: Sequence[Sequence[tuple[int, int]]],
    inputs: Collection[str],
    outputs: Sequence[str],
    profiled: Iterable[OperatorProfile],
) -> str:
    """Return a graph as DOT.

    Parameters
    ----------
    name : str
    nodes : sequence of Node
    heads : sequence of sequence of (int, int)
        For each output of the graph, which node, and which output of that, it is; several where
        one of them is.
    inputs : collection of str
        Names of placeholders that are no parameters.
    outputs : sequence of str
        Names of the outputs.
    profiled : iterable of OperatorProfile
        What is known of nodes.
    """
    times = {operator.node: operator for operator in profiled}
    lines = [
        f"digraph {quoted(name)} {{",
        '  node [shape=box, style=filled, fillcolor=white, fontname="sans-serif"];',
        '  edge [fontname="sans-serif", fontsize=10];',
    ]
    shown = set()
    for place, node in enumerate(nodes):
        if not node.function and node.name not in inputs:
            continue
        shown.add(place)
        lines.append(f"  n{place} [{attributes(node, times.get(place))}];")
        lines += [
            arrow(nodes, source, output, f"n{place}")
            for source, output in node.inputs
            if source in shown
        ]
    for number, writers in enumerate(heads):
        text = quoted(outputs[number] if number < len(outputs) else f"output {number}")
        lines.append(f"  out{number} [label={text}, shape=ellipse];")
        lines += [
            arrow(nodes, place, output, f"out{number}")
            for place, output in writers
            if place in shown
        ]
    return "\n".join([*lines, "}"]) + "\n"


def arrow(nodes: Sequence[Node], source: int, output: int, target: str) -> str:
    """Return an edge, which tells what the tensor is like if that is known."""
    outputs = nodes[source].outputs
    label = f" [label={quoted(str(outputs[output]))}]" if outputs else ""
    return f"  n{source} -> {target}{label};"


def attributes(node: Node, operator: OperatorProfile | None) -> str:
    name = node.name.removeprefix(PREFIX)
    if not node.function:
        return f"label={quoted(name)}, shape=ellipse"
    if operator is None:
        return f"label={quoted(name)}"
    mean = operator.seconds / operator.calls
    parts = [operator.label, f"{mean * 1e6:.2f} us, {operator.share:.1%}"]
    if operator.template:
        parts.append(operator.template)
    color = f"0.0 {operator.share:.3f} 1.0"  # hue, saturation, value
    return f"label={quoted(chr(10).join(parts))}, fillcolor={quoted(color)}"
