# SPDX-License-Identifier: Apache-2.0
"""Exports one model by one compiler, holds it beside ONNX Runtime and times both.

    python -m tests.real_models.trial NAME COMPILER RESULT

Writes what became of it as JSON. A process for each, so that none disturbs the next.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ["TVM_NUM_THREADS"] = "1"  # before the runtime looks

import numpy as np
import onnx
import onnxruntime as ort

from tests.real_models.catalogue import MODELS
from tests.real_models.collect import path_of
from tvmgo.compiler import ExportError, export
from tvmgo.compiler.simplify.inference import infer
from tvmgo.compiler.simplify.shapes import fix_shapes
from tvmgo.compiler.simplify.truth import job as truth
from tvmgo.compiler.tensor_files import read_tensors, write_tensors
from tvmgo.compiler.verify.comparison import distances
from tvmgo.compiler.verify.job import open_files
from tvmgo.compiler.verify.running import run_files
from tvmgo.compiler.verify.verifier import Verifier

SECONDS = 4.0  # of measuring
ROUNDS = (5, 200)


def try_model(model, compiler, folder):
    path = path_of(model)
    shapes = {**{name: value.shape for name, value in model.given.items()}, **model.shapes}
    start = time.monotonic()
    try:
        files = export(
            path,
            folder / "files",
            compiler=compiler,
            target="native",
            shapes=shapes,
            verify=False,
        )
    except ExportError as error:
        return {"outcome": "refused", "reason": one_line(error)}
    found = {
        "compiler": files.report.compiler,
        "format": files.report.format,
        "seconds": time.monotonic() - start,
    }
    verifier = Verifier(
        ask=partial(truth.run, progress=lambda line: None),
        run=run_files,
        model=str(path),
        simple=str(write_simple(path, shapes, folder)),
        shapes=shapes,
        given=str(write_given(model, folder)),
        directory=folder,
        for_this_machine=True,
    )
    try:
        found["verdict"] = verifier.check(files)
    except ExportError as error:
        return {**found, "outcome": "wrong", "reason": one_line(error)}
    if found["verdict"].startswith("not"):
        return {**found, "outcome": "unknown", "reason": found["verdict"]}
    inputs, expected = read_tensors(folder / "inputs.npz"), read_tensors(folder / "outputs.npz")
    ours, session = open_files(files.library, files.graph, files.params), one_thread(path)
    found["outcome"] = "right"
    found["error"] = max(map(error_of, ours(inputs), expected.values()))
    found["ratio"] = ratio(lambda: ours(inputs), lambda: session.run(list(expected), inputs))
    return found


def one_line(error):
    return " ".join(f"{error.where}: {error.reason}".split())


def write_simple(path, shapes, folder):
    """Write the model with its shapes: enough to see what its inputs may hold."""
    simple = onnx.load(path)
    fix_shapes(simple, shapes)
    onnx.save(infer(simple), folder / "shaped.onnx")
    return folder / "shaped.onnx"


def write_given(model, folder):
    write_tensors(folder / "given", model.given)
    return folder / "given"


def error_of(got, expected):
    """Return the largest difference as a part of the largest number."""
    if got.shape != expected.shape:
        return float("inf")
    largest = float(np.max(np.abs(expected.astype(float)), initial=0.0)) or 1.0
    return float(distances(got, expected).max(initial=0.0)) / largest


def one_thread(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def ratio(ours, theirs):
    """Return the median of how much longer one takes than the other, in CPU time, in turns."""
    for call in (ours, theirs, ours, theirs):
        call()
    ratios, end = [], time.monotonic() + SECONDS
    while len(ratios) < ROUNDS[0] or (len(ratios) < ROUNDS[1] and time.monotonic() < end):
        ratios.append(cpu_time(ours) / cpu_time(theirs))
    return statistics.median(ratios)


def cpu_time(call):
    start = time.process_time()
    call()
    return time.process_time() - start


def main(name, compiler, result):
    (model,) = [each for each in MODELS if each.name == name]
    with tempfile.TemporaryDirectory() as folder:
        found = try_model(model, compiler, Path(folder))
    Path(result).write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
