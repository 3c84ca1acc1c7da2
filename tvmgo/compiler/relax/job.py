# SPDX-License-Identifier: Apache-2.0
"""What the worker does: a model in, the files of an export out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tvm

from tvmgo.compiler.artifacts import artifacts_in
from tvmgo.compiler.graph.graph_json import graph_to_json
from tvmgo.compiler.graph.model_id import MODEL_ID, model_id
from tvmgo.compiler.graph.params import write_params
from tvmgo.compiler.graph.storage import materialize_reshapes, plan_storage
from tvmgo.compiler.relax.codegen.build import compile_kernels, link
from tvmgo.compiler.relax.codegen.target import resolve_target
from tvmgo.compiler.relax.graph_builder import build_graph
from tvmgo.compiler.relax.importing.imported_model import ImportedModel
from tvmgo.compiler.relax.importing.relax_module import import_relax
from tvmgo.compiler.relax.passes.pipeline import lower_to_kernels


def run(job: Mapping[str, Any], progress: Callable[[str], object]) -> dict[str, Any]:
    """Compile the job's ``model``.

    ``kind`` says what that is: an ``"onnx"`` file in the normal form, or the folder of a
    ``"relax"`` module, whose symbolic dimensions ``shapes`` fixes. ``target`` is what users write,
    ``linker`` a C++ compiler, and ``directory`` where the files go.
    """
    target = resolve_target(job["target"])
    progress("importing the model")
    imported = import_model(job)

    progress("folding constants and fusing operators")
    module = lower_to_kernels(imported.module, target)
    lowered = build_graph(module, [output.name for output in imported.outputs])
    graph = lowered.graph
    for output, head in zip(imported.outputs, graph.heads):
        output.check(head.spec)
    materialize_reshapes(graph)
    storage = plan_storage(graph)

    progress(f"compiling {len(lowered.kernels)} kernels for {target}")
    library = compile_kernels(lowered.kernels, target)

    progress("linking and writing")
    files = artifacts_in(Path(job["directory"]))
    text = graph_to_json(graph, storage)
    identify = partial(model_id, text, graph.params)
    number = link(library, files.library, job["linker"], identify, target)
    files.graph.write_text(graph_to_json(graph, storage, number), encoding="utf-8")
    with files.params.open("wb") as file:
        write_params(file.write, {**graph.params, MODEL_ID: np.array(number, "int64")})
    return {
        "target": str(target),
        "versions": {"apache-tvm": tvm.__version__},
        "details": {"kernels": str(len(lowered.kernels))},
    }


def import_model(job: Mapping[str, Any]) -> ImportedModel:
    if job["kind"] == "onnx":
        # Here alone: who exports a Relax module need not have onnx.
        from tvmgo.compiler.relax.importing.onnx_model import import_onnx

        return import_onnx(job["model"])
    from tvmgo.compiler.relax.script import read_module

    shapes = {name: tuple(sizes) for name, sizes in job["shapes"].items()}
    return import_relax(read_module(Path(job["model"])), shapes)
