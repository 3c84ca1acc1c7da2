# SPDX-License-Identifier: Apache-2.0
"""One model for several numbers of rows: a graph and a library for each, one file of parameters."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tvmgo.compat import relay
from tvmgo.compiler.artifacts import Artifacts, artifacts_in, made_in, of_size
from tvmgo.compiler.attempts import Compiled, Progress, Request, compile_model
from tvmgo.compiler.frameworks.converting import convert
from tvmgo.compiler.frameworks.table import FRAMEWORKS
from tvmgo.compiler.graph.model_id import MODEL_ID
from tvmgo.compiler.graph.params import write_params
from tvmgo.compiler.manifests import SAME_ROW, write_manifest
from tvmgo.compiler.report import Report
from tvmgo.compiler.sources import Source
from tvmgo.compiler.tensor_files import write_tensors
from tvmgo.compiler.verify.running import run_files
from tvmgo.exceptions import ExportError, TVMTypeError, TVMValueError

DEFAULT = (1, 8, 32)
SECONDS = 600.0  # for the runs that show it


def batch_named(sizes: Sequence[int] | None) -> tuple[int, ...]:
    """Return the sizes that a user names, sorted."""
    if sizes is None:
        return ()
    if isinstance(sizes, str | bytes) or not isinstance(sizes, Sequence):
        raise TVMTypeError(f"batch: expected a sequence of ints, got {type(sizes).__name__}")
    if not sizes or any(type(size) is not int or size < 1 for size in sizes):
        raise TVMValueError(f"batch: expected ints, 1 or more each, got {tuple(sizes)!r}")
    return tuple(sorted(set(sizes)))


def compile_sizes(
    source: Source,
    request: Request,
    batch: tuple[int, ...],
    files: Artifacts,
    progress: Progress,
) -> Report:
    """Write all files of a model.

    Parameters
    ----------
    batch : tuple of int
        How many rows. Empty: `DEFAULT` if all that is open are first dimensions and the rows are
        independent, otherwise no batch.
    files : Artifacts
        Where those of the first size go, in a folder of their own.
    """
    folder = files.library.parent.absolute()  # for workers elsewhere
    source = converted(source.written(folder / "source"), request, batch, folder, progress)
    sizes = batch or DEFAULT
    if request.tuning is not None:
        request = replace(request, tuning=replace(request.tuning, sizes=len(sizes)))
    required = bool(batch)
    wants_graph = "graph" in request.formats
    if required and not wants_graph:
        raise TVMValueError('batch: expected format="graph" or "auto" with it, got "vm"')
    if request.inputs and not required:  # they say how many rows there are
        wants_graph = False
    first = for_rows(request, sizes[0], required) if wants_graph else request
    compiled = [compile_model(source, first, files, progress)]
    if not compiled[0].is_batched or compiled[0].report.format != "graph":
        return finish(files, compiled[0], request)
    folders = [files.library.parent]
    for rows in sizes[1:]:
        progress(f"once more for {rows} rows")
        folders.append(files.library.parent / f"rows_{rows}")
        folders[-1].mkdir()
        one = replace(for_rows(request, rows, required=True), formats=("graph",))
        compiled.append(compile_model(source, one, artifacts_in(folders[-1]), progress))
    difference = row_difference(sizes, folders, compiled, progress)
    if not (difference <= SAME_ROW or required):
        return without_batch(source, request, files, progress, told(difference))
    join(sizes, folders, compiled, difference, request)
    report = compiled[0].report
    said = f"{', '.join(map(str, sizes))} rows, which {told(difference)}"
    return replace(report, details={**report.details, "batch": said})


def converted(
    source: Source, request: Request, batch: Sequence[int], folder: Path, progress: Progress
) -> Source:
    """Return the ONNX model that a framework's becomes; others as they are."""
    if source.kind not in FRAMEWORKS:
        return source
    made, original = convert(
        source.kind,
        source.write(folder),
        request.shapes,
        request.inputs,
        next(iter(batch), None),
        folder / "converted",
        progress,
    )
    return Source("onnx", lambda _folder: made, original)


def told(difference: float) -> str:
    """Say of rows what a difference shows."""
    if math.isnan(difference):
        return "were not compared, for this machine cannot run them"
    return "are independent" if difference <= SAME_ROW else "depend on each other"


def for_rows(request: Request, rows: int, required: bool) -> Request:
    """Return what is asked for one size; values for inputs are for the size that they have."""
    fitting = all(value.shape[:1] == (rows,) for value in request.inputs.values())
    return replace(
        request,
        batch={"rows": rows, "required": required},
        inputs=request.inputs if fitting else {},
    )


def finish(files: Artifacts, compiled: Compiled, request: Request) -> Report:
    made = made_in(files, compiled.report.format)
    write_manifest(
        [made], [None], compiled.report, compiled.tensors, [compiled.model_id], request.shapes
    )
    return compiled.report


