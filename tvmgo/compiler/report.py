# SPDX-License-Identifier: Apache-2.0
"""What `export` tells of how it went."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

SHOWN = 5  # kernels in the printed report
UNTEMPLATED = ("generic", "as TVM")


@dataclass(frozen=True)
class Kernel:
    """A kernel, and what the model probably spends on it; `dataclasses.asdict` gives it for JSON.

    Time is estimated, not measured: from the operations and the bytes of all calls, for one core as
    they are today and the best of the processors. `GraphModule.profile` measures.

    Attributes
    ----------
    name : str
        As the graph's nodes and profiles have it.
    template : str
        What emitted it: ``"convolution"``, ``"Winograd convolution"``, ``"depthwise convolution"``,
        ``"transposed convolution"``, ``"product"``, ``"attention"``, ``"recurrence"``, ``"pool"``,
        ``"elementwise"``, ``"trees"``, ``"narrow product"`` (with short weights) and others;
        ``"generic schedule"`` if none did, and ``"as TVM wrote it"``
        if its loops were not understood, and so left.
    tiles : mapping of str to str
        By the processor that a clone of it is compiled for: how many rows times how many vectors of
        results it computes at once in registers; empty where it has no such tile.
    calls : int
        How often a run of the model calls it.
    tasks : int
        Into how many tasks its longest loop is divided for threads; 1 if it stays on one.
    operations : float
        On single numbers, in each call; 0 if not known.
    bytes : int
        Of all that its calls read and write.
    share : float
        Of the time of a run on one thread, from 0 to 1.
    bound : str
        ``"compute"`` or ``"memory"``: what it would wait for.
    classic : bool
        Whether runtimes of TVM 0.8 to 0.20 can call it, too.
    """

    name: str
    template: str
    tiles: Mapping[str, str]
    calls: int
    tasks: int
    operations: float
    bytes: int
    share: float
    bound: str
    classic: bool

    def __str__(self) -> str:
        tile = next((tile for tile in reversed(list(self.tiles.values())) if tile), "")
        parts = [self.template, f"tile {tile}" if tile else "", f"{self.bound} bound"]
        parts.append(f"{self.tasks} tasks" if self.tasks > 1 else "one thread")
        parts.append(f"{self.calls} calls" if self.calls > 1 else "")
        return f"{self.share:.0%} {self.name}: {', '.join(filter(None, parts))}"


@dataclass(frozen=True)
class Report:
    """How a model was exported; ``print`` shows it in a few lines.

    Attributes
    ----------
    compiler : str
        Which compiler made the files: ``"relax"`` or ``"relay"``.
    format : str
        ``"graph"`` (library, graph and parameters) or ``"vm"`` (one library).
    target : str
        What the kernels were compiled for, as TVM writes targets.
    verification : str
        What the exported model's results agree with, or ``not verified`` and why.
    versions : mapping of str to str
        The packages that took part.
    refusals : mapping of str to str
        Why other compilers or formats, which were tried first, could not take the model; by
        ``"compiler, format"``.
    details : mapping of str to str
        What else the compiler says.
    kernels : tuple of Kernel
        Those of the graph, which probably take longest first; empty for relay and the virtual machine.
    """

    compiler: str
    format: str
    target: str
    verification: str
    versions: Mapping[str, str]
    refusals: Mapping[str, str]
    details: Mapping[str, str]
    kernels: tuple[Kernel, ...] = ()

    def __str__(self) -> str:
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        processors = ", ".join(re.findall(r'"mcpu":"([^"]+)"', self.target)) or self.target
        lines = [f"compiled by {self.compiler} to format {self.format} for {processors}"]
        lines += [self.verification, f"with {versions}"]
        lines += [f"{name}: {text}" for name, text in self.details.items()]
        lines += [f"  {kernel}" for kernel in self.kernels[:SHOWN]]
        if generic := [each for each in self.kernels if each.template.startswith(UNTEMPLATED)]:
            share = sum(each.share for each in generic)
            lines.append(f"  {share:.0%} in kernels without a template: {len(generic)}")
        lines += [f"refused by {who}: {why}" for who, why in self.refusals.items()]
        return "\n".join(lines)
