# SPDX-License-Identifier: Apache-2.0
"""Looking into a graph: node by node, with what lies between, and what each operator costs.

Follows TVM's module of the same name (``debug_runtime`` up to TVM 0.7).
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Sequence
from typing import Any, TypeVar, overload

from tvmgo._core.array import Array
from tvmgo._core.device import Device
from tvmgo._core.module import Module
from tvmgo._core.registry import get_global_function
from tvmgo._core.timing import BenchmarkResult, read_times
from tvmgo._graph.host_values import copy_out
from tvmgo._graph.making import make_executor
from tvmgo.exceptions import TVMValueError
from tvmgo.graph_executor import GraphModule

__all__ = ["GraphModuleDebug", "create"]

_Target = TypeVar("_Target")


def create(
    graph_json_str: str,
    libmod: Module,
    device: Device | str | Sequence[Device | str] | None = None,
    dump_root: str | os.PathLike[str] | None = None,
    *,
    ctx: Device | str | Sequence[Device | str] | None = None,
) -> GraphModuleDebug:
    """Make an executor that can be looked into.

    Parameters
    ----------
    graph_json_str, libmod, device, ctx
        As for `tvmgo.graph_executor.create`, and with the same errors.
    dump_root : path, optional
        Folder for what `GraphModuleDebug.run` writes down.

    Returns
    -------
    GraphModuleDebug

    Notes
    -----
    Source: ``tvm.graph_executor_debug.create``.
    """
    module = make_executor("tvm.graph_executor_debug.create", graph_json_str, libmod, device, ctx)
    return GraphModuleDebug(module, device, graph_json_str, dump_root)


class GraphModuleDebug(GraphModule):
    """A graph ready to run, which shows what happens inside.

    Parameters
    ----------
    module : Module
        What ``tvm.graph_executor_debug.create`` or the function ``debug_create`` of a factory
        returned.
    device : Device or sequence of Device, optional
        Not used; TVM's class has it.
    graph_json_str : str, optional
        Needed for `dump_root`.
    dump_root : path, optional
        Folder for what `run` writes down.

    Notes
    -----
    Nodes are named by index or, except where names repeat, by name. What is timed runs many times:
    run the graph again before reading its outputs.
    """

    def __init__(
        self,
        module: Module,
        device: Device | str | Sequence[Device | str] | None = None,
        graph_json_str: str | None = None,
        dump_root: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(module)
        nodes = json.loads(graph_json_str)["nodes"] if graph_json_str is not None else []
        self._set_dump_root(dump_root, nodes)

    def _set_dump_root(self, dump_root: str | os.PathLike[str] | None, nodes: list[Any]) -> None:
        if dump_root is not None and not nodes:
            raise TVMValueError("dump_root: needs graph_json_str as well, for the nodes' names")
        self._dump_root = None if dump_root is None else os.fspath(dump_root)
        self._nodes = nodes

    def clone(self, dump_root: str | os.PathLike[str] | None = None) -> GraphModuleDebug:
        """Return another executor for the same graph, which shares the parameters.

        Parameters
        ----------
        dump_root : path, optional
            Folder for what the clone's `run` writes down. It does not take over this executor's,
            lest two threads write the same file.

        Returns
        -------
        GraphModuleDebug
            As `GraphModule.clone` describes it. No node counts as executed yet.

        Raises
        ------
        ValueError
            If there is a `dump_root`, but this executor was made without `graph_json_str`.
        TVMBusyError
            As for `GraphModule.clone`.
        """
        twin = self._settle(GraphModuleDebug(self.module["clone"]()))
        twin._set_dump_root(dump_root, self._nodes)
        return twin

    def run(self, /, **inputs: Any) -> None:
        """Run the graph once, after setting `inputs` as `set_input` does.

        With a `dump_root`, node by node: all outputs of all nodes are written to
        ``output_tensors.params`` there, under names like ``add0____topo-index:2____output-num:0``.
        It is a blob of parameters, which ``tvm.runtime.load_param_dict`` reads.
        """
        if self._dump_root is None:
            super().run(**inputs)
            return
        self._set_input(*self._converted(inputs))
        self.module["restart"]()  # execute_node does not run a node again that it ended with
        outputs = {}
        for index, node in enumerate(self._nodes):
            self.execute_node(index)
            attrs = node.get("attrs", node.get("attr", {}))
            for number in range(int(attrs.get("num_outputs", 1))):
                name = f"{node['name']}____topo-index:{index}____output-num:{number}"
                outputs[name] = self.get_node_output(index, number)
        os.makedirs(self._dump_root, exist_ok=True)
        blob = get_global_function("runtime.SaveParams")(outputs)
        with open(os.path.join(self._dump_root, "output_tensors.params"), "wb") as file:
            file.write(blob)

    @overload
    def debug_get_output(self, node: int | str, out: None = None) -> Array: ...
    @overload
    def debug_get_output(self, node: int | str, out: _Target) -> _Target: ...
    def debug_get_output(self, node: int | str, out: Any = None) -> Any:
        """Run the graph up to a node, inclusive, and return the node's first output.

        Parameters
        ----------
        node : int or str
            Index or name.
        out : Array or NumPy array, optional
            Copy the output there, of equal shape and element type, and return it.

        Returns
        -------
        Array
            The live output, not a copy: later nodes may overwrite it.

        Raises
        ------
        IndexError, KeyError
            If there is no such node.
        ValueError, TypeError
            If the node has no output, or `out` is of another shape or element type; `out` is left
            as it was.
        """
        if out is not None:
            return copy_out(self.module["strict.debug_get_output"], node, out)
        entry: Array = self.module["debug_get_output"](node)
        return entry

    def execute_node(self, node: int | str) -> None:
        """Run the graph from where the last call ended up to a node, inclusive.

        Starts again from the first node when `node` lies before that; does nothing when it is the
        same node.
        """
        self.module["execute_node"](node)

    def get_node_output(self, node: int | str, output: int = 0) -> Array:
        """Return a copy of an output of the node that `execute_node` ended with."""
        copy: Array = self.module["get_node_output"](node, output)
        return copy

    def run_individual(
        self,
        number: int,
        repeat: int = 1,
        min_repeat_ms: int = 0,
        limit_zero_time_iterations: int = 100,
        cooldown_interval_ms: int = 0,
        repeats_to_cooldown: int = 1,
    ) -> list[list[float]]:
        """Time each operator by itself.

        Parameters
        ----------
        number, repeat, min_repeat_ms, limit_zero_time_iterations, cooldown_interval_ms, \
