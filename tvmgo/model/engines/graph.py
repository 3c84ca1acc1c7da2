# SPDX-License-Identifier: Apache-2.0
"""Models that are a graph: ``deploy.so``, ``deploy.json``, ``deploy.params``, or one factory."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from tvmgo._core.dtype import DType
from tvmgo._native.forks import lock_that_forks_await
from tvmgo.graph_executor import GraphModule
from tvmgo.model.arrays import maker_of
from tvmgo.model.profiling.profiler import Profiler
from tvmgo.model.tensor_info import TensorInfo

# An executor that is being cloned refuses another call, in a forked child for good.
_cloning = lock_that_forks_await()


class GraphEngine:
    """One graph with its parameters, of which any number of states can be made.

    Parameters
    ----------
    executor : GraphModule
        With its parameters. It is only cloned from now on, which this object alone may do.

    Attributes
    ----------
    batch : int
        For how many rows it is, where a model has several graphs; 0 where it has this one.
    """

    def __init__(self, executor: GraphModule) -> None:
        self._executor = executor
        self.batch = 0
        self.model_id: int | None = executor["strict.get_model_id"]()
        self._activation_bytes, *counts = executor["strict.count_bytes"]()
        self.parameters = dict(zip(counts[::2], counts[1::2]))  # bytes by name
        described = list(executor["strict.describe_inputs"]())
        self._keys = [index for *_, index in described]
        self.inputs = infos((name, shape, dtype) for name, shape, dtype, _ in described)
        outputs = list(executor["strict.describe_outputs"]())
        names = unique([name for name, *_ in outputs], [index for *_, index in outputs])
        self.outputs = infos(
            (name, shape, dtype) for name, (_, shape, dtype, _) in zip(names, outputs)
        )

    @property
    def parameter_bytes(self) -> int:
        return sum(self.parameters.values())

    def new_state(self, threads: int, profiler: Profiler | None = None) -> GraphState:
        """Return a state whose kernels use up to so many threads, and which a profiler can watch."""
        with _cloning:
            clone = self._executor.clone()
        if profiler is not None:
            profiler.watch_graph(clone, self.batch)
        state = GraphState(clone, self._keys, self.outputs, threads)
        state.activation_bytes = self._activation_bytes
        return state

    def describe(self) -> tuple[Any, Any]:
        """Return the nodes, for `nodes_of`, and of each output which node, and output of it, it is."""
        nodes, heads = self._executor["strict.describe_graph"]()
        return nodes, heads


def unique(names: Sequence[str], indexes: Sequence[int]) -> list[str]:
    """Tell outputs of one name apart: by their indexes, as the executor does, else by number."""
    for others in (indexes, range(len(names))):
        names = [
            f"{name}:{other}" if names.count(name) > 1 else name
            for name, other in zip(names, others)
        ]
    return list(names)


def infos(described: Iterable[tuple[str, Sequence[int], DType]]) -> tuple[TensorInfo, ...]:
    return tuple(TensorInfo(name, tuple(shape), DType(dtype)) for name, shape, dtype in described)


class GraphState:
    """What one request at a time works with: activations of its own.

    Attributes
    ----------
    executor : GraphModule
    keys : sequence of int
        The indexes by which its functions know the inputs.
    runs, copies : int
        How many requests it has served, and how many arrays these have copied because kernels
        could not work on them where they were.
    activation_bytes : int
        What its memory takes, without the parameters.
    owner : int
        The thread that has it, 0 for none.
    """

    def __init__(
        self,
        executor: GraphModule,
        keys: Sequence[int],
        outputs: Sequence[TensorInfo],
        threads: int,
    ) -> None:
        self.executor = executor
        self.keys = keys
        self.owner = 0
        self.runs = 0
        self.copies = 0
        self.activation_bytes = 0
        executor["strict.set_max_threads"](threads)
        self._run_into = executor["strict.run_into"]
        self._makers = [
            maker_of(info.shape, info.dtype)  # type: ignore[arg-type]  # a graph's are known
            for info in outputs
        ]
        self._one_to_one = len(keys) == len(outputs) == 1

    def run(
        self, values: Sequence[Any], out: Sequence[Any] | None = None, may_copy: bool = True
    ) -> Sequence[Any]:
        """Return the outputs, those of `out` if that is given.

        Parameters
        ----------
        values, out : sequences of arrays
            Like the graph's inputs and outputs, in order.
        may_copy : bool, default True
            Whether arrays may be copied that kernels cannot work on where they are.

        Raises
        ------
        ValueError
            If one would have to be, and must not.
        """
        is_callers = out is not None
        # The most usual case apart: general code costs a third of a microsecond more.
        if not self._one_to_one:
            out = out or [new() for new in self._makers]
            return self.run_into(values, out, may_copy, is_callers)
        out = out or [self._makers[0]()]
        copies = self._run_into(may_copy, is_callers, self.keys[0], values[0], out[0])
        if copies:
            self.copies += copies
        self.runs += 1
        return out

    def run_into(
        self, values: Sequence[Any], out: Sequence[Any], may_copy: bool, is_callers: bool
    ) -> Sequence[Any]:
        """The same, where `out` may be memory of ours, of which no copies are counted."""
        pairs = itertools.chain.from_iterable(zip(self.keys, values))
        self.copies += self._run_into(may_copy, is_callers, *pairs, *out)
        self.runs += 1
        return out
