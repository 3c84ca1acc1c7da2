# SPDX-License-Identifier: Apache-2.0
"""From a framework's file to ONNX, and what the framework itself says that the model computes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tvmgo.compiler.environments import interpreter_of
from tvmgo.compiler.frameworks.table import FRAMEWORKS, Framework
from tvmgo.compiler.tensor_files import read_tensors, write_tensors
from tvmgo.compiler.verify.comparison import compare
from tvmgo.compiler.workers.client import run_job
from tvmgo.exceptions import ExportError

# Names a Python that has the framework and its converter, if this one's environment should not.
PYTHON_VARIABLE = "TVMGO_CONVERTER"

Ask = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Original:
    """The model of a framework, of which an ONNX file was made.

    Attributes
    ----------
    framework : Framework
    versions : mapping of str to str
        The packages that converted it.
    ask : callable
        Gives a job to the worker that has the framework, and returns the answer.
    """

    framework: Framework
    versions: Mapping[str, str]
    ask: Ask

    def beside(self, ask: Ask) -> Ask:
        """Return who answers for a `Verifier`: with the framework's results, for the inputs that `ask`, who knows
        the ONNX file, ran on. What only the file says settles nothing, for the converter may be wrong."""
        blame = f"{self.framework.title} cannot be asked twice"

        def answer(job: dict[str, Any]) -> dict[str, Any]:
            nonlocal blame
            if job["question"] == "second":
                return {"blame": blame}
            known = ask(job)
            if job["question"] != "results" or "unknown" in known:
                return known
            own = self.results(known, Path(job["directory"], "original.npz"))
            if "unknown" in own:
                converted = f"{known['truth']}, which ran what {self.framework.converter} made"
                return {**known, "truth": f"{converted} ({own['unknown']})"}
            blame = self.who_differs(known, own)
            return {**known, **own, "unchanged": known["outputs"]}

        return answer

    def results(self, known: Mapping[str, Any], path: Path) -> dict[str, Any]:
        """Have the framework write what it computes, by the names of the ONNX file's outputs."""
        try:
            done = self.ask({"values": known["inputs"], "results": str(path)})
        except ExportError as error:  # it knows nothing, which is no fault of the exported files
            return {"unknown": f"{error.where}: {error.reason}"}
        if "unknown" in done:
            return done
        names = read_tensors(known["outputs"])
        values = read_tensors(path).values()
        if len(values) != len(names):
            reason = f"it has {len(names)} outputs, {self.framework.title} computes {len(values)}"
            raise ExportError("the converted model", reason, "give one output its own model")
        write_tensors(path, dict(zip(names, values)))
        return {"truth": done["truth"], "outputs": str(path), "seconds": done["seconds"]}

    def who_differs(self, known: Mapping[str, Any], own: Mapping[str, Any]) -> str:
        """Say of results that are wrong whose fault that is."""
        theirs, ours = read_tensors(own["outputs"]), read_tensors(known["outputs"])
        wrong = any(
            value.shape != ours[name].shape
            or compare(ours[name], value, (), quantised=known["quantised"])[1] is not None
            for name, value in theirs.items()
        )
        by = f"{known['truth']}, which ran what {self.framework.converter} made"
        return f"{by}, {'differs from it as well' if wrong else 'agrees with it'}"


def convert(
    kind: str,
    model: Path,
    shapes: Mapping[str, list[int]],
    inputs: Mapping[str, np.ndarray],
    rows: int | None,
    folder: Path,
    progress: Callable[[str], object],
) -> tuple[Path, Original]:
    """Have a worker write a framework's model as ONNX.

    Parameters
    ----------
    kind : str
        The framework's name in the table.
    model : pathlib.Path
        What the framework wrote: a file or a folder.
    shapes, inputs : mapping
        Those that `export` got, for frameworks whose files do not tell.
    rows : int or None
        How many rows the first batch has, if the user asks for batches.
    folder : pathlib.Path
        Made for the ONNX file.

    Raises
    ------
    TVMImportError
        If no environment has the framework and its converter; says the command that makes one.
    ExportError
        If the converter refuses the model.
    """
    framework = FRAMEWORKS[kind]
    python = interpreter_of(framework.environment, os.environ.get(PYTHON_VARIABLE) or None)
    folder.mkdir()
    given = folder / "given.npz"
    write_tensors(given, inputs)
    job = {
        "framework": kind,
        "title": framework.title,
        "model": str(model),
        "shapes": dict(shapes),
        "inputs": str(given),
        "rows": rows,
    }

    def ask(more: dict[str, Any]) -> dict[str, Any]:
        return run_job("convert", python, {**job, **more}, progress)

    made = folder / "model.onnx"
    versions = ask({"made": str(made)})["versions"]
    return made, Original(framework, versions, ask)
