# SPDX-License-Identifier: Apache-2.0
"""What the worker does: a model in, the files of an export out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tvm

from tvmgo.compiler.graph.file_names import graph_files
from tvmgo.compiler.graph.graph_json import graph_to_json
from tvmgo.compiler.graph.model_id import MODEL_ID, model_id
from tvmgo.compiler.graph.nodes import Entry, Graph
from tvmgo.compiler.graph.params import write_params
from tvmgo.compiler.graph.places import plan_places
from tvmgo.compiler.graph.storage import (
    least_bytes,
    materialize_reshapes,
    plan_storage,
    planned_bytes,
)
from tvmgo.compiler.relax.codegen.build import compile_checks, compile_kernels, link
from tvmgo.compiler.relax.codegen.classic import needing_runtime, not_for_classic
from tvmgo.compiler.relax.codegen.gpu import write_gpu_library
from tvmgo.compiler.relax.codegen.levels import level_suffix
from tvmgo.compiler.relax.codegen.linking import linker_for
from tvmgo.compiler.relax.codegen.target import for_bytes, is_gpu, resolve_targets
from tvmgo.compiler.relax.explaining import explain, name_of
from tvmgo.compiler.relax.graph_builder import build_graph
from tvmgo.compiler.relax.importing.imported_model import DeclaredOutput, ImportedModel
from tvmgo.compiler.relax.importing.relax_module import import_relax
from tvmgo.compiler.relax.passes.pipeline import lower_to_kernels, simplify_model
from tvmgo.compiler.relax.passes.quantized.floats import products_of_floats
from tvmgo.compiler.relax.passes.quantized.sums import has_byte_products
from tvmgo.compiler.relax.vm_library import write_vm_library
from tvmgo.exceptions import ExportError


def run(job: Mapping[str, Any], progress: Callable[[str], object]) -> dict[str, Any]:
    """Compile the job's ``model``.

    ``kind`` says what that is: an ``"onnx"`` file in the normal form, or the folder of a
    ``"relax"`` module, whose symbolic dimensions ``shapes`` fixes. ``target`` is what users write,
    ``linker`` a C++ compiler and its options, ``format`` ``"graph"`` or ``"vm"``, ``directory`` where the files go,
    and ``work`` a folder for others.
    """
    targets = resolve_targets(job["target"])
    linker = linker_for(targets[0], job["linker"])
    progress("importing the model")
    imported = import_model(job)
    files = graph_files(Path(job["directory"]))
    if job["format"] == "vm":
        return write_vm(imported, targets[0], files[0], linker, progress)

    progress("folding constants")
    floats = products_of_floats(imported.module, imported.products)
    module = simplify_model(imported.module, targets[0])
    if is_gpu(targets[0]):
        progress(f"compiling for {targets[0]}")
        program = lower(module, imported.outputs, targets[0])
        written = write_for_gpu(program, targets[0], files, linker)
        return {**written, "tensors": imported.tensors}
    if has_byte_products(module):
        targets = for_bytes(targets)
    first, codes, explained, left_out = None, [], [], []
    work, has_levels = Path(job["work"]), len(targets) > 1
    for target in targets:
        progress(f"optimising for {name_of(target)}")
        program = lower(module, imported.outputs, target)
        first = first or program
        if not program.has_the_files_of(first):
            left_out.append(str(target.attrs["mcpu"]))
            continue
        progress(f"compiling {len(program.kernels)} kernels")
        suffix = level_suffix(target.attrs["mcpu"]) if has_levels else ""
        codes.append(compile_kernels(program.kernels, target, work, suffix, checked=has_levels))
        explained.append((target, program.kernels))
    assert first is not None
    checks = compile_checks(first.kernels, targets[0], work) if has_levels else None

    progress("linking and writing")
    number = link(codes, files[0], linker, first.identify, checks)
    write_graph(first, number, files)
    foreign = not_for_classic(first.graph, first.kernels)
    return {
        "target": "; ".join(str(code.target) for code in codes),
        "versions": {"apache-tvm": tvm.__version__},
        "details": {**details(first, foreign, left_out), **floats},
        "kernels": explain(first.graph, explained, foreign),
        "model_id": number,
        "tensors": imported.tensors,
    }


def write_for_gpu(
    program: Program, target: tvm.target.Target, files: Sequence[Path], linker: Sequence[str]
) -> dict[str, Any]:
    """Compile and write what runs on a GPU; old runtimes have another form of its code.

    Raises
    ------
    ExportError
        If the graph needs a function that only CPUs have, or compiling fails.
    """
    of_cpu = needing_runtime(program.graph, program.kernels)
    if of_cpu:
        raise ExportError(", ".join(of_cpu), "there is no such function for GPUs", 'use "llvm"')
    number = write_gpu_library(program.kernels, target, files[0], linker, program.identify)
    write_graph(program, number, files)
    return {
        "target": str(target),
        "versions": {"apache-tvm": tvm.__version__},
        "details": details(program, ["all"]),
        "kernels": [],
        "model_id": number,
    }


def write_graph(program: Program, number: int, files: Sequence[Path]) -> None:
    """Write the graph and its parameters with the number of the export."""
    _, graph, params = files
    graph.write_text(program.to_json(number), encoding="utf-8")
    with params.open("wb") as file:
        values = {**program.graph.params, MODEL_ID: np.array(number, "int64")}
        write_params(file.write, values)


def details(
    program: Program, foreign: Sequence[str], left_out: Sequence[str] = ()
) -> dict[str, str]:
    """Return what the report says besides.

    `foreign` is what old runtimes cannot run, `left_out` the processors that have no clones.
    """
    planned, least = program.block_bytes, least_bytes(program.graph)
    pools = planned_bytes(program.storage)
    told = {
        "kernels": str(len(program.kernels)),
        "memory for values": f"{planned:,} bytes, of which {least:,} are in use at once",
    }
    if pools > planned:
        told["memory for values in runtimes of TVM"] = f"{pools:,} bytes"
    if left_out:
        told["processors without kernels of their own"] = (
            f"{', '.join(left_out)}: their graph or parameters would be others"
        )
    if foreign:
        told["not for runtimes of TVM up to 0.20"] = ", ".join(foreign)
    return told


def write_vm(
    imported: ImportedModel,
    target: tvm.target.Target,
    path: Path,
    linker: Sequence[str],
    progress: Callable[[str], object],
) -> dict[str, Any]:
    """Write a library for the virtual machine; it has one level, the lowest."""
    if is_gpu(target):
        reason = "libraries for the virtual machine are for the CPU"
        raise ExportError(f"target {target.kind.name!r}", reason, 'use format="graph" or "llvm"')
    progress(f"compiling for the virtual machine and {target}")
    names = [output.name for output in imported.outputs]
    kernels, number = write_vm_library(imported.module, target, path, linker, names)
    return {
        "target": str(target),
        "versions": {"apache-tvm": tvm.__version__},
        "details": {"kernels": str(kernels)},
        "model_id": number,
        "tensors": imported.tensors,
    }


@dataclass(frozen=True)
class Program:
    """A model for one target, before its kernels are compiled."""

    graph: Graph
    storage: Mapping[Entry, int]
    places: Mapping[Entry, int]  # in a block of so many bytes; empty if each storage id is memory
    block_bytes: int
    kernels: Mapping[str, tvm.tirx.PrimFunc]
    device_type: int

    def to_json(self, number: int | None = None) -> str:
        return graph_to_json(self.graph, self.storage, self.places, number, self.device_type)

    def identify(self, objects: Iterable[bytes]) -> int:
        """Return the number of the export whose kernels' object files have this content."""
        return model_id(self.to_json(), self.graph.params, objects)

    def has_the_files_of(self, other: Program) -> bool:
        """Whether one graph and one set of parameters serve both."""
        if self is other:
            return True
        mine, others = self.graph.params, other.graph.params
        return (
            self.to_json() == other.to_json()
            and list(mine) == list(others)
            and all(mine[name].tobytes() == others[name].tobytes() for name in mine)
        )


def lower(
    module: tvm.IRModule, outputs: Sequence[DeclaredOutput], target: tvm.target.Target
) -> Program:
    lowered = build_graph(lower_to_kernels(module, target), [output.name for output in outputs])
    for output, head in zip(outputs, lowered.graph.heads):
        output.check(head.spec)
    materialize_reshapes(lowered.graph)
    storage = plan_storage(lowered.graph)
    places, nbytes = plan_places(lowered.graph)
    pools = planned_bytes(storage)
    if is_gpu(target) or nbytes >= pools:
        places, nbytes = {}, pools
    device_type = target.get_target_device_type()
    return Program(lowered.graph, storage, places, nbytes, lowered.kernels, device_type)


def import_model(job: Mapping[str, Any]) -> ImportedModel:
    keep_open = job["format"] == "vm"
    if job["kind"] == "onnx":
        # Here alone: who exports a Relax module need not have onnx.
        from tvmgo.compiler.relax.importing.onnx_model import import_onnx

        return import_onnx(job["model"], keep_open=keep_open)
    from tvmgo.compiler.relax.script import read_module

    shapes = {name: tuple(sizes) for name, sizes in job["shapes"].items()}
    return import_relax(read_module(Path(job["model"])), shapes, keep_open=keep_open)
