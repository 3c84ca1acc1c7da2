# SPDX-License-Identifier: Apache-2.0
"""Questions about what a model computes, answered by files of tensors."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper

from tvmgo.compiler.simplify.labels import as_numbers, has_labels
from tvmgo.compiler.simplify.shapes import shapes_with_inputs
from tvmgo.compiler.simplify.truth.changes import changed_runs
from tvmgo.compiler.simplify.truth.evaluation import (
    NoTruth,
    Run,
    evaluators_of,
    first_line,
    reference,
    refuse_random,
)
from tvmgo.compiler.simplify.truth.samples import STYLES, sample_inputs
from tvmgo.compiler.simplify.truth.sizes import sized_models
from tvmgo.compiler.simplify.weights import save_model
from tvmgo.compiler.tensor_files import read_tensors, write_tensors
from tvmgo.exceptions import TVMTypeError, TVMValueError

CHANGED_RUNS = 6
FLOAT32 = 1  # as ONNX Runtime numbers what products are to be computed in


def run(job: Mapping[str, Any], progress: Callable[[str], object]) -> dict[str, Any]:
    """Answer one of `QUESTIONS`; where there is no answer, ``unknown`` says why.

    Every job has the ``model``, the file as the user gave it, and the ``directory`` for the answer.
    """
    progress("running the model as it is")
    try:
        return QUESTIONS[job["question"]]({**job, "model": comparable(job)})
    except NoTruth as error:
        return {"unknown": str(error)}


def comparable(job: Mapping[str, Any]) -> str:
    """Return a file with the model as it is exported, which mostly is its own.

    Maps and strings are numbers, and what may be computed with bytes, but need not, is not.
    """
    outline = onnx.load(job["model"], load_external_data=False)
    if not has_labels(outline) and not may_round(outline):
        return str(job["model"])
    model = onnx.load(job["model"])
    as_numbers(model)
    may_round(model, forbid=True)
    path = Path(job["directory"], "comparable.onnx")
    save_model(model, path)
    return str(path)


def may_round(model: Any, *, forbid: bool = False) -> bool:
    """Whether products with weights of few bits may round what they multiply them with."""
    found = False
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "accuracy_level" and attribute.i > FLOAT32:
                found = True
                attribute.i = FLOAT32 if forbid else attribute.i
    return found


def results(job: Mapping[str, Any]) -> dict[str, Any]:
    """Run the model on the tensors in the file ``given`` or, for inputs not there, on made-up ones.

    ``shapes`` fix open dimensions; those that stay open get some size. ``simple`` is the model in the normal form.
    """
    name, directory = job["model"], Path(job["directory"])
    model = onnx.load(name, load_external_data=False)
    simple = onnx.load(job["simple"], load_external_data=False)
    refuse_random(model)
    given = read_tensors(job["given"]) if job.get("given") else {}
    sizes = {key: value.shape for key, value in given.items()}
    models = sized_models(model, shapes_with_inputs(model, job["shapes"], sizes))
    evaluator, inputs, outputs, seconds = first_answer(Path(name), list(models), simple, given)
    for key, value in outputs.items():
        if value.dtype.kind in "OUS":
            raise NoTruth(f"output `{key}` holds strings")
    write_tensors(directory / "inputs.npz", inputs)
    write_tensors(directory / "outputs.npz", outputs)
    return {
        "truth": evaluator,
        "inputs": str(directory / "inputs.npz"),
        "outputs": str(directory / "outputs.npz"),
        "seconds": seconds,
        "quantised": is_quantised(model),
    }


def first_answer(
    path: Path, models: Sequence[Any], simple: Any, given: Mapping[str, np.ndarray]
) -> tuple[str, dict[str, np.ndarray], dict[str, np.ndarray], float]:
    """Return who could run the model, on what, what came out, and the seconds that it took."""
    failures = []
    for evaluator, compute in evaluators_of(path):
        for model in models:
            try:
                return evaluator, *first_good_run(compute, model, simple, given)
            except NoTruth as error:
                failures.append(str(error))
    raise NoTruth(f"{failures[0]}; give inputs={{...}}")


def first_good_run(
    compute: Run, model: Any, simple: Any, given: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], float]:
    """Run on inputs of one style after another, until all numbers that come out are finite."""
    given = {name: fitted(name, value, model) for name, value in given.items()}
    best, failure = None, None
    for seed, style in enumerate(STYLES):
        inputs = {**sample_inputs(model, simple, style, seed), **given}
        start = time.monotonic()
        try:
            outputs = compute(inputs)
        except Exception as error:  # ONNX Runtime's classes have no common base
            failure = failure or first_line(error)
            continue
        found = finite_share(outputs), inputs, outputs, time.monotonic() - start
        if best is None or found[0] > best[0]:
            best = found
        if best[0] == 1 or len(given) == len(model.graph.input):
            break
    if best is None:
        if len(given) == len(model.graph.input):
            raise TVMValueError(f"inputs: the model cannot take them: {failure}")
        raise NoTruth(f"the model takes none of the made-up inputs ({failure})")
    if best[0] == 0:
        raise NoTruth("every number that comes out is NaN or infinite")
    return best[1:]


def finite_share(outputs: Mapping[str, np.ndarray]) -> float:
    """Return how many of the numbers are finite, from 0 to 1."""
    finite = total = 0
    for value in outputs.values():
        total += value.size
        if value.dtype.kind in "fcV":
            finite += int(
                np.isfinite(value.astype(complex if value.dtype.kind == "c" else float)).sum()
            )
        else:
            finite += value.size
    return finite / total if total else 1.0


def is_quantised(model: Any) -> bool:
    return any("Quantize" in node.op_type or "QLinear" in node.op_type for node in model.graph.node)


def fitted(name: str, value: np.ndarray, model: Any) -> np.ndarray:
    """Return a given value in the element type that the model declares.

    Raises
    ------
    TVMTypeError
        If it is of another kind, or a number does not fit.
    TVMValueError
        If its shape is not the one that was given besides.
    """
    (declared,) = (each.type.tensor_type for each in model.graph.input if each.name == name)
    shape = tuple(dim.dim_value for dim in declared.shape.dim)
    if value.shape != shape:
        raise TVMValueError(f"inputs[{name!r}]: expected shape {shape}, got {value.shape}")
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(declared.elem_type))
    if value.dtype == dtype:
        return value
    fits = np.can_cast(value.dtype, dtype, "same_kind")
    if not fits or (dtype.kind in "iu" and not np.array_equal(value.astype(dtype), value)):
        raise TVMTypeError(f"inputs[{name!r}]: expected element type {dtype}, got {value.dtype}")
    return value.astype(dtype)


def spread(job: Mapping[str, Any]) -> dict[str, Any]:
    """Run the model, changed as by rounding, on the tensors of ``inputs``: a file for each run."""
    model, inputs = onnx.load(job["model"]), read_tensors(job["inputs"])
    paths = []
    for number, outputs in enumerate(changed_runs(model, inputs, CHANGED_RUNS)):
        paths.append(str(Path(job["directory"], f"changed{number}.npz")))
        write_tensors(paths[-1], outputs)
    return {"runs": paths}


def second(job: Mapping[str, Any]) -> dict[str, Any]:
    """Ask onnx's reference evaluator for what ``inputs`` give."""
    path = Path(job["directory"], "second.npz")
    try:
        evaluator, compute = reference(Path(job["model"]))
        write_tensors(path, compute(read_tensors(job["inputs"])))
    except Exception as error:
        raise NoTruth(first_line(error)) from None
    return {"truth": evaluator, "outputs": str(path)}


QUESTIONS = {"results": results, "spread": spread, "second": second}
