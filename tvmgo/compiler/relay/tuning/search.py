# SPDX-License-Identifier: Apache-2.0
"""What is tried of one kernel: its configuration today, the best known ones, and their children."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
from tvm import autotvm
from tvm.autotvm.measure import MeasureErrorNo, MeasureInput, MeasureResult
from tvm.autotvm.tuner import GATuner

Choices = Mapping[str, Any]  # of one configuration, by name

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
    default : mapping
        What the kernel has without tuning, of `default_of`.
    fits : callable, optional
        Whether a configuration goes with other kernels, given its choices by name. All others are
        left out, but for the default, which is timed to compare.
    """

    def __init__(
        self,
        task: Any,
        calls: int,
        known: Mapping[int, float],
        default: Choices,
        fits: Callable[[Choices], bool] | None = None,
    ) -> None:
        self.task = task
        self.calls = calls
        self.known = dict(known)
        self.batches = 0
        self.default = index_of(task.config_space, default)
        # A task of its own for the tuner: processes that build trials do not know what fits.
        searched = copy(task)
        searched.config_space = copy(task.config_space)
        if fits is not None:
            searched.config_space.multi_filter(fits)
        self.tuner = GATuner(searched, POPULATION, ELITE, MUTATION)
        first = sorted(filter(self.fits, self.known), key=self.known.__getitem__)
        if self.default is not None and self.fits(self.default):
            first.insert(0, self.default)
        self._begin_with(first)
        self._pending: list[Any] = []  # what the tuner has proposed and not been told of

    def fits(self, index: int) -> bool:
        return bool(self.tuner.space.is_index_valid(index))

    @property
    def is_begun(self) -> bool:
        """Whether the model can be compiled with something that has been tried."""
        return any(map(self.fits, self.known))

    @property
    def untuned(self) -> float:
        """Seconds of the configuration that the kernel has without tuning; NaN if not known."""
        return self.known.get(-1 if self.default is None else self.default, float("nan"))

    @property
    def best(self) -> float:
        """Seconds of the best configuration, which is that of today until one that fits is known."""
        fitting = [seconds for index, seconds in self.known.items() if self.fits(index)]
        return min(fitting, default=self.untuned)

    def propose(self, count: int) -> list[MeasureInput]:
        """Return trials of what is not known, that of today first; none when there is nothing left.

        The tuner gets what is known at once, and the rest by `take`.
        """
        if self.default is not None and self.default not in self.known:
            return [self._trial(self.task.config_space.get(self.default))]
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
        space, size = self.tuner.space, len(self.tuner.genes)
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


def default_of(task: Any) -> Choices:
    """Return the choices that a task has without tuning."""
    with autotvm.FallbackContext() as context, task.target:
        task.func(*task.args)
        chosen: Choices = context.query(task.target, task.workload)._entity_map
    return chosen


def index_of(space: Any, chosen: Choices) -> int | None:
    """Return the number of a configuration, None if the space does not have it."""
    point = []
    for name, options in space.space_map.items():
        wanted = chosen.get(name)
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
