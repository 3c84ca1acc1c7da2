# SPDX-License-Identifier: Apache-2.0
"""Which operators of a model take how long."""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tvmgo.exceptions import TVMTypeError, TVMValueError
from tvmgo.made import Made
from tvmgo.model.files.manifest import KernelInfo
from tvmgo.model.profiling.graph_nodes import Tensor, inputs_of, nodes_of, tensors_of
from tvmgo.model.profiling.profiler import Profiler
from tvmgo.model.profiling.text_table import aligned
from tvmgo.model.profiling.trace import TraceEvent, write_trace

__all__ = ["OperatorProfile", "Profile"]

SHOWN = 40  # operators in the printed table
WIDTH = 48  # of names in the table
PREFIX = "tvmgen_default_"  # of kernels in graphs
BUILTINS = "vm.builtin."
MACHINE = "virtual machine"

Kernels = Mapping[int, Mapping[str, KernelInfo]]  # by rows, and by name


@dataclass(frozen=True)
class OperatorProfile:
    """What an operator has taken, in all its calls.

    Attributes
    ----------
    name : str
        Of the node in the graph; in a program of the virtual machine, of the function.
    kernel : str
        The function that it calls.
    batch : int or None
        In the graph for how many rows it is, if the model has several.
    node : int or None
        Its place in the graph.
    calls : int
    seconds : float
        Of all calls together, on whatever threads; without those of functions that it calls.
    share : float
        Of the time of all operators, from 0 to 1.
    min_seconds, max_seconds : float
        Of one call.
    inputs, outputs : tuple of str
        As in ``"float32 [1, 224, 224, 3]"``. For a program of the virtual machine, whose functions
        do not tell, all are inputs.
    bytes : int
        That a call reads and writes: those of all its tensors.
    template : str or None
        What emitted the kernel, see `tvmgo.compiler.report.Kernel`; ``"virtual machine"`` for what
        the machine does itself; None if nothing tells.
    bound : str or None
        What it was expected to wait for: ``"compute"`` or ``"memory"``.
    operations : float or None
        On single numbers, in a call.
    """

    __module__ = "tvmgo.model"

    name: str
    kernel: str
    batch: int | None
    node: int | None
    calls: int
    seconds: float
    share: float
    min_seconds: float
    max_seconds: float
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    bytes: int
    template: str | None
    bound: str | None
    operations: float | None

    @property
    def label(self) -> str:
        """The name, and the kernel if that does not tell it."""
        kernel = self.kernel.removeprefix(PREFIX)
        name = self.name.removeprefix(PREFIX)
        return name if name.startswith(kernel) else f"{name} ({kernel})"


