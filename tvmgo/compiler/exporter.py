# SPDX-License-Identifier: Apache-2.0
"""A model in, three files out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tvmgo.compiler.artifacts import Artifacts, artifacts_in, staged_artifacts
from tvmgo.compiler.graph.graph_json import graph_to_json
from tvmgo.compiler.graph.model_id import MODEL_ID, model_id
from tvmgo.compiler.graph.params import write_params
from tvmgo.compiler.graph.storage import materialize_reshapes, plan_storage
from tvmgo.compiler.relax.codegen.build import compile_kernels, find_linker, link
from tvmgo.compiler.relax.codegen.target import resolve_target
from tvmgo.compiler.relax.graph_builder import build_graph
from tvmgo.compiler.relax.importing.importers import import_model
from tvmgo.compiler.relax.passes.pipeline import lower_to_kernels


def export(
    model: Any,
    directory: str | os.PathLike[str],
    *,
    target: Any = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    progress: Callable[[str], object] | None = None,
) -> Artifacts:
    """Compile a model into ``deploy.so``, ``deploy.json`` and ``deploy.params``.

    Parameters
    ----------
    model : str, os.PathLike, onnx.ModelProto or tvm.IRModule
        An ONNX file, an ONNX model, or a Relax module whose entry is ``main``. Not changed.
    directory : str or os.PathLike
        Made if missing, with its parents. Files of an earlier export are replaced.
    target : str, dict or tvm.target.Target, optional
        Default: any CPU of this machine's architecture. ``"native"``: this machine's CPU and those
        with the same instructions. Classic strings such as ``"llvm -mcpu=skylake"`` are understood.
    shapes : mapping of str to sequence of int, optional
        Shapes of inputs by name, in elements, at least 0 each; needed where the model leaves
        dimensions open. A dimension with a name has one size in all inputs.
    progress : callable, optional
        Called with one line of text as each step begins. What it raises ends the export.

    Returns
    -------
    Artifacts
        Paths `library`, `graph` and `params`, all inside `directory`.

    Raises
    ------
    ExportError
        If a static graph cannot hold the model, or its kernels cannot be built; says which
        construct, where, and what to do instead.
    TVMValueError
        If `shapes` or `target` does not make sense for this model.
    TVMTypeError
        If `model` is none of these, or one of `shapes` is no sequence of integers.
    TVMImportError
        If the model is ONNX and the package onnx is missing.
    TVMFileNotFoundError
        If `model` is a path without a file.
    OSError
        If `directory` cannot be made or written, as the system says it.

    Notes
    -----
    The files of `directory` change only when all three are complete, so that a failure leaves an
    earlier export as it was. Until then they are in a hidden directory inside it, ``.export-*``,
    which is deleted on failure too, as is a `directory` that was missing. Then each takes its place
    in one step, the library last. The library gets a new inode: a process that has the old one open
    keeps it, and loading the path again gives the new one.

    All three hold one number, derived from the content of all, by which the executor refuses files
    of two exports: of other weights, another model, or another target. Who opens the
    files of `directory` while they are replaced gets those of one export or that error.

    Input names are kept. Outputs are in the model's order, nested ones flattened; their nodes carry
    the ONNX names where one node computes one output. Weights are stored once each, however often
    the model uses them, and the same model gives the same three files every time.

    Other Python threads run meanwhile: TVM gives the GIL away while it works. What they print by
    `sys.stdout` while an ONNX model is imported is dropped, with what TVM's importer prints.
    Linking runs a C++ compiler in a process of its own: ``$CXX``, or the first one known on the
    path.

    Source: ``relay.build`` and ``export_library`` of TVM up to 0.19, which wrote these three files.
    """
    report = progress or (lambda line: None)
    chosen = resolve_target(target)
    linker = find_linker()

    report("importing the model")
    imported = import_model(model, shapes or {})

    report("folding constants and fusing operators")
    module = lower_to_kernels(imported.module, chosen)
    lowered = build_graph(module, [output.name for output in imported.outputs])
    graph = lowered.graph
    for output, head in zip(imported.outputs, graph.heads):
        output.check(head.spec)
    materialize_reshapes(graph)
    storage = plan_storage(graph)

    report(f"compiling {len(lowered.kernels)} kernels for {chosen}")
    library = compile_kernels(lowered.kernels, chosen)

    report("linking and writing")
    directory = Path(directory)
    with staged_artifacts(directory) as files:
        text = graph_to_json(graph, storage)
        number = link(library, files.library, linker, partial(model_id, text, graph.params))
        files.graph.write_text(graph_to_json(graph, storage, number), encoding="utf-8")
        with files.params.open("wb") as file:
            write_params(file.write, {**graph.params, MODEL_ID: np.array(number, "int64")})
    return artifacts_in(directory)
