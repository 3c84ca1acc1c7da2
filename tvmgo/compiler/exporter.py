# SPDX-License-Identifier: Apache-2.0
"""A model in, files out: what is checked, and who does what."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tvmgo.compiler.artifacts import (
    Artifacts,
    artifacts_in,
    artifacts_of,
    staged_artifacts,
    staged_bundle,
)
from tvmgo.compiler.attempts import Request, absent_beside, compilers_named
from tvmgo.compiler.batches import batch_named, compile_sizes
from tvmgo.compiler.errors import NEED_COMPILER
from tvmgo.compiler.frameworks.objects import Examples, is_instance
from tvmgo.compiler.input_shapes import check_sizes
from tvmgo.compiler.sources import source_of
from tvmgo.compiler.tuning import tuning_named
from tvmgo.exceptions import ExportError, TVMTypeError, TVMValueError
from tvmgo.model.files.bundles import is_bundle_name
from tvmgo.model.files.bundling import checked_target

FORMATS = ("graph", "vm")


def export(
    model: Any,
    directory: str | os.PathLike[str],
    *,
    compiler: str | os.PathLike[str] = "auto",
    target: Any = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    inputs: Mapping[str, Any] | None = None,
    format: str = "auto",
    batch: Sequence[int] | None = None,
    verify: bool | str = "auto",
    tune: float | None = None,
    tune_log: str | os.PathLike[str] | None = None,
    progress: Callable[[str], object] | None = None,
) -> Artifacts:
    """Compile a model into ``deploy.so``, ``deploy.json`` and ``deploy.params``.

    What no graph can hold becomes one library for the Relax virtual machine.

    Parameters
    ----------
    model : str, os.PathLike, onnx.ModelProto, tvm.IRModule or a framework's
        A file or folder of any of the frameworks, by its content; an ONNX model; a Relax module whose entry is
        ``main``; or an object of PyTorch, TensorFlow or Keras, which that saves. Not changed.
        docs/guide/frameworks.md has the list. What is not ONNX or Relax is converted to ONNX in an environment
        that has the framework.
    directory : str or os.PathLike
        Made if missing, with its parents. Files of an earlier export are replaced. A name that
        ends with ``.tvmgo`` is that of a bundle: one file, which holds what the directory would
        (`tvmgo.bundle` says how), and takes the place of an earlier one in one step.
    compiler : str or os.PathLike, default "auto"
        ``"relax"`` (apache-tvm 0.27), ``"relay"`` (TVM 0.19), or the path of a Python whose
        environment has one of them. ``"auto"``: relax, and relay for what that refuses, if it is
        installed.
    target : str, dict or tvm.target.Target, optional
        Default: any CPU of this machine's architecture; on x86-64 one of level v2 or higher, with
        kernels for v2, v3 and v4 in one library. ``"native"``: this machine's CPU and those with
        the same instructions. ``"aarch64"``: any of these, under Linux. ``"cuda"``: a GPU
        of NVIDIA's. Classic strings such as ``"llvm -mcpu=skylake"`` are understood.
    shapes : mapping of str to sequence of int, optional
        Shapes of inputs by name, in elements, at least 0 each; needed where the model leaves
        dimensions open. A dimension with a name has one size in all inputs.
    inputs : mapping of str to array-like, optional
        Values of inputs on which the exported model is verified. Those of others are made up, as
        are all by default: floats of both signs, and integers that the model's look-ups allow.
    format : str, default "auto"
        ``"graph"``: the three files. ``"vm"``: one library, weights inside, for the Relax virtual
        machine; dimensions that `shapes` does not tell stay open, and data may decide branches,
        loops and sizes. ``"auto"``: a graph, and the virtual machine for what no graph can hold,
        which the report tells.
    batch : sequence of int, optional
        How many rows an open first dimension stands for, such as ``(1, 8, 32)``: a graph and a
        library for each, one file of parameters for all. `tvmgo.Model` makes of them a model for any
        number of rows, if the export finds that rows are independent: that each size, and other
        contents in other rows, give a row the same results (the same bits, or within 1e-6 of the
        largest). Default: these three, if all that is open are first dimensions of inputs, and rows are
        independent.
    verify : "auto" or bool, default "auto"
        Whether the exported model is run once beside the original. ``"auto"``: where that can be
        done; the report says what it agrees with, or ``not verified`` and why. ``True``: not to
        know is an error too. ``False``: not at all.
    tune : float, optional
        Minutes of trying other schedules for the model's kernels on this machine, shared among them by
        the time that they take. For ``compiler="relay"`` alone. The export's own steps come on top, and
        the trials under way at the end are finished. What was found is used if the whole model is
        faster with it; the report says so. docs/guide/tuning.md says how.
    tune_log : str or os.PathLike, optional
        The file of all trials, JSON lines as AutoTVM has them, each written when it is done. Those that
        it has are not tried again, whichever model and export they are from. With `tune` None or 0 they
        are used and nothing is tried. Default: beside `directory`, with ``.tune.json`` after its name.
    progress : callable, optional
        Called with one line of text as each step begins, and while kernels are tuned. What it raises ends the export.

    Returns
    -------
    Artifacts
        Paths `library`, `graph`, `params` and `manifest` (``model.json``, which says what they
        are), all inside `directory`, and a `report`. For
        ``format="vm"`` `graph` and `params` are None, and files of an earlier graph are deleted.

    Raises
    ------
    ExportError
        If no compiler takes the model; says which construct, where, and what to do instead, of each
        of them. Also if a compiler's process crashes, runs out of memory or hangs, and if what it
        made computes something else than the original: says which output, where, and by how much.
    TVMValueError
        If `shapes`, `inputs`, `target`, `compiler`, `format`, `verify`, `tune` or `tune_log` does not
        make sense for this model.
    TVMTypeError
        If `model` is none of these, one of `shapes` is no sequence of integers, one of `inputs`
        has another element type, or any argument is of another type than here.
    TVMImportError
        If no environment has a package that is needed; says the command that brings it.
    TVMFileNotFoundError
        If `model` is a path without a file, or `tune_log` with nothing to tune.
    OSError
        If `directory` cannot be made or written, as the system says it.

    Notes
    -----
    The files of `directory` change only when all are complete, so that a failure leaves an
    earlier export as it was. Until then they are in a hidden directory inside it, ``.export-*``,
    which is deleted on failure too, as is a `directory` that was missing. Then each takes its place
    in one step, the library last. The library gets a new inode: a process that has the old one open
    keeps it, and loading the path again gives the new one.

    All three hold one number, derived from the content of all, by which the executor refuses files
    of two exports: of other weights, another model, or another target. Who opens the
    files of `directory` while they are replaced gets those of one export or that error.

    Input names are kept. Outputs are in the model's order, nested ones flattened; their nodes carry
    the ONNX names where one node computes one output. Weights are stored once each, however often
    the model uses them, and the same model gives the same three files every time.

    Compilers run in processes of their own, which stay for the next export and end with this
    process; `tvmgo.compiler.workers` says how. Threads may export at the same time. Linking runs a
    C++ compiler: ``$CXX``, or the first one known on the path; for another machine than this one a
    cross compiler, or clang with lld. A compiler that says nothing for
    half an hour counts as hung; the variable ``TVMGO_COMPILER_TIMEOUT`` sets other seconds.

    To verify, the original runs once in ONNX Runtime, without its optimisations, or where that
    cannot run it in onnx's reference evaluator; the exported model runs in a process of its own, so
    that its crash is an error too. docs/guide/verification.md says when two results count as equal.

    Source: ``relay.build`` and ``export_library`` of TVM up to 0.19, which wrote these three files.
    """
    sizes = batch_named(batch)
    shapes = mapping_named("shapes", "shapes", shapes)
    given = {name: list(check_sizes(name, shape)) for name, shape in shapes.items()}
    values = arrays_of(inputs)
    source = source_of(model, Examples(given, values, bool(sizes)))
    compilers = compilers_named(compiler)
    directory = directory_named(directory)
    if progress is not None and not callable(progress):
        raise TVMTypeError(f"progress: expected a callable, got {type(progress).__name__}")
    kinds = [each.kind for each in compilers]
    request = Request(
        compilers=compilers,
        absent=absent_beside(compiler, compilers),
        formats=formats_named(format),
        shapes=given,
        inputs=values,
        target=target_in_json(target),
        linker=find_linker(),
        verify=verify_named(verify),
        tuning=tuning_named(tune, tune_log, kinds, format, directory),
    )
    is_bundle = is_bundle_name(directory)
    target = checked_target(directory) if is_bundle else directory
    with (staged_bundle if is_bundle else staged_artifacts)(target) as files:
        report = compile_sizes(source, request, sizes, files, progress or (lambda line: None))
        made = artifacts_in(files.library.parent, report)
    return artifacts_of(target, made) if is_bundle else artifacts_in(directory, report)


def formats_named(name: str) -> tuple[str, ...]:
    if name != "auto" and name not in FORMATS:
        raise TVMValueError(f"format: expected 'auto', {FORMATS}, got {name!r}")
    return FORMATS if name == "auto" else (name,)


def verify_named(choice: bool | str) -> bool | str:
    if choice not in ("auto", True, False):
        raise TVMValueError(f"verify: expected 'auto', True or False, got {choice!r}")
    return choice


def directory_named(given: str | os.PathLike[str]) -> Path:
    if not isinstance(given, str | os.PathLike):
        raise TVMTypeError(f"directory: expected a path, got {type(given).__name__}")
    name = os.fspath(given)
    if not name or "\0" in name:  # nothing would be the current directory
        raise TVMValueError(f"directory: expected a path, got {name!r}")
    return Path(name)


def mapping_named(argument: str, values: str, given: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        kind = type(given).__name__
        raise TVMTypeError(f"{argument}: expected a mapping of names to {values}, got {kind}")
    return given


def arrays_of(inputs: Mapping[str, Any] | None) -> dict[str, np.ndarray]:
    given = mapping_named("inputs", "values", inputs)
    return {name: array_of(name, value) for name, value in given.items()}


def array_of(name: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        array = np.array(None)
    if array.dtype.kind in "OSUMm":
        raise TVMTypeError(f"inputs[{name!r}]: expected numbers, got {value!r:.60}")
    return array


def target_in_json(target: Any) -> Any:
    """Return what a job says of a target; TVM's own objects say themselves as JSON."""
    if is_instance(target, "tvm", "target.Target"):
        return str(target)
    if target is not None and not isinstance(target, str | dict):
        kind = type(target).__name__
        raise TVMTypeError(f"target: expected a string, a dict or a Target, got {kind}")
    try:
        json.dumps(target)
    except TypeError as error:
        raise TVMTypeError(f"target: {error}, in {target!r}") from None
    return target


def find_linker() -> list[str]:
    """Return the C++ compiler that links, and its options, as in ``CXX="ccache g++"``.

    Raises
    ------
    ExportError
        If there is none.
    """
    named = os.environ.get("CXX") or os.environ.get("CC")
    names = ("g++", "gcc", "clang++", "clang", "c++", "cc")
    try:
        words = shlex.split(named or "")
    except ValueError as error:
        raise TVMValueError(f"the variable CXX or CC: {error}: {named!r}") from None
    linker = words or [*filter(None, map(shutil.which, names))][:1]
    if not linker:
        raise ExportError("linking deploy.so", "no C++ compiler was found", NEED_COMPILER)
    return linker