def without_batch(
    source: Source, request: Request, files: Artifacts, progress: Progress, rows: str
) -> Report:
    """Leave the number of rows open, which are not known to be independent, as `rows` says."""
    takes_vm = any(each.takes(source, "vm") for each in request.compilers)
    if "vm" not in request.formats or not takes_vm:
        raise ExportError(
            "the first dimension", f"it is open, and rows {rows}", "pass shapes={...}"
        )
    for path in (files.library, files.graph, files.params):
        assert path is not None
        path.unlink()
    open_rows = replace(request, formats=("vm",), batch=None)
    return finish(files, compile_model(source, open_rows, files, progress), request)


def row_difference(
    sizes: Sequence[int], folders: Sequence[Path], compiled: Sequence[Compiled], progress: Progress
) -> float:
    """Return how much a row's results differ between sizes and beside other rows.

    It is infinite where they cannot be compared, NaN where this machine cannot run the files.
    """
    if not all_first(sizes, compiled):
        return float("inf")
    progress("comparing rows between sizes")
    inputs = folders[0] / "work" / "rows.npz"
    write_tensors(inputs, made_up(compiled[-1].tensors["inputs"]))
    programs = [artifacts_in(folder) for folder in folders]
    job = {
        "sizes": [
            [rows, str(each.library), str(each.graph), str(each.params)]
            for rows, each in zip(sizes, programs)
        ],
        "inputs": str(inputs),
        "directory": str(inputs.parent),
    }
    answer = run_files(job, SECONDS)
    if "unloadable" in answer:
        return float("nan")
    return float("inf") if answer["difference"] is None else float(answer["difference"])


def all_first(sizes: Sequence[int], compiled: Sequence[Compiled]) -> bool:
    """Whether every input and output has one row for each of the size."""
    return all(
        each["shape"] and each["shape"][0] == rows
        for rows, one in zip(sizes, compiled)
        for tensors in one.tensors.values()
        for each in tensors
    )


def made_up(inputs: Sequence[Any]) -> dict[str, np.ndarray]:
    """Make values: floats of both signs, integers that any look-up allows."""
    numbers = np.random.default_rng(0)
    values = {}
    for each in inputs:
        dtype = np.dtype(each["dtype"])
        shape = each["shape"]
        floats = numbers.standard_normal(shape)
        values[each["name"]] = (floats if dtype.kind == "f" else floats > 0).astype(dtype)
    return values


def join(
    sizes: Sequence[int],
    folders: Sequence[Path],
    compiled: Sequence[Compiled],
    difference: float,
    request: Request,
) -> None:
    """Put the files of all sizes into the folder of the first, with one file of parameters."""
    union: dict[str, np.ndarray] = {}
    made = []
    for rows, folder in zip(sizes, folders):
        own = artifacts_in(folder)
        assert own.graph is not None and own.params is not None
        graph = json.loads(own.graph.read_text(encoding="utf-8"))
        renamed = add_params(union, own.params.read_bytes(), rows)
        for node in graph["nodes"]:
            if node["op"] == "null":
                node["name"] = renamed.get(node["name"], node["name"])
        text = json.dumps(graph, indent=1, ensure_ascii=False)  # as TVM's executors read it
        own.graph.write_text(text, encoding="utf-8")
        if folder is folders[0]:
            made.append(own)
            continue
        target = artifacts_in(folders[0])
        assert target.graph is not None
        placed = replace(
            target, library=of_size(target.library, rows), graph=of_size(target.graph, rows)
        )
        assert placed.graph is not None
        os.replace(own.library, placed.library)
        os.replace(own.graph, placed.graph)
        made.append(placed)
    ids = [each.model_id for each in compiled]
    assert made[0].params is not None
    with made[0].params.open("wb") as file:
        write_params(file.write, {**union, MODEL_ID: np.array(ids, "int64")})
    tensors = {
        kind: [open_first(sizes, each) for each in zip(*(one.tensors[kind] for one in compiled))]
        for kind in compiled[0].tensors
    }
    write_manifest(
        made,
        sizes,
        compiled[0].report,
        tensors,
        ids,
        request.shapes,
        row_difference=difference,
        kernels=[each.report.kernels for each in compiled],
    )


def open_first(sizes: Sequence[int], tensor: Sequence[Any]) -> dict[str, Any]:
    """Describe a tensor of all sizes, given as each describes it."""
    has_rows = all(each["shape"][:1] == [rows] for rows, each in zip(sizes, tensor))
    shape = ["batch", *tensor[0]["shape"][1:]] if has_rows else tensor[0]["shape"]
    return {**tensor[0], "shape": shape}


def add_params(union: dict[str, np.ndarray], blob: bytes, rows: int) -> dict[str, str]:
    """Add the parameters of a size that are not there yet; return those that got another name."""
    renamed = {}
    for name, value in relay.load_param_dict(blob).items():
        if name == MODEL_ID:
            continue
        array = value.numpy()
        if name in union and not same(union[name], array):
            renamed[name] = f"{name}_of_{rows}_rows"
        union.setdefault(renamed.get(name, name), array)
    return renamed


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return (one.dtype, one.shape) == (other.dtype, other.shape) and (
        one.tobytes() == other.tobytes()
    )