class Profile(Made):
    """What a model did in a ``with`` block, operator by operator; ``print`` shows a table.

    Made by `Model.profile`. All runs count that begin and end in the block, on whatever thread.
    When the block has ended:

    Attributes
    ----------
    operators : tuple of OperatorProfile
        Those that were called, the costly ones first.
    runs : int
        How many runs there were; a request of many rows may take several.
    seconds : float
        Of all runs together: two at a time count twice.
    left_out : int
        Calls that `write_trace` does not show, because there were more than it keeps.
    """

    __module__ = "tvmgo"

    _made_by = "Model.profile"

    def _begin(
        self,
        name: str,
        profiler: Profiler,
        kernels: Callable[[], Kernels],
        ended: Callable[[Profile], None],
        max_events: int,
    ) -> None:
        if not isinstance(max_events, int) or isinstance(max_events, bool):
            raise TVMTypeError(f"max_events: expected an int, got {type(max_events).__name__}")
        if max_events < 0:
            raise TVMValueError(f"max_events: expected 0 or more, got {max_events}")
        self._name = name
        self._profiler = profiler
        self._kernels = kernels
        self._ended = ended
        self._max_events = max_events
        self._forget()

    def _forget(self) -> None:
        self.operators: tuple[OperatorProfile, ...] = ()
        self.runs = 0
        self.seconds = 0.0
        self.left_out = 0
        self._labels: dict[int, tuple[str, dict[str, Any]]] = {}  # by the profiler's numbers
        self._calls = b""
        self._start = 0
        self._threads: dict[int, str] = {}

    def __enter__(self) -> Profile:
        start = time.perf_counter_ns()
        self._profiler.start(self._max_events)
        self._forget()
        self._start = start
        return self

    def __exit__(self, *_: object) -> None:
        blocks, sums, self._calls, self.left_out = self._profiler.stop()
        self._threads = {
            thread.native_id: thread.name
            for thread in threading.enumerate()
            if thread.native_id is not None
        }
        rows = list(struct.iter_unpack("=4q", sums))
        self.runs, nanoseconds = rows[0][:2]
        self.seconds = nanoseconds / 1e9
        kernels = self._kernels()
        total = sum(row[1] for row in rows[1:])
        found = []
        for first, count, description in blocks:
            for place, known in enumerate(operators_of(count, description, kernels), first):
                calls, spent, least, most = rows[place]
                if not calls:
                    continue
                operator = OperatorProfile(
                    calls=calls,
                    seconds=spent / 1e9,
                    share=spent / total if total else 0.0,
                    min_seconds=least / 1e9,
                    max_seconds=most / 1e9,
                    **known,
                )
                found.append(operator)
                self._labels[place] = operator.label, trace_arguments(operator)
        self.operators = tuple(sorted(found, key=lambda each: -each.seconds))
        self._ended(self)

    def __repr__(self) -> str:
        return (
            f"<tvmgo.Profile of {self._name!r}: {self.runs} runs, "
            f"{len(self.operators)} operators, {self.seconds:.3g} s>"
        )

    def __str__(self) -> str:
        return self.table(SHOWN)

    def table(self, rows: int | None = None) -> str:
        """Return a table of the costly operators, of all if `rows` is None."""
        shown = self.operators[:rows]
        several = len({operator.batch for operator in self.operators}) > 1
        head = ["operator", "calls", "ms", "share", "us/call", "MB", "Gop/s", "template", "tensors"]
        cells = [["rows", *head]] + [
            [str(operator.batch), *cells_of(operator)] for operator in shown
        ]
        lines = aligned([row[not several :] for row in cells], range(1 + several, 7 + several))
        if others := self.operators[len(shown) :]:
            share = sum(operator.share for operator in others)
            lines.append(f"... and {len(others)} others: {share:.1%}")
        spent = sum(operator.seconds for operator in self.operators)
        part = f", {spent / self.seconds:.0%} of it in operators" if self.seconds else ""
        lines.append(f"{self.runs} runs, {self.seconds * 1e3:.4g} ms{part}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return it as a document for JSON, without single calls."""
        return {
            "runs": self.runs,
            "seconds": self.seconds,
            "operators": [asdict(operator) for operator in self.operators],
        }

    def write_trace(self, path: str | os.PathLike[str]) -> None:
        """Write each run, and each call in it, as a trace of Chrome's: JSON for chrome://tracing
        and https://ui.perfetto.dev.

        Times are microseconds from the begin of the block; threads are the system's.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        labels = {0: ("run", {}), **self._labels}
        events = (
            TraceEvent(*labels[place], "operator" if place else "run", thread, start, duration)
            for place, thread, start, duration in struct.iter_unpack("=4q", self._calls)
        )
        write_trace(path, self._name, events, self._start, self._threads, self.left_out)


def operators_of(count: int, description: Any, kernels: Kernels) -> Iterable[dict[str, Any]]:
    """Return what is known of the operations that a profiler describes together."""
    if isinstance(description[0], str):
        assert count == 1
        return [machine_function(*description)]
    batch, described = description
    nodes = nodes_of(described)
    known = kernels.get(batch, {})
    return [
        facts(
            node.name, node.function, inputs_of(nodes, node), node.outputs,
            known.get(node.function.removeprefix(PREFIX)), batch or None, place,
        )
        for place, node in enumerate(nodes)
    ]  # fmt: skip


def machine_function(name: str, arguments: Any) -> dict[str, Any]:
    template = MACHINE if name.startswith(BUILTINS) else None
    return {**facts(name, name, tensors_of(arguments)), "template": template}


def facts(
    name: str,
    kernel: str,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor] = (),
    info: KernelInfo | None = None,
    batch: int | None = None,
    node: int | None = None,
) -> dict[str, Any]:
    return {
        "name": name,
        "kernel": kernel,
        "batch": batch,
        "node": node,
        "inputs": tuple(map(str, inputs)),
        "outputs": tuple(map(str, outputs)),
        "bytes": sum(tensor.bytes for tensor in (*inputs, *outputs)),
        "template": info.template if info else None,
        "bound": info.bound if info else None,
        "operations": info.operations or None if info else None,
    }


def cells_of(operator: OperatorProfile) -> list[str]:
    rate = (operator.operations or 0) * operator.calls / max(operator.seconds, 1e-9) / 1e9
    tensors = ", ".join(operator.inputs)
    if operator.outputs:
        tensors += f" -> {', '.join(operator.outputs)}"
    return [
        shortened(operator.label),
        str(operator.calls),
        f"{operator.seconds * 1e3:.3f}",
        f"{operator.share:.1%}",
        f"{operator.seconds / operator.calls * 1e6:.2f}",
        f"{operator.bytes / 1e6:.3f}",
        f"{rate:.1f}" if rate else "-",
        ", ".join(filter(None, (operator.template, operator.bound))) or "-",
        tensors,
    ]


def shortened(name: str) -> str:
    """Return a name that fits into the table; most long ones differ at the end."""
    half = WIDTH // 2 - 1
    return name if len(name) <= WIDTH else f"{name[:half]}..{name[-half:]}"


def trace_arguments(operator: OperatorProfile) -> dict[str, Any]:
    """Return what a trace shows of each call."""
    known = {
        "inputs": ", ".join(operator.inputs),
        "outputs": ", ".join(operator.outputs),
        "template": operator.template,
    }
    return {name: value for name, value in known.items() if value}
