# SPDX-License-Identifier: Apache-2.0
"""What the states of a model report to while it is profiled."""

from __future__ import annotations

from typing import Any

from tvmgo._core.registry import get_global_function
from tvmgo.exceptions import TVMBusyError
from tvmgo.graph_executor import GraphModule
from tvmgo.model.forks import ForkSafeLock, reset_in_children

MAX_EVENTS = 1_000_000  # calls that a trace shows; 32 MB

_create = get_global_function("tvmgo.profiler.create")


class Profiler:
    """One for each model; states of all its engines know it.

    Attributes
    ----------
    is_on : bool
        Whether runs that begin now are recorded.
    """

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._module = _create()
        self._run = self._module["run"]
        self._instrument = self._module["instrument"]
        self.is_on = False
        reset_in_children(self)

    def reset(self) -> None:
        """Stop at once: another thread, which a child does not have, may be about to record."""
        self._module["abandon"]()
        self.is_on = False

    def start(self, max_calls: int) -> None:
        """Record from now on, so many calls one by one, all in sums.

        Raises
        ------
        TVMBusyError
            If it is at it already.
        """
        with self._lock:
            if self.is_on:
                raise TVMBusyError("the model is being profiled already, and can be once at a time")
            self._module["start"](max_calls)
            self.is_on = True

    def stop(self) -> Any:
        """Return what was recorded, see ``cxx/profiling/profiler.h``."""
        with self._lock:
            self.is_on = False
            return self._module["stop"]()

    def watch_graph(self, executor: GraphModule, batch: int) -> None:
        """Have an executor report its runs, those of a graph for so many rows."""
        executor["strict.set_profiler"](self._module, batch)

    def watch_machine(self, machine: Any, on: bool) -> None:
        """Have a virtual machine report its calls, or no longer."""
        machine["set_instrument"](self._instrument if on else None)

    def run(self, function: Any, *values: Any) -> Any:
        """Call a function of a machine that reports its calls."""
        return self._run(function, *values)
