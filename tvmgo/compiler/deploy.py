# SPDX-License-Identifier: Apache-2.0
"""A model in, three files out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tvmgo.compiler.build import compile_kernels, find_linker, link
from tvmgo.compiler.frontend import import_model
from tvmgo.compiler.lower import build_graph
from tvmgo.compiler.params import write_params
from tvmgo.compiler.pipeline import lower_model
from tvmgo.compiler.storage import plan_storage, settle_reshapes
from tvmgo.compiler.target import resolve_target


class Artifacts(NamedTuple):
    """The three files of a deployed model."""

    library: Path
    graph: Path
    params: Path


def artifacts_in(directory: Path) -> Artifacts:
    return Artifacts(
        directory / "deploy.so", directory / "deploy.json", directory / "deploy.params"
    )


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
        An ONNX file, an ONNX model, or a Relax module whose entry is ``main``.
    directory : str or os.PathLike
        Made if missing. Files of an earlier export are replaced.
    target : str, dict or tvm.target.Target, optional
        Default: any CPU of this machine's architecture. ``"native"``: this machine's CPU and those
        with the same instructions. Classic strings such as ``"llvm -mcpu=skylake"`` are understood.
    shapes : mapping of str to sequence of int, optional
        Shapes of inputs; needed where the model leaves dimensions open.
    progress : callable, optional
        Called with one line of text as each step begins.

    Returns
    -------
    Artifacts
        Paths `library`, `graph` and `params`.

    Raises
    ------
    ExportError
        If a static graph cannot hold the model, or its kernels cannot be built; says which
        construct, where, and what to do instead.
    ValueError
        If `shapes` or `target` does not make sense for this model.
    ImportError
        If the model is ONNX and the package onnx is missing.
    FileNotFoundError
        If `model` is a path without a file.

    Notes
    -----
    The files of `directory` change only when everything has succeeded, each in one step, so that a
    failure leaves an earlier export as it was. The library gets a new inode: a process that has the
    old one open keeps it, and loading the path again gives the new one.

    Input names are kept. Outputs are in the model's order, nested ones flattened; their nodes carry
    the ONNX names where one node computes one output.
    Source: ``relay.build`` and ``export_library`` of TVM up to 0.19, which wrote these three files.
    """
    report = progress or (lambda line: None)
    chosen = resolve_target(target)
    linker = find_linker()

    report("importing the model")
    imported = import_model(model, shapes or {})
    report("folding constants and fusing operators")
    names = [output.name for output in imported.outputs]
    lowered = build_graph(lower_model(imported.module, chosen), names)
    graph = lowered.graph
    for output, head in zip(imported.outputs, graph.heads):
        output.check(head.spec)
    settle_reshapes(graph)
    storage = plan_storage(graph)
    report(f"compiling {len(lowered.kernels)} kernels for {chosen}")
    library = compile_kernels(lowered.kernels, chosen)

    report("linking and writing")
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    # Inside the target directory, because only within one file system a rename is one step.
    with tempfile.TemporaryDirectory(prefix=".export-", dir=directory) as scratch:
        fresh = artifacts_in(Path(scratch))
        link(library, fresh.library, linker)
        fresh.graph.write_text(graph.to_json(storage), encoding="utf-8")
        with fresh.params.open("wb") as file:
            write_params(file, graph.params)
        final = artifacts_in(directory)
        for source, destination in zip(fresh, final):
            os.replace(source, destination)
    return final
