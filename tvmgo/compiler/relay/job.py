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
from tvmgo.compiler.relay.files import write_files
from tvmgo.compiler.relay.importing import from_onnx
from tvmgo.compiler.relay.target import resolve_target


def run(job: Mapping[str, Any], progress: Callable[[str], object]) -> dict[str, Any]:
    """Compile the job's ``model``, an ONNX file in the normal form.

    ``target`` is what users write, ``linker`` a C++ compiler and its options, ``directory`` where
    the files go, and ``tuning`` what `tuned_graph` is told, if anything.
    """
    target = resolve_target(job["target"])
    progress("importing the model")
    model = onnx.load(job["model"])
    inputs = len(model.graph.input)
    module = from_onnx(model, progress)
    del model

    progress(f"compiling for {target}")
    details = {}
    if tuning := job.get("tuning"):
        # AutoTVM is imported by those who tune alone.
        from tvmgo.compiler.relay.tuning.tuner import tuned_graph

        tuning = {**tuning, "folder": job["work"]}
        factory, details["tuning"] = tuned_graph(module, target, tuning, job["linker"], progress)
    else:
        factory = compile_graph(module, target, progress)
    del module

    progress("linking and writing")
    features = sorted(map(str, tvm.target.codegen.llvm_get_cpu_features(target)))
    number = write_files(factory, Path(job["directory"]), inputs, job["linker"], features)
    return {
        "target": str(target),
        "versions": {"tvm": tvm.__version__},
        "details": details,
        "model_id": number,
        "tensors": None,
    }
