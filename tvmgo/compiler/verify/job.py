# SPDX-License-Identifier: Apache-2.0
"""The process in which exported files run, so that a crash of theirs is no crash of the user's."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import tvmgo
from tvmgo.compiler.relax.codegen.levels import VARIABLE
from tvmgo.compiler.tensor_files import read_tensors, write_tensors
from tvmgo.compiler.verify.rows import difference_of_rows

# From values of inputs by name to outputs in their order.
Program = Callable[[Mapping[str, Any]], list[np.ndarray]]


def run(job: Mapping[str, Any], progress: Callable[[str], object]) -> dict[str, Any]:
    """Run ``library``, ``graph`` and ``params`` on the tensors of the file ``inputs``.

    A library with kernels for several levels of processors runs on each that this one has. Results
    go to files in the folder ``directory``, under their positions. The answer has the ``runs``, path
    by level; or ``unloadable``, and why, if the library cannot even be loaded.
    """
    if "sizes" in job:
        return compare_rows(job)
    library = Path(job["library"])
    reason = why_unloadable(library, job["graph"])
    if reason is not None:
        return {"unloadable": reason}
    inputs = read_tensors(job["inputs"])
    runs = {}
    for level in levels_of(library):
        os.environ[VARIABLE] = level
        own = Path(
            job["directory"], f"{level}.so"
        )  # another file, for the choice is made at its loading
        shutil.copy(library, own)
        results = open_files(own, job["graph"], job["params"])(inputs)
        runs[level] = str(own.with_suffix(".npz"))
        write_tensors(runs[level], {str(index): value for index, value in enumerate(results)})
    return {"runs": runs}


def compare_rows(job: Mapping[str, Any]) -> dict[str, Any]:
    """Hold rows of several ``sizes`` (rows, library, graph, parameters) beside each other.

    The answer's ``difference`` is that of the level where it is largest; None if results cannot be
    compared. Or it is ``unloadable``, and why.
    """
    _, library, graph, _ = job["sizes"][0]
    reason = why_unloadable(Path(library), graph)
    if reason is not None:
        return {"unloadable": reason}
    inputs = read_tensors(job["inputs"])
    differences: list[float | None] = []
    for level in levels_of(Path(job["sizes"][0][1])):
        os.environ[VARIABLE] = level
        programs = {}
        for rows, library, graph, params in job["sizes"]:
            own = Path(job["directory"], f"{level}_{rows}.so")
            shutil.copy(library, own)
            programs[rows] = open_files(own, graph, params)
        differences.append(difference_of_rows(programs, inputs))
    known = [each for each in differences if each is not None]
    return {"difference": max(known) if len(known) == len(differences) else None}


def why_unloadable(library: Path, graph: str | None) -> str | None:
    """Return why files cannot even be loaded here, None if they can."""
    try:
        tvmgo.load_module(library)
    except tvmgo.TVMError as error:
        return str(error)
    device = device_of(graph)
    return None if device.exist else f"this machine has no {device}"


def levels_of(library: Path) -> list[str]:
    """Return the levels that a library can run on here, the highest first."""
    try:
        highest = ctypes.c_int.in_dll(ctypes.CDLL(str(library)), "__tvmgo_cpu_level").value
    except ValueError:  # no such symbol: it has one level
        return ["only"]
    return [f"v{number}" for number in range(highest, 1, -1)]


def open_files(library: Path, graph: str | None, params: str | None) -> Program:
    """Return what runs the files; without a graph they are a library for the virtual machine."""
    module = tvmgo.load_module(library)
    if graph is None or params is None:
        return open_machine(module)
    text = Path(graph).read_text(encoding="utf-8")
    executor = tvmgo.graph_executor.create(text, module, device_of(graph))
    executor.load_params(Path(params).read_bytes())
    known, _ = executor.get_input_info()

    def run_graph(inputs: Mapping[str, Any]) -> list[np.ndarray]:
        # An input that no output needs may be gone.
        wanted: dict[int | str, Any] = {
            name: value for name, value in inputs.items() if name in known
        }
        return [output.numpy() for output in executor(wanted)]

    return run_graph


def device_of(graph: str | None) -> tvmgo.Device:
    """Return the device for which a graph was made; all of it is for one."""
    if graph is None:
        return tvmgo.cpu(0)
    attributes = json.loads(Path(graph).read_text(encoding="utf-8"))["attrs"]
    _, types = attributes.get("device_index", ("", [tvmgo.cpu(0).device_type]))
    return tvmgo.Device(types[0], 0)


def open_machine(module: Any) -> Program:
    machine = module["vm_load_executable"]()
    cpu = tvmgo.cpu(0)
    machine["vm_initialization"](cpu.device_type, cpu.device_id, 2)  # pooled memory
    main = machine["main"]

    def run_machine(inputs: Mapping[str, Any]) -> list[np.ndarray]:
        return flatten(main(*map(tvmgo.array, inputs.values())))

    return run_machine


def flatten(result: Any) -> list[np.ndarray]:
    if isinstance(result, tvmgo.Array):
        return [result.numpy()]
    return [value for part in result for value in flatten(part)]
