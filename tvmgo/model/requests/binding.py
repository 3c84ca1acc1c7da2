# SPDX-License-Identifier: Apache-2.0
"""A request that is made again and again with the same memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tvmgo._core.array import Array
from tvmgo._graph.host_values import lendable
from tvmgo.made import Made
from tvmgo.model.engines.graph import GraphState

__all__ = ["Binding"]


class Binding(Made):
    """Inputs and outputs that a state of its own reads and writes at each `run`.

    Made by `Model.bind`. For one thread at a time; another's call meanwhile raises `TVMBusyError`.
    What is written into an input's array counts at the next `run`, which overwrites the outputs.

    Attributes
    ----------
    outputs : dict of str to array
        Where results appear, by name: the caller's arrays, else new Arrays, which like any show
        NumPy their memory by ``numpy.asarray``.
    """

    __module__ = "tvmgo"

    _made_by = "Model.bind"

    def _begin(self, outputs: dict[str, Any], run: Callable[[], object]) -> None:
        self.outputs = outputs
        self._run = run

    def run(self) -> None:
        """Run once, on what the inputs hold now.

        Raises
        ------
        TVMError
            The error of the operator that failed, unchanged.

        Notes
        -----
        Moves no data but what kernels cannot read or write where it lies. Releases the GIL.
        """
        self._run()


def bind_graph(
    state: GraphState,
    values: Sequence[Any],
    names: Sequence[str],
    out: Mapping[str, Any],
    may_copy: bool,
) -> Binding:
    """Make a binding of a graph's state.

    Parameters
    ----------
    state : GraphState
        Of which the binding is the only user.
    values : sequence of arrays
        Like the graph's inputs, in order.
    names : sequence of str
        Of the outputs, in order.
    out : mapping of str to array
        For outputs that the caller has memory for.
    may_copy : bool
        Whether arrays on which kernels cannot work are copied at each run.
    """
    executor = state.executor
    loans = [
        item for key, value in zip(state.keys, values) for item in (key, *lendable(value), may_copy)
    ]
    executor["strict.set_input_zero_copy"](*loans)
    outputs: dict[str, Any] = {}
    late: list[tuple[int, Array]] = []
    for index, name in enumerate(names):
        if name not in out:
            outputs[name] = executor.get_output(index)
            continue
        outputs[name] = out[name]
        try:
            executor.set_output_zero_copy(index, out[name])
        except ValueError:  # not aligned, not contiguous, or an input that is passed through
            if not may_copy:
                raise
            late.append((index, out[name]))
    run = executor["run"].prepare()
    if not late:
        return Binding._make(outputs, run)

    def run_and_copy() -> None:
        run()
        for index, array in late:
            executor.get_output(index, array)

    return Binding._make(outputs, run_and_copy)


def bind_any(
    state: Any,
    values: Sequence[Any],
    by_name: Callable[[Sequence[Any]], dict[str, Any]],
    out: Mapping[str, Any],
    may_copy: bool,
) -> Binding:
    """The same for other engines, whose states are given the arrays at each run.

    `by_name` gives outputs their names.
    """
    binding: Binding

    def run() -> None:
        for name, result in by_name(state.run(values, None, may_copy)).items():
            if name in out:
                out[name][...] = result
            else:
                binding.outputs[name] = result

    binding = Binding._make(dict(out), run)
    return binding