repeats_to_cooldown : int
            As for `benchmark`, for each operator.

        Returns
        -------
        list of list of float
            For each node its `repeat` means, in seconds; zeros for inputs and parameters.
        """
        blob = self.module["run_individual"](
            number,
            repeat,
            min_repeat_ms,
            limit_zero_time_iterations,
            cooldown_interval_ms,
            repeats_to_cooldown,
        )
        (count,) = struct.unpack_from("=q", blob)
        times = struct.iter_unpack(f"={repeat}d", blob[8:])
        return [list(next(times)) for _ in range(count)]

    def run_individual_node(
        self,
        index: int | str,
        number: int = 10,
        repeat: int = 1,
        min_repeat_ms: int = 0,
        limit_zero_time_iterations: int = 100,
        cooldown_interval_ms: int = 0,
        repeats_to_cooldown: int = 1,
    ) -> BenchmarkResult:
        """Time one operator; parameters as for `run_individual`."""
        blob = self.module["run_individual_node"](
            index,
            number,
            repeat,
            min_repeat_ms,
            limit_zero_time_iterations,
            cooldown_interval_ms,
            repeats_to_cooldown,
        )
        return read_times(blob)

    def profile(self, collectors: Sequence[Any] | None = None, **inputs: Any) -> dict[str, Any]:
        """Run the graph once, after three runs to warm up, and time each call of an operator.

        Parameters
        ----------
        collectors : empty sequence, optional
            Today's runtime has no metric collectors.
        **inputs : array-likes by name
            Set before the runs.

        Returns
        -------
        dict
            ``calls``, a list of a dict for each operator in order of execution,
            ``device_metrics``, the sums for each device, and ``configuration``; the members of the
            report that TVM writes as JSON. Each figure is a dict of one item, with its unit as the
            key: ``report["calls"][0]["Duration (us)"]["microseconds"]``.
        """
        if inputs:
            self._set_input(*self._converted(inputs))
        report: dict[str, Any] = self.module["profile"](collectors)
        return report
