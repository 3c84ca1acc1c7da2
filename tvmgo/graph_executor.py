# SPDX-License-Identifier: Apache-2.0
"""Running a deployed graph: the Python side of ``tvm.graph_executor.create``.

Follows TVM's module of the same name (``graph_runtime`` up to TVM 0.7), so that deployment
scripts written for it go on working.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from tvmgo._core.array import Array
from tvmgo._core.bytearray import ByteArray
from tvmgo._core.device import Device, cpu
from tvmgo._core.function import Function
from tvmgo._core.module import Module
from tvmgo._core.timing import BenchmarkResult
from tvmgo._graph.making import make_executor
from tvmgo._graph.tensors import GraphTensors
from tvmgo.exceptions import TVMTypeError

__all__ = ["BenchmarkResult", "GraphModule", "create"]

_Module = TypeVar("_Module", bound="GraphModule")


def create(
    graph_json_str: str,
    libmod: Module,
    device: Device | str | Sequence[Device | str] | None = None,
    *,
    ctx: Device | str | Sequence[Device | str] | None = None,
) -> GraphModule:
    """Make an executor for a graph.

    Parameters
    ----------
    graph_json_str : str
        The text of ``deploy.json``.
    libmod : Module
        The library with the graph's operators, ``deploy.so``.
    device : Device or str, or a sequence of them, default ``cpu(0)``
        Where the graph runs; the first is the default for tensors the graph does not place.
    ctx : Device or str, or a sequence of them, optional
        `device` under its name up to TVM 0.7.

    Returns
    -------
    GraphModule

    Raises
    ------
    ValueError
        If the graph is malformed, lacks an operator, or `device` is no device; if the library is
        of another export than the graph, where both say of which they are.
    TypeError
        If an argument is of the wrong type.

    Notes
    -----
    Source: ``tvm.graph_executor.create`` (docs of the executor: ``tvmgo/cxx``).
    """
    return GraphModule(
        make_executor("tvm.graph_executor.create", graph_json_str, libmod, device, ctx)
    )


# What `rpc` offers for executors on other machines, by the kind of their modules.
_classes: dict[str, type[GraphModule]] = {}


def use_remote(kind: str, cls: type[GraphModule]) -> None:
    """Take the class of `rpc` for modules of a kind."""
    _classes[kind] = cls


def _lent(params_bytes: Any) -> ByteArray:
    try:
        return ByteArray(params_bytes)
    except TVMTypeError as error:
        raise TVMTypeError(str(error).replace("data", "params_bytes", 1)) from None


class GraphModule(GraphTensors):
    """A graph ready to run, with its inputs, outputs and parameters.

    Parameters
    ----------
    module : Module
        What ``tvm.graph_executor.create`` or the function ``default`` of a factory returned.

    Raises
    ------
    TypeError
        If `module` is the factory itself, or no module at all.

    Notes
    -----
    `__call__` may be used from any number of threads: each call is a request of its own, and they
    take turns. All else is for one thread at a time, and a call while another one runs raises
    `TVMBusyError`: what `set_input`, `run` and `get_output` do together, another thread could do in
    between. To run at the same time, give each thread an executor of its own; `clone` makes them
    without another copy of the parameters.

    Attributes
    ----------
    wait : bool, default True
        Whether a `__call__` that finds the executor busy waits; otherwise it raises `TVMBusyError`.
    """

    def __new__(cls, module: Module, *_: Any, **__: Any) -> GraphModule:
        if cls is GraphModule and isinstance(module, Module):
            return object.__new__(_classes.get(module.kind, cls))
        return object.__new__(cls)

    def __init__(self, module: Module) -> None:
        super().__init__(module)
        self.wait = True
        self._run = module["run"]
        self._run_from_inputs = module["strict.run_from_inputs"]

    def __call__(
        self, inputs: Mapping[int | str, Any] | None = None, /, **named: Any
    ) -> list[Array]:
        """Set inputs, run, and return all outputs, as one request that nothing comes between.

        Parameters
        ----------
        inputs : mapping of index or name to array-like, optional
            Values as for `set_input`, converted in the same way.
        **named : array-likes by name
            More of them.

        Returns
        -------
        list of Array
            The outputs in new memory, which nobody else has; each on the device where the graph
            makes it, mostly the CPU.

        Raises
        ------
        KeyError
            If the graph has no input of a name or index.
        ValueError, TypeError
            If a value does not fit. Whatever is wrong with one of the inputs, none is set.
        TVMBusyError
            If the call comes from within a run that would wait for it: from an operator of this
            very graph, or of another one that this graph's operators are waiting for. Or if the
            executor is busy and `wait` is False.
        KeyboardInterrupt
            If Ctrl-C comes while it waits for its turn.
        TVMError
            The error of the operator that failed, unchanged; the inputs are set then.

        Notes
        -----
        Threads are served in the order in which they come. Inputs that are not named keep the
        value they have, be it from another thread's call: name all but the parameters. A tensor
        that `set_output_zero_copy` has lent is written to as well.
        Releases the GIL while it waits and runs. Source: executor function ``run_from_inputs``.
        """
        if inputs is not None and not isinstance(inputs, Mapping):
            raise TVMTypeError(
                f"inputs: expected a mapping of names to values, got {type(inputs).__name__}"
            )
        values: dict[Any, Any] = {**(inputs or {}), **named}
        if inputs and len(values) != len(inputs) + len(named):
            both = next(name for name in named if name in inputs)
            raise TVMTypeError(f"inputs: got two values for input '{both}'")
        call = self._run_from_inputs if self.wait else self.module["strict.try_run_from_inputs"]
        outputs: list[Array] = list(call(*self._converted(values)))
        return outputs

    def run(self, /, **inputs: Any) -> None:
        """Run the graph once, after setting `inputs` as `set_input` does.

        Raises
        ------
        KeyError
            If the graph has no input of a name; none is set then.
        TVMError
            The error of the operator that failed, unchanged.

        Notes
        -----
        Releases the GIL. Work on other devices may still be queued when it returns; reading an
        output waits for it. Source: executor function ``run``.
        """
        if inputs:
            self._set_input(*self._converted(inputs))
        self._run()

    def load_params(self, params_bytes: bytes | bytearray | memoryview) -> None:
        """Copy parameters into the graph.

        Parameters
        ----------
        params_bytes : bytes-like
            The contents of ``deploy.params``. Names the graph does not have are skipped.

        Raises
        ------
        ValueError
            If the contents are malformed, or a parameter has another size, element type or shape
            than its input; the graph is left as it was. Types that compilers wrote for each other
            are equal (bool, uint1, int4 and int8; uint4 and uint8), and so are shapes that differ
            in dimensions of 1 only. Also if the file is of another export than the graph, where both
            say of which they are.
        TypeError
            If `params_bytes` is no C-contiguous buffer.

        Notes
        -----
        Source: executor function ``load_params``.
        """
        self.module["load_params"](_lent(params_bytes))

    def share_params(
        self, other: GraphModule, params_bytes: bytes | bytearray | memoryview
    ) -> None:
        """Use the parameters of another executor instead of a copy of them.

        Parameters
        ----------
        other : GraphModule
            An executor that has loaded the parameters.
        params_bytes : bytes-like
            The same contents; only the names are read.

        Raises
        ------
        TypeError
            If `other` is no executor.
        ValueError
            If the contents are malformed, or a tensor does not fit; nothing is shared then.

        Notes
        -----
        Source: executor function ``share_params``.
        """
        if not isinstance(other, GraphModule):
            raise TVMTypeError(f"other: expected a GraphModule, got {type(other).__name__}")
        self.module["share_params"](other.module, _lent(params_bytes))

    def clone(self) -> GraphModule:
        """Return another executor for the same graph, which shares the parameters.

        Returns
        -------
        GraphModule
            With the parameters as they are now: what `load_params` or a factory has set, and
            `set_input` and writes through a view have changed since. All else is as `create`
            leaves it: other inputs are zero, and what `set_input_zero_copy`, `share_params` and
            `set_output_zero_copy` have lent stays with this executor. `wait` and `copy` are as here.

        Raises
        ------
        TVMBusyError
            If this executor is running.

        Notes
        -----
        Shared are the graph, the kernels and the parameters' memory, all of which never changes;
        each executor has activations, inputs and outputs of its own. So either may go first, and
        each can run on a thread of its own at the same time. An executor that sets or loads a
        parameter, or hands it out by `get_input`, has its own copy of that one from then on: the
        others do not see what is written there.

        It costs the memory of the activations and the time to allocate it. Copied are only
        parameters that had been handed out before, and those whose memory operators use as well.
        Releases the GIL. Source: executor function ``clone``, which TVM's executor lacks.
        """
        return self._settle(GraphModule(self.module["clone"]()))

    def _settle(self, twin: _Module) -> _Module:
        """Give a clone what the user has set here."""
        twin.wait = self.wait
        twin.copy = self.copy
        return twin

    def __getitem__(self, key: str) -> Function:
        """Return a function of the executor's module."""
        return self.module[key]

    def benchmark(
        self,
        device: Device | str | None = None,
        func_name: str = "run",
        repeat: int = 5,
        number: int = 5,
        min_repeat_ms: int | None = None,
        limit_zero_time_iterations: int = 100,
        end_to_end: bool = False,
        cooldown_interval_ms: int = 0,
        repeats_to_cooldown: int = 1,
        **inputs: Any,
    ) -> BenchmarkResult:
        """Time the graph, without Python in between.

        Parameters
        ----------
        device : Device or str, default ``cpu(0)``
            Where the graph runs, as for `Module.time_evaluator`.
        func_name : str, default "run"
            Function of the executor to time.
        repeat : int, default 5
            How many means to take.
        number : int, default 5
            Runs per mean; raised until a repeat lasts `min_repeat_ms` milliseconds.
        min_repeat_ms : int, optional
            Default 0.
        limit_zero_time_iterations : int, default 100
            Give up raising `number` after that many readings of zero.
        end_to_end : bool, default False
            Time copying the inputs in and the outputs out as well.
        cooldown_interval_ms, repeats_to_cooldown : int
            Sleep that many milliseconds after every so many repeats.
        **inputs : array-likes by name
            Set before the runs.

        Returns
        -------
        BenchmarkResult

        Raises
        ------
        KeyError
            If the graph has no input of a name.

        Notes
        -----
        The timer is that of `Module.time_evaluator`, which answers Ctrl-C.
        """
        device = cpu(0) if device is None else Device(device)
        arguments = self._converted(inputs)
        self._set_input(*arguments)
        if end_to_end:
            func_name = "run_from_inputs"
            arguments = [device.device_type, device.device_id, *arguments]
        else:
            arguments = []
        timed = self.module.time_evaluator(
            func_name,
            device,
            number,
            repeat,
            min_repeat_ms or 0,
            limit_zero_time_iterations,
            cooldown_interval_ms,
            repeats_to_cooldown,
        )
        return timed(*arguments)
