# SPDX-License-Identifier: Apache-2.0
"""One export by Relay, in a worker process."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx

os.environ["TOPHUB_LOCATION"] = "NONE"  # no search for tuned schedules on the network

import tvm

from tvmgo.compiler.relay.build import compile_graph
from tvmgo.compiler.relay.failures import as_export_error
from tvmgo.compiler.relay.files import find_linker, write_files
from tvmgo.compiler.relay.importing import from_onnx
from tvmgo.compiler.relay.target import resolve_target
from tvmgo.exceptions import ExportError


def run(job: Mapping[str, Any], progress: Callable[[str], object]) -> dict[str, Any]:
    """Compile a model in normal form into the three files.

    Parameters
    ----------
    job : mapping
        ``model``: the path of the ONNX file; ``target``: str, dict or None; ``format``: "graph";
        ``directory``: where the files go, which exists.
    progress : callable
        Called with one line of text as each step begins.

    Returns
    -------
    dict
        ``target``: what the kernels are compiled for, ``versions``, and ``details``, of which there
        are none.

    Raises
    ------
    ExportError
        If TVM cannot compile the model, or would compute something else.
    TVMValueError
        If `target` does not make sense.
    """
    if job["format"] not in ("graph", "auto"):
        raise ExportError(f"format {job['format']!r}", "Relay writes graphs", 'use format="graph"')
    target = resolve_target(job["target"])
    linker = find_linker()
    progress("importing the model")
    with as_export_error(f"reading {job['model']}", instead="give an ONNX file"):
        model = onnx.load(job["model"])
    inputs = len(model.graph.input)
    module = from_onnx(model, progress)
    del model
    progress(f"compiling for {target}")
    factory = compile_graph(module, target, progress)
    del module
    progress("linking and writing")
    write_files(factory, Path(job["directory"]), inputs, linker)
    return {"target": str(target), "versions": {"tvm": tvm.__version__}, "details": {}}
