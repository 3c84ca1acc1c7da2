# SPDX-License-Identifier: Apache-2.0
"""What a program of the Relax virtual machine computes of what, read from its text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from tvmgo.model.profiling.graph_nodes import Node
from tvmgo.model.profiling.profile import BUILTINS, OperatorProfile

CALL = re.compile(r"  call  (\S+)\s+in: (.*?)\s+dst: (\S+)$")
RETURN = re.compile(r"  ret\s+(\S+)$")
REGISTER = re.compile(r"%\d+")

Writers = set[int]  # places of nodes; several where branches meet


def read_program(
    text: str, function: str, inputs: Sequence[str]
) -> tuple[list[Node], list[list[tuple[int, int]]]]:
    """Return the values that a function works on as a graph, and who writes each result.

    Both sides of a branch are there. What the machine does for itself, such as computing sizes and
    allocating, is left out.

    Parameters
    ----------
    text : str
        Of the program, as its function ``as_text`` gives it.
    function : str
    inputs : sequence of str
        Names of its arguments.
    """
    nodes = [Node(name, "", (), ()) for name in inputs]
    writers: defaultdict[str, Writers] = defaultdict(set)  # by register
    writers.update({f"%{place}": {place} for place in range(len(inputs))})
    parts: dict[str, list[Writers]] = {}  # of registers that are tuples
    empty: set[str] = set()  # registers with tensors that nobody has written yet
    results: list[Writers] = []
    for line in body_of(text, function):
        if returned := RETURN.match(line):
            results = parts.get(returned[1], [writers[returned[1]]])
        call = CALL.match(line)
        if call is None:
            continue
        name, listed, result = call.groups()
        arguments = listed.split(", ")
        registers = list(dict.fromkeys(filter(REGISTER.fullmatch, arguments)))
        sources: Writers = set().union(*(writers[register] for register in registers))
        kind = name.removeprefix(BUILTINS)
        if kind == "copy":  # at the end of both sides of a branch
            writers[result] |= sources
        elif kind == "make_tuple":
            parts[result] = [writers[argument] for argument in arguments]
            writers[result] = sources
        elif kind == "tuple_getitem":
            known = parts.get(arguments[0])
            writers[result] = known[int(arguments[1][1:])] if known else sources
        elif kind == "alloc_tensor":
            writers[result] = set()
            empty.add(result)
        else:
            targets = [register for register in registers if register in empty]
            if REGISTER.fullmatch(result):
                empty.discard(result)
                writers[result] = set()
                targets = [result] if sources or kind == name else []
            if targets:
                nodes.append(Node(kind, name, tuple((each, 0) for each in sorted(sources)), ()))
                empty.difference_update(targets)
                writers.update((register, {len(nodes) - 1}) for register in targets)
    return nodes, [[(place, 0) for place in sorted(each)] for each in results]


def body_of(text: str, function: str) -> list[str]:
    """Return the instructions of a function."""
    _, found, rest = text.partition(f"@{function}:\n")
    return rest.partition("\n\n")[0].splitlines() if found else []


def of_nodes(profiled: Iterable[OperatorProfile], nodes: Sequence[Node]) -> list[OperatorProfile]:
    """Return for each node what all calls of its function have taken."""
    by_kernel: dict[str, OperatorProfile] = {}
    for each in profiled:
        known = by_kernel.get(each.kernel)
        by_kernel[each.kernel] = replace(
            each,
            calls=each.calls + (known.calls if known else 0),
            seconds=each.seconds + (known.seconds if known else 0.0),
            share=each.share + (known.share if known else 0.0),
        )
    return [
        replace(by_kernel[node.function], name=node.name, node=place)
        for place, node in enumerate(nodes)
        if node.function in by_kernel
    ]
