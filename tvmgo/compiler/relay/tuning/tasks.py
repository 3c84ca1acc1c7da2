# SPDX-License-Identifier: Apache-2.0
"""Which kernels of a program have a template of AutoTVM's, and how often the program calls them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import tvm
from tvm import autotvm, relay

Shapes = tuple[tuple[int, ...], ...]


def tasks_of(module: tvm.IRModule, target: tvm.target.Target) -> list[tuple[Any, int]]:
    """Return tasks, each with the number of calls."""
    calls = calls_of(module)
    tasks = autotvm.task.extract_from_program(module, params={}, target=target)
    return [(task, calls[shapes_of(task)] or 1) for task in tasks]


def calls_of(module: tvm.IRModule) -> Counter[Shapes]:
    """Count the operators of a program by the shapes of the two tensors that they multiply."""
    calls: Counter[Shapes] = Counter()

    def visit(node: Any) -> None:
        if isinstance(node, relay.Call) and isinstance(node.op, tvm.ir.Op) and len(node.args) > 1:
            types = [argument.checked_type for argument in node.args[:2]]
            if all(isinstance(each, relay.TensorType) for each in types):
                calls[tuple(tuple(map(int, each.shape)) for each in types)] += 1

    relay.analysis.post_order_visit(relay.transform.InferType()(module)["main"], visit)
    return calls


def shapes_of(task: Any) -> Shapes:
    tensors = [each[1] for each in task.args if isinstance(each, tuple) and each[:1] == ("TENSOR",)]
    return tuple(tensors[:2])
