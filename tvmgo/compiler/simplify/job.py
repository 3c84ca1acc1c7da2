# SPDX-License-Identifier: Apache-2.0
"""What the worker does: an ONNX file in, one in the normal form out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx
import onnxruntime

from tvmgo.compiler.errors import REWRITE_OPERATOR, as_export_error
from tvmgo.compiler.simplify.expansions.table import WITH_KERNELS, rewrite_in
from tvmgo.compiler.simplify.labels import as_numbers
from tvmgo.compiler.simplify.shapes import dimensions_of, shapes_of_batch, shapes_with_inputs
from tvmgo.compiler.simplify.simplifier import simplify_in_place
from tvmgo.compiler.simplify.truth import job as truth
from tvmgo.compiler.simplify.weights import save_model


def run(job: Mapping[str, Any], progress: Callable[[str], object]) -> dict[str, Any]:
    """Write ``simple.onnx`` into the job's ``directory``, from the file ``model``.

    ``shapes`` has those of inputs that leave dimensions open, ``inputs`` those of values that were
    given for inputs; ``batch`` how many rows there are where first dimensions are open, if anything.
    For the ``format`` ``"vm"``, what ``shapes`` does not tell stays open. The ``compiler`` is who gets
    the file; whether it would be another one for other compilers, the result tells by ``others``. A job
    with a ``question`` asks for what the model computes.
    """
    if "question" in job:
        return truth.run(job, progress)
    progress("reading the model")
    name = job["model"]
    with as_export_error(f"reading {name}", instead="give an ONNX file"):
        model = onnx.load(name)
        if not model.HasField("graph"):  # of nothing, and of much else, protobuf makes a message
            raise ValueError("there is no graph in it")
    notes = as_numbers(model)
    keep_open = job["format"] == "vm"
    batch = None if keep_open else shapes_of_batch(model, job["shapes"], job["batch"])
    progress("making it simple")
    with as_export_error("simplifying the ONNX model", instead=REWRITE_OPERATOR):
        given = {} if keep_open else job["inputs"]
        shapes = shapes_with_inputs(model, batch or job["shapes"], given)
        for_kernels = job["compiler"] == "relax" and not keep_open
        # Nobody else has the model, and its weights need not be there twice.
        simple = simplify_in_place(model, shapes, {}, keep_open=keep_open, with_kernels=for_kernels)
    path = Path(job["directory"], "simple.onnx")
    save_model(simple, path)
    versions = {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__}
    others = for_kernels and any(rewrite_in(WITH_KERNELS, each) for each in simple.graph.node)
    return {
        "model": str(path),
        "versions": versions,
        "notes": notes,
        "others": others,
        "tensors": tensors_of(simple),
        "batched": batch is not None,
        "shapes": {name: list(shape) for name, shape in (batch or job["shapes"]).items()},
    }


def tensors_of(model: Any) -> dict[str, Any]:
    """Describe the inputs and outputs of a model in the normal form."""
    graph = model.graph
    return {
        "inputs": [described(value) for value in graph.input],
        "outputs": [described(value) for value in graph.output],
    }


def described(value: Any) -> dict[str, Any]:
    kind = value.type.tensor_type
    shape = dimensions_of(value)
    return {
        "name": value.name,
        # What has no name of its own gets one.
        "shape": shape and [f"{value.name}.{i}" if n is None else n for i, n in enumerate(shape)],
        "dtype": onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name,
    }
