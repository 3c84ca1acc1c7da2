# SPDX-License-Identifier: Apache-2.0
"""Which kernels of a program have a template of AutoTVM's, how often the program calls them, and which
of their configurations go together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tvm
from tvm import autotvm, relay

from tvmgo.compiler.relay.tuning.search import Choices

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


# ---------------------------------------------------------------- what goes together


def agreement(
    tasks: Sequence[Any], defaults: Sequence[Choices]
) -> list[Callable[[Choices], bool] | None]:
    """Return of each task which configurations go with those of the others, None for any.

    A convolution reads and writes channels in blocks, of sizes that are part of its configuration,
    and where the next one wants other blocks the data are put in order again, which takes longer
    than any block can gain. So all write as they do without tuning, and read what is written.
    """
    blocked = [task if task.name in BLOCKED else None for task in tasks]
    written = {
        channels_of(task)[1]: block(default, "tile_oc")
        for task, default in zip(blocked, defaults)
        if task is not None
    }
    return [
        None if task is None else fitting(task, default, written)
        for task, default in zip(blocked, defaults)
    ]


BLOCKED = ("conv2d_NCHWc.x86", "depthwise_conv2d_NCHWc.x86")


def fitting(task: Any, default: Choices, written: Mapping[int, int]) -> Callable[[Choices], bool]:
    read, made = channels_of(task)
    wanted = {
        "tile_ic": written.get(read, block(default, "tile_ic")),
        "tile_oc": written[made],
    }
    return lambda choices: all(block(choices, name) == size for name, size in wanted.items())


def block(choices: Choices, name: str) -> int:
    return int(choices[name].size[-1])


def channels_of(task: Any) -> tuple[int, int]:
    """Return how many channels a convolution reads and writes."""
    data, kernel = shapes_of(task)
    return data[1], kernel[0] * (kernel[1] if task.name.startswith("depthwise") else 1)
