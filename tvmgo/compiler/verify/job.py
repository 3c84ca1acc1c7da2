# SPDX-License-Identifier: Apache-2.0
"""The process in which exported files run, so that a crash of theirs is no crash of the user's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import tvmgo
from tvmgo.compiler.tensor_files import read_tensors, write_tensors


def run(job: Mapping[str, Any], progress: Callable[[str], object]) -> dict[str, Any]:
    """Run ``library``, ``graph`` and ``params`` on the tensors of the file ``inputs``.

    ``graph`` None is a library for the virtual machine. Results go to the file ``outputs``, under
    their positions.
    """
    library = tvmgo.load_module(job["library"])
    inputs = read_tensors(job["inputs"])
    results = (
        run_machine(library, inputs) if job["graph"] is None else run_graph(library, job, inputs)
    )
    write_tensors(job["outputs"], {str(index): value for index, value in enumerate(results)})
    return {}


def run_graph(
    library: Any, job: Mapping[str, Any], inputs: Mapping[str, np.ndarray]
) -> Sequence[np.ndarray]:
    text = Path(job["graph"]).read_text(encoding="utf-8")
    graph = tvmgo.graph_executor.create(text, library, tvmgo.cpu(0))
    graph.load_params(Path(job["params"]).read_bytes())
    known, _ = graph.get_input_info()
    for name, value in inputs.items():
        if name in known:  # one that no output needs may be gone
            graph.set_input(name, value)
    graph.run()
    return [graph.get_output(index).numpy() for index in range(graph.get_num_outputs())]


def run_machine(library: Any, inputs: Mapping[str, np.ndarray]) -> Sequence[np.ndarray]:
    machine = library["vm_load_executable"]()
    cpu = tvmgo.cpu(0)
    machine["vm_initialization"](cpu.device_type, cpu.device_id, 2)  # pooled memory
    return flatten(machine["main"](*map(tvmgo.array, inputs.values())))


def flatten(result: Any) -> list[np.ndarray]:
    if isinstance(result, tvmgo.Array):
        return [result.numpy()]
    return [value for part in result for value in flatten(part)]
