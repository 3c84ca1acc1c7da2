# SPDX-License-Identifier: Apache-2.0
"""What is tried of one kernel: its configuration today, the best known ones, and their children."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tvm import autotvm
from tvm.autotvm.measure import MeasureErrorNo, MeasureInput, MeasureResult
from tvm.autotvm.tuner import GATuner

POPULATION = 16  # as few, because a kernel gets tens of trials
ELITE = 4
MUTATION = 0.2


class Search:
    """The search of one task.

    Parameters
    ----------
    task : tvm.autotvm.task.Task
    calls : int
        How often the model calls the kernel.
    known : mapping of int to float
        Seconds by configuration, of earlier trials.
    """

    def __init__(self, task: Any, calls: int, known: Mapping[int, float]) -> None:
        self.task = task
        self.calls = calls
        self.known = dict(known)
        self.batches = 0
        self.default = default_index(task)
        self.tuner = GATuner(task, POPULATION, ELITE, MUTATION)
        best = sorted(self.known, key=self.known.__getitem__)
        self._begin_with([self.default, *best] if self.default is not None else best)
        self._pending: list[Any] = []  # what the tuner has proposed and not been told of

    @property
    def untuned(self) -> float:
        """Seconds of the configuration that the kernel has without tuning; NaN if not known."""
        return self.known.get(-1 if self.default is None else self.default, float("nan"))

    @property
    def best(self) -> float:
        return min(self.known.values(), default=float("nan"))

    def propose(self, count: int) -> list[MeasureInput]:
        """Return trials of what is not known; none when there is nothing left.

        The tuner gets what is known at once, and the rest by `take`.
        """
        for _ in range(100):  # generations of which all is known
            self._pending = self.tuner.next_batch(count)
            new = {each.index: each for each in self._pending if each.index not in self.known}
            if new or not self._pending:
                return [self._trial(each) for each in new.values()]
            self._tell()
        return []

    def take(self, results: Mapping[int, float]) -> None:
        """Take the seconds of all that was proposed."""
        self.known.update(results)
        self._tell()
        self.batches += 1

    def _begin_with(self, indices: Sequence[int]) -> None:
        """Put configurations first in the tuner's first generation, in place of random ones."""
        space, size = self.task.config_space, len(self.tuner.genes)
        drawn = [space.knob2point(gene) for gene in self.tuner.genes]
        first = list(dict.fromkeys([*indices, *drawn]))[:size]
        self.tuner.genes = [space.point2knob(index) for index in first]
        self.tuner.visited = set(first)

    def _trial(self, config: Any) -> MeasureInput:
        return MeasureInput(self.task.target, self.task, config)

    def _tell(self) -> None:
        trials = [self._trial(config) for config in self._pending]
        self.tuner.update(trials, [result_of(self.known[each.config.index]) for each in trials])


def result_of(seconds: float) -> MeasureResult:
    code = MeasureErrorNo.NO_ERROR if np.isfinite(seconds) else MeasureErrorNo.UNKNOWN_ERROR
    return MeasureResult((seconds,), code, 0.0, 0.0)


def default_index(task: Any) -> int | None:
    """Return the number of the configuration that a task has without tuning, if it is in the space."""
    space = task.config_space
    with autotvm.FallbackContext() as context, task.target:
        task.func(*task.args)
        chosen = context.query(task.target, task.workload)
    point = []
    for name, options in space.space_map.items():
        wanted = chosen._entity_map.get(name)
        found = [i for i, each in enumerate(options.entities) if same(each, wanted)]
        if not found:
            return None
        point.append(found[0])
    index: int = space.knob2point(point)
    return index if space.is_index_valid(index) else None


def same(one: Any, other: Any) -> bool:
    """Whether two choices are one; the outermost part of a split may be left to TVM, as -1."""
    sizes, others = getattr(one, "size", None), getattr(other, "size", None)
    if sizes is not None and others is not None:
        return list(sizes[1:]) == list(others[1:])
    return type(one) is type(other) and repr(one) == repr(other)
