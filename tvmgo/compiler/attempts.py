# SPDX-License-Identifier: Apache-2.0
"""Which compilers try a model, in which order, and what is said when all have refused it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tvmgo.compiler.artifacts import Artifacts, made_in
from tvmgo.compiler.environments import interpreter_of
from tvmgo.compiler.report import Kernel, Report
from tvmgo.compiler.sources import Source
from tvmgo.compiler.tensor_files import write_tensors
from tvmgo.compiler.tuning import Tuning
from tvmgo.compiler.verify.running import run_files
from tvmgo.compiler.verify.verifier import NOT_VERIFIED, Verifier
from tvmgo.compiler.workers.client import run_job
from tvmgo.exceptions import ExportError, TVMImportError, TVMTypeError, TVMValueError

Progress = Callable[[str], object]


@dataclass(frozen=True)
class Compiler:
    """One of the compilers, and the Python that runs it."""

    kind: str
    interpreter: Path

    def takes(self, source: Source, form: str) -> bool:
        return self.kind == "relax" or (source.kind == "onnx" and form == "graph")


@dataclass(frozen=True)
class Request:
    """What `export` was asked for, checked, as JSON can say it.

    Attributes
    ----------
    absent : str
        How to get a compiler that would try as well; empty if there is none.
    tuning : Tuning or None
        Only where relay is the only compiler.
    batch : mapping or None
        How many ``rows`` an open first dimension stands for, and whether that is ``required``.
    """

    compilers: Sequence[Compiler]
    absent: str
    formats: Sequence[str]
    shapes: dict[str, list[int]]
    inputs: Mapping[str, np.ndarray]
    target: Any
    linker: list[str]
    verify: bool | str
    tuning: Tuning | None = None
    batch: Mapping[str, Any] | None = None


def compilers_named(name: str | os.PathLike[str]) -> list[Compiler]:
    """Return the compilers that an argument stands for, in the order in which they try."""
    if name == "auto":
        return [Compiler("relax", interpreter_of("relax")), *installed("relay")]
    if name in KINDS:
        return [Compiler(str(name), interpreter_of(str(name)))]
    expected = "compiler: expected 'auto', 'relax', 'relay' or a Python's path, got"
    if not isinstance(name, str | os.PathLike):
        raise TVMTypeError(f"{expected} {type(name).__name__}")
    path = Path(name)
    if not path.is_file():
        raise TVMValueError(f"{expected} {str(name)!r}")
    found, lacks = [], []
    for kind in KINDS:
        try:
            found.append(Compiler(kind, interpreter_of(kind, path)))
        except TVMImportError as error:
            lacks.append(str(error))
    if not found:
        raise TVMImportError("\n".join(lacks))
    return found


def absent_beside(name: str | os.PathLike[str], found: Sequence[Compiler]) -> str:
    """Say how to get the compiler that "auto" would have and has not."""
    complete = name != "auto" or any(compiler.kind == "relay" for compiler in found)
    return "" if complete else "tvmgo compiler install relay"


KINDS = ("relax", "relay")


def installed(kind: str) -> list[Compiler]:
    try:
        return [Compiler(kind, interpreter_of(kind))]
    except TVMImportError:
        return []


@dataclass(frozen=True)
class Compiled:
    """What has become of a model.

    Attributes
    ----------
    report : Report
    tensors : mapping of str to sequence
        Under ``"inputs"`` and ``"outputs"`` name, shape and element type of each.
    model_id : int
        The number that the files hold.
    is_batched : bool
        Whether first dimensions were open, and `Request.batch` has given them a size.
    """

    report: Report
    tensors: Mapping[str, Any]
    model_id: int
    is_batched: bool


def compile_model(
    source: Source, request: Request, files: Artifacts, progress: Progress
) -> Compiled:
    """Have the first compiler that takes the model write the files, and tell how it went.

    Raises
    ------
    ExportError
        If none takes it. What the only one said, or what each said.
    """
    directory = files.library.parent.absolute()  # workers may be elsewhere
    work = directory / "work"
    work.mkdir(exist_ok=True)
    path = source.write(work)
    refusals: dict[str, ExportError] = {}
    versions = source.original.versions if source.original else {}
    for form in request.formats:
        simple: dict[str, Any] | None = None
        for compiler in request.compilers:
            if not compiler.takes(source, form):
                continue
            if simple is None or simple["others"]:
                try:
                    simple = simplify(source, path, work, request, form, compiler, progress)
                except ExportError as error:
                    refusals[f"{form}, normal form"] = error
                    break
            verifier = verifier_of(source, path, simple, request, progress)
            job = {
                "kind": source.kind,
                **simple,
                "target": request.target,
                "linker": request.linker,
                "format": form,
                "directory": str(directory),
                "work": str(work),
            }
            if request.tuning is not None:
                job["tuning"] = request.tuning.job(simple["batched"])
            try:
                done = run_job(compiler.kind, compiler.interpreter, job, progress)
                verification = check(made_in(files, form), verifier, request)
            except ExportError as error:
                refusals[f"{form}, {compiler.kind}"] = error
            else:
                report = Report(
                    compiler=compiler.kind,
                    format=form,
                    target=done["target"],
                    verification=verification,
                    versions={**versions, **simple["versions"], **done["versions"]},
                    refusals={who: str(error) for who, error in refusals.items()},
                    details={**simple["notes"], **done["details"]},
                    kernels=tuple(Kernel(**each) for each in done.get("kernels", ())),
                )
                tensors = done["tensors"] or simple["tensors"]
                return Compiled(report, tensors, done["model_id"], simple["batched"])
    raise refusal_of_all(refusals, request.absent)


def simplify(
    source: Source,
    path: Path,
    work: Path,
    request: Request,
    form: str,
    compiler: Compiler,
    progress: Progress,
) -> dict[str, Any]:
    """Bring an ONNX model into the normal form; other models go to their compiler as they are.

    ``others`` of the result tells whether other compilers need another form.
    """
    if source.kind != "onnx":
        if request.batch is not None and request.batch["required"]:
            raise TVMValueError("batch: expected an ONNX model for it, got a Relax module")
        return {
            "model": str(path),
            "versions": {},
            "notes": {},
            "others": False,
            "batched": False,
            "shapes": request.shapes,
        }
    job = {
        "model": str(path),
        "shapes": request.shapes,
        "batch": request.batch,
        "inputs": {name: value.shape for name, value in request.inputs.items()},
        "format": form,
        "compiler": compiler.kind,
        "directory": str(work),
    }
    return run_job("simplify", interpreter_of("simplify"), job, progress)


def verifier_of(
    source: Source, path: Path, simple: Mapping[str, Any], request: Request, progress: Progress
) -> Verifier | None:
    """Return who holds files beside the model, None if that is not wanted or there is nobody."""
    if request.verify is False or source.kind != "onnx":
        return None
    work, given = Path(simple["model"]).parent, None
    if request.inputs:
        given = str(work / "given.npz")
        write_tensors(given, request.inputs)

    def ask(job: dict[str, Any]) -> dict[str, Any]:
        return run_job("simplify", interpreter_of("simplify"), job, progress)

    return Verifier(
        ask=source.original.beside(ask) if source.original else ask,
        run=run_files,
        model=str(path),
        simple=simple["model"],
        shapes=simple["shapes"],
        given=given,
        directory=work,
        for_this_machine=request.target in (None, "native"),
    )


def check(files: Artifacts, verifier: Verifier | None, request: Request) -> str:
    """Return what the files agree with, or why that is not known.

    Raises
    ------
    ExportError
        If they are wrong, or if ``verify=True`` and it is not known.
    """
    if request.verify is False:
        return f"{NOT_VERIFIED}: verify=False"
    unknown = f"{NOT_VERIFIED}: nothing else runs a Relax module"
    verdict = unknown if verifier is None else verifier.check(files)
    if request.verify is True and verdict.startswith(NOT_VERIFIED):
        raise ExportError("verification", verdict, "give inputs=..., or verify='auto'")
    return verdict


def refusal_of_all(refusals: dict[str, ExportError], absent: str) -> ExportError:
    """Return the only refusal, or one that tells all, and who might take the model."""
    if not refusals:  # nobody tried, because relay alone was asked
        return ExportError(
            "compiler",
            'relay makes format="graph" of ONNX models alone',
            'use compiler="relax" or "auto" for a Relax module or format="vm"',
        )
    first, *others = refusals.values()
    where, reason, instead = first.args
    if others:
        instead = others[-1].instead  # of the format that holds most
        reasons = [f"\n  {who}: {error.where}: {error.reason}" for who, error in refusals.items()]
        where, reason = "the model", f"no compiler takes it:{''.join(reasons)}\n"
    elif not absent:
        return first
    if absent and "graph, relax" in refusals:
        instead += f"; or let TVM 0.19 try it, which is not installed: {absent}"
    error = ExportError(where, reason, instead)
    error.__cause__ = first.__cause__
    return error
