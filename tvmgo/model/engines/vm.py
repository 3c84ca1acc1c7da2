# SPDX-License-Identifier: Apache-2.0
"""Models that are a library for the Relax virtual machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tvmgo._core.array import Array, array
from tvmgo._core.device import Device, cpu
from tvmgo._core.module import Module
from tvmgo._core.threads import num_threads
from tvmgo._native.forks import lock_that_forks_await
from tvmgo.exceptions import TVMError, TVMNotImplementedError, TVMValueError
from tvmgo.model.profiling.profiler import Profiler
from tvmgo.model.tensor_info import TensorInfo

MAIN = "main"

# The runtime's numbers for memory that goes back at once, and that is used again. The latter keeps
# what each size that ever came has taken, and has a lock that a fork may find taken; on a host it is no
# faster.
NAIVE, POOLED = 1, 2

# The runtime has locks here that a child would find taken.
_starting = lock_that_forks_await()


class VmEngine:
    """A library, of which any number of machines can be made; they have one copy of the weights.

    Parameters
    ----------
    library : Module
    device : Device
    """

    def __init__(self, library: Module, device: Device) -> None:
        self.parameter_bytes = 0  # inside the library; nothing tells how many
        name = "tvmgo_model_id"
        self.model_id: int | None = library[name]() if name in library else None
        self._library = library
        self._device = device
        machine = self._new_machine()
        try:
            count = machine["get_function_arity"](MAIN)
        except TVMError as error:
            raise TVMValueError(f"library: it has no function {MAIN!r}: {error}") from None
        name_of = machine["get_function_param_name"]
        self.inputs = tuple(TensorInfo(name_of(MAIN, i), None, None) for i in range(count))
        names = machine["output_names"]() if "output_names" in machine else ()
        self.outputs = tuple(TensorInfo(str(name), None, None) for name in names)

    def _new_machine(self) -> Module:
        device = self._device
        memory = NAIVE if device.device_type == cpu().device_type else POOLED
        with _starting:
            machine: Module = self._library["vm_load_executable"]()
            machine["vm_initialization"](device.device_type, device.device_id, memory)
        return machine

    def program(self) -> str:
        """Return the program as text."""
        text: str = self._library["as_text"]()
        return text

    def new_state(self, threads: int, profiler: Profiler | None = None) -> VmState:
        """Return a state whose kernels use up to so many threads, and which a profiler can watch."""
        return VmState(self._new_machine(), threads, profiler)


class VmState:
    """A machine of its own; attributes as for a graph's."""

    def __init__(self, machine: Module, threads: int, profiler: Profiler | None = None) -> None:
        self.owner = 0
        self.runs = 0
        self.copies = 0
        self.activation_bytes = 0  # the machine's memory is pooled, and nothing tells its size
        self._machine = machine
        self._main = machine[MAIN]
        self._threads = threads
        self._profiler = profiler
        self._is_watched = False

    def run(
        self, values: Sequence[Any], out: Sequence[Any] | None = None, may_copy: bool = True
    ) -> Sequence[Any]:
        """Return the outputs, nested ones flattened, as for a graph."""
        if not may_copy:
            raise TVMNotImplementedError('copy="never": the virtual machine copies its inputs')
        with num_threads(self._threads):
            # Copies: a result may be an input itself, and is the caller's for good.
            results = flatten(self._call(*map(array, values)))
        self.copies += len(values)
        self.runs += 1
        if out is None:
            return results
        if len(out) != len(results):
            raise TVMValueError(f"out: expected {len(results)} arrays, got {len(out)}")
        for target, result in zip(out, results):
            np.asarray(target)[...] = result
        return out

    def _call(self, *values: Array) -> Any:
        profiler = self._profiler
        if profiler is None:
            return self._main(*values)
        is_on = profiler.is_on
        if is_on != self._is_watched:
            profiler.watch_machine(self._machine, is_on)
            self._is_watched = is_on
        return profiler.run(self._main, *values) if is_on else self._main(*values)


def flatten(result: Any) -> list[np.ndarray[Any, Any]]:
    if isinstance(result, Array):
        return [np.asarray(result)]
    if isinstance(result, list | tuple):
        return [array for part in result for array in flatten(part)]
    return [np.asarray(result)]  # a number
