# SPDX-License-Identifier: Apache-2.0
"""What the worker does: a framework's model in, ONNX out; or inputs in, the framework's results out."""

from __future__ import annotations

import importlib
import os
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx

from tvmgo.compiler.convert.request import Request
from tvmgo.compiler.tensor_files import read_tensors, write_tensors
from tvmgo.exceptions import ExportError, TVMError

# Before any framework is imported: results of a CPU, as those they are compared with; no words about GPUs.
os.environ.update(CUDA_VISIBLE_DEVICES="-1", TF_CPP_MIN_LOG_LEVEL="2")

SIMPLER = "export a simpler model, or write ONNX by the framework's own tools and export that"


def run(job: Mapping[str, Any], progress: Callable[[str], object]) -> dict[str, Any]:
    """Write the job's ``model`` as ONNX to the path ``made``; or, for ``values``, compute ``results``.

    ``framework`` is the module of this package that does it, and ``title`` its name for people; ``shapes``,
    ``inputs`` (a file) and ``rows`` are those of the `Request`.
    """
    warnings.simplefilter("ignore")
    title = job["title"]
    progress(f"starting {title}")
    framework = importlib.import_module(f"tvmgo.compiler.convert.{job['framework']}")
    request = Request(
        title, Path(job["model"]), job["shapes"], read_tensors(job["inputs"]), job["rows"]
    )
    if "values" in job:
        progress(f"running the model in {title}")
        return results(framework, request, job)
    progress(f"converting the model of {title}")
    try:
        versions = framework.convert(request, Path(job["made"]))
    except (TVMError, MemoryError, OSError):
        raise
    except Exception as error:  # converters refuse by nearly every built-in class
        raise ExportError(f"converting the model of {title}", said(error), SIMPLER) from error
    refuse_unknown(request.title, job["made"])
    return {"versions": versions}


def refuse_unknown(title: str, path: str) -> None:
    """Refuse operators that a converter has left as they were."""
    model = onnx.load(path, load_external_data=False)
    own = {(function.domain, function.name) for function in model.functions}
    for node in model.graph.node:
        known = node.domain == "com.microsoft" or onnx.defs.has(node.op_type, node.domain)
        if not known and (node.domain, node.op_type) not in own:
            reason = f"its converter knows no ONNX operator for {node.op_type}"
            raise ExportError(f"{title}: node `{node.name}`", reason, SIMPLER)


def results(framework: Any, request: Request, job: Mapping[str, Any]) -> dict[str, Any]:
    start = time.monotonic()
    try:
        truth, values = framework.compute(request, read_tensors(job["values"]))
    except Exception as error:
        return {"unknown": f"{request.title} cannot run it: {said(error)}"}
    write_tensors(job["results"], {str(i): value for i, value in enumerate(values)})
    return {"truth": truth, "seconds": time.monotonic() - start}


def said(error: Exception) -> str:
    """Return the class of an error and the first line of its text that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'it says no more'}".rstrip(".")
