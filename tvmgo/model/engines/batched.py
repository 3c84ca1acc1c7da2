# SPDX-License-Identifier: Apache-2.0
"""Models exported for several sizes of their batch, as one that takes any."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tvmgo.exceptions import TVMValueError
from tvmgo.model.arrays import ALIGNMENT, maker_of, zeros
from tvmgo.model.engines.graph import GraphEngine, GraphState
from tvmgo.model.profiling.profiler import Profiler
from tvmgo.model.tensor_info import TensorInfo

BATCH = "batch"  # how the open dimension is called where no manifest says it
MOST_PLANS = 4096  # that are remembered
MEASURED_RUNS = 3
NEVER: tuple[float, tuple[int, ...]] = (math.inf, ())  # what no sizes cost


class BatchedEngine:
    """Engines by their number of rows, and how rows are shared out among them.

    Parameters
    ----------
    engines : mapping of int to GraphEngine
    rows_independent : bool
        Whether a request may be split and filled up.
    """

    def __init__(self, engines: Mapping[int, GraphEngine], rows_independent: bool) -> None:
        self.engines = dict(sorted(engines.items()))
        for size, engine in self.engines.items():
            engine.batch = size
        self.rows_independent = rows_independent
        first = next(iter(self.engines.values()))
        self.inputs = tuple(map(_opened, first.inputs))
        self.outputs = tuple(map(_opened, first.outputs))
        self.model_id = first.model_id
        # Of one file, so that those of one name are the same.
        parameters = {k: v for each in self.engines.values() for k, v in each.parameters.items()}
        self.parameter_bytes = sum(parameters.values())
        self._plans: dict[tuple[int, bool], tuple[int, ...]] = {
            (size, may_fill): (size,) for size in self.engines for may_fill in (True, False)
        }
        self._costs: dict[int, float] = {}

    def new_state(self, threads: int, profiler: Profiler | None = None) -> BatchedState:
        """Return a state whose kernels use up to so many threads, and which a profiler can watch."""
        return BatchedState(self, threads, profiler)

    def plan(self, rows: int, state: BatchedState, may_fill: bool = True) -> tuple[int, ...]:
        """Return the sizes that together take so many rows in the least time.

        Raises
        ------
        ValueError
            If there must be a size for just so many rows, and is none, or if none may be filled up
            and they do not add up to so many rows.
        """
        if (rows, may_fill) in self._plans:
            return self._plans[rows, may_fill]
        if not self.rows_independent:
            raise TVMValueError(
                f"batch: expected {_or(self.engines)} rows, for which the model was exported, "
                f"got {rows}; its rows are not independent, so they cannot be split or filled up"
            )
        self.measure(state)
        plan = cheapest(self._costs, rows, may_fill)
        if plan is None:
            raise TVMValueError(
                f'copy="never": expected a number of rows that {_or(self.engines)} add up '
                f"to, for which the model was exported, got {rows}, which would have to be copied and filled up"
            )
        if len(self._plans) < MOST_PLANS:
            self._plans[rows, may_fill] = plan
        return plan

    def measure(self, state: BatchedState) -> None:
        """Have a state time each size, once."""
        self._costs = self._costs or {size: state.measure(size) for size in self.engines}


def _opened(info: TensorInfo) -> TensorInfo:
    return TensorInfo(info.name, (BATCH, *(info.shape or ())[1:]), info.dtype)


def _or(sizes: Iterable[int]) -> str:
    return " or ".join(map(str, sizes))


def cheapest(
    costs: Mapping[int, float], rows: int, may_fill: bool = True
) -> tuple[int, ...] | None:
    """Return the sizes, each as often as needed, that hold `rows` at the least sum of costs.

    None if one would have to be filled up, and must not be.
    """
    # More than these are whole runs of the size whose rows cost least.
    best_size = min(costs, key=lambda size: costs[size] / size)
    whole = max(0, (rows - 2 * max(costs)) // best_size)
    left = rows - whole * best_size
    cheapest_of: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]  # by rows
    for n in range(1, left + 1):
        cheapest_of.append(
            min(
                (
                    (
                        cheapest_of[max(0, n - size)][0] + cost,
                        (*cheapest_of[max(0, n - size)][1], size),
                    )
                    for size, cost in costs.items()
                    if may_fill or size <= n
                ),
                default=NEVER,
            )
        )
    cost, sizes = cheapest_of[left]
    # The one that is filled up comes last.
    return None if cost == math.inf else (best_size,) * whole + tuple(sorted(sizes, reverse=True))


class BatchedState:
    """States of the sizes that were needed so far; attributes as for one graph."""

    def __init__(
        self, engine: BatchedEngine, threads: int, profiler: Profiler | None = None
    ) -> None:
        self.owner = 0
        self.runs = 0
        self._engine = engine
        self._threads = threads
        self._profiler = profiler
        self._states: dict[int, GraphState] = {}
        self._padded = 0  # arrays, to fill up a size

    @property
    def copies(self) -> int:
        return self._padded + sum(state.copies for state in self._states.values())

    @property
    def activation_bytes(self) -> int:
        return sum(state.activation_bytes for state in self._states.values())

    def _state(self, size: int) -> GraphState:
        if size not in self._states:
            self._states[size] = self._engine.engines[size].new_state(self._threads, self._profiler)
        return self._states[size]

    def measure(self, size: int) -> float:
        """Return the seconds that a run of one size takes, which no profile counts."""
        state = self._engine.engines[size].new_state(self._threads)
        values = list(map(zeros, self._engine.engines[size].inputs))
        seconds, copies = [], state.copies
        for _ in range(MEASURED_RUNS):
            start = time.perf_counter()
            state.run(values)
            seconds.append(time.perf_counter() - start)
        state.copies = copies  # those of requests
        return min(seconds)

    def run(
        self, values: Sequence[Any], out: Sequence[Any] | None = None, may_copy: bool = True
    ) -> Sequence[Any]:
        """Return the outputs of all rows, in order; as for one graph."""
        self.runs += 1
        rows = values[0].shape[0]
        plan = self._engine.plan(rows, self, may_fill=may_copy)
        if plan == (rows,):
            return self._state(rows).run(values, out, may_copy)
        theirs = out is not None
        if out is None:
            out = [
                maker_of((rows, *info.shape[1:]), info.dtype)()  # type: ignore[index,arg-type]
                for info in self._engine.outputs
            ]
        starts = list(itertools.accumulate(plan, initial=0))
        cuts = [slice(start, min(start + size, rows)) for start, size in zip(starts, plan)]
        if not may_copy:  # seen before anything runs
            for cut in cuts:
                for info, value in zip(self._engine.inputs, values):
                    _require_usable(f"input {info.name!r}", cut, value[cut])
                for info, array in zip(self._engine.outputs, out if theirs else ()):
                    _require_usable(f"output {info.name!r}", cut, array[cut])
        for size, cut in zip(plan, cuts):
            part = [value[cut] for value in values]
            into = [array[cut] for array in out]
            if cut.stop - cut.start == size:
                self._state(size).run_into(part, into, may_copy, theirs)
            else:
                self._run_padded(size, part, into)
        return out

    def _run_padded(self, size: int, part: Sequence[Any], into: Sequence[Any]) -> None:
        count = part[0].shape[0]
        self._padded += len(part)
        padded = [
            np.concatenate([value, np.repeat(value[-1:], size - count, axis=0)]) for value in part
        ]
        for target, result in zip(into, self._state(size).run(padded)):
            target[...] = result[:count]


def _require_usable(name: str, cut: slice, rows: Any) -> None:
    """See that kernels can work on some of the rows where they lie."""
    memory = np.asarray(rows)
    if memory.ctypes.data % ALIGNMENT or not memory.flags.c_contiguous:
        raise TVMValueError(
            f'copy="never": {name}: rows {cut.start} to {cut.stop} run by themselves, and would have '
            f"to be copied: kernels need rows one after the other, from a multiple of {ALIGNMENT} "
            f"bytes on"
        )
