# SPDX-License-Identifier: Apache-2.0
"""Recorded runs of models, replayed: ``recording.json``, see ``docs/guide/replay.md``."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tvmgo._core.device import Device
from tvmgo._core.module import load_module
from tvmgo.exceptions import TVMError, TVMFileNotFoundError, TVMValueError
from tvmgo.graph_executor import GraphModule, create
from tvmgo.model.files.model_files import RECORDINGS, Pathlike, existing
from tvmgo.model.trials.samples import load

FAILURES = (OSError, ValueError, TypeError, TVMError)  # of one recording; others are replayed


class RecordingError(TVMValueError):
    """A recording is not as ``docs/guide/replay.md`` describes it."""


@dataclass(frozen=True)
class Difference:
    """How an output differs from the recorded one.

    Attributes
    ----------
    output : int
        Its index; -1 if the number of outputs differs.
    file : str
        That holds the recorded one.
    text : str
        What differs, for people.
    largest : float or None
        The largest difference of two elements; None where shapes or types differ, or where only
        one of two elements is a finite number.
    """

    output: int
    file: str
    text: str
    largest: float | None = None

    def __str__(self) -> str:
        return f"output {self.output} ({self.file}): {self.text}" if self.file else self.text


@dataclass(frozen=True)
class Result:
    """What came of a recorded run.

    Attributes
    ----------
    name : str
        The folder, below the one that was replayed.
    run : int or None
        Which of its runs; None if there is none because of `error`.
    differences : tuple of Difference
    error : str or None
        Why it could not be replayed.
    """

    name: str
    run: int | None
    differences: tuple[Difference, ...] = ()
    error: str | None = None

    @property
    def as_recorded(self) -> bool:
        return self.error is None and not self.differences

    def __str__(self) -> str:
        where = self.name if self.run is None else f"{self.name}: run {self.run}"
        found = self.error or "; ".join(map(str, self.differences))
        return f"{where}: {found or 'as recorded'}"

    def to_json(self) -> dict[str, Any]:
        """Return it as a document for JSON."""
        return {**asdict(self), "as_recorded": self.as_recorded}


def replay_all(folder: Pathlike) -> list[Result]:
    """Replay every recording in a folder and below it.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no recording in it.
    """
    root = Path(existing("path", folder))
    files = sorted(path for name in RECORDINGS for path in root.rglob(name) if path.is_file())
    if not files:
        raise TVMFileNotFoundError(f"path: there is no {RECORDINGS[0]} in {folder} or below")
    return [result for path in files for result in replay(path, str(path.parent.relative_to(root)))]


def replay(path: Path, name: str) -> list[Result]:
    """Replay the runs of one recording."""
    try:
        recording = read_recording(path)
        executor = open_recorded(recording)
    except FAILURES as error:
        return [Result(name, None, error=str(error))]
    results = []
    for number, run in enumerate(recording["runs"]):
        try:
            results.append(Result(name, number, tuple(differences(executor, run))))
        except FAILURES as error:
            results.append(Result(name, number, error=str(error)))
    return results


def read_recording(path: Path) -> dict[str, Any]:
    """Return the entries of a recording, the names of files as paths.

    Raises
    ------
    RecordingError
        If it is no such recording; the message names the entry.
    """
    try:
        model = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{path}: not JSON: {error}") from None
    where = str(path)
    check_entries(where, model, ("library", "graph", "runs"), ("params", "device"))
    if not isinstance(model.setdefault("device", "cpu:0"), str):
        raise RecordingError(f"{where}: device: expected a name, got {model['device']!r}")
    if not isinstance(model["runs"], list) or not model["runs"]:
        raise RecordingError(f"{where}: runs: expected a list of at least one run")
    for name in model.keys() & {"library", "graph", "params"}:
        model[name] = file_in(path.parent, f"{where}: {name}", model[name])
    for number, run in enumerate(model["runs"]):
        read_run(path.parent, f"{where}: run {number}", run)
    return dict(model)


def read_run(folder: Path, where: str, run: Any) -> None:
    """Make the names of files in one recorded run paths."""
    check_entries(where, run, ("inputs", "outputs"), ("rtol", "atol"))
    if not isinstance(run["inputs"], dict) or not isinstance(run["outputs"], list):
        raise RecordingError(f"{where}: inputs are an object, outputs a list")
    for name in ("rtol", "atol"):
        limit = run.setdefault(name, 0)
        if type(limit) not in (int, float) or not 0 <= limit < math.inf:
            raise RecordingError(f"{where}: {name}: expected a number from 0, got {limit!r}")
    for name, file in run["inputs"].items():
        run["inputs"][name] = file_in(folder, f"{where}: input {name!r}", file)
    run["outputs"] = [file_in(folder, f"{where}: outputs", file) for file in run["outputs"]]


def file_in(folder: Path, where: str, name: Any) -> Path:
    """Return the path of a file an entry names."""
    if not isinstance(name, str):
        raise RecordingError(f"{where}: expected the name of a file, got {name!r}")
    return folder / name


def check_entries(
    where: str, entries: Any, required: Collection[str], optional: Collection[str]
) -> None:
    """Check the names of a recording's entries."""
    if not isinstance(entries, dict):
        raise RecordingError(f"{where} is not an object")
    for name in required:
        if name not in entries:
            raise RecordingError(f"{where} has no entry {name!r}")
    for name in entries.keys() - {*required, *optional}:
        raise RecordingError(f"{where} has the unknown entry {name!r}")


def open_recorded(recording: Mapping[str, Any]) -> GraphModule:
    """Return an executor of the recorded model."""
    for name in ("library", "graph", "params"):
        if name in recording:
            existing(name, recording[name])
    executor = create(
        recording["graph"].read_text(encoding="utf-8"),
        load_module(recording["library"]),
        Device(recording["device"]),
    )
    if "params" in recording:
        executor.load_params(recording["params"].read_bytes())
    return executor


def differences(executor: GraphModule, run: Mapping[str, Any]) -> Iterator[Difference]:
    """Run once on recorded inputs, and yield what is not as recorded."""
    for name, file in run["inputs"].items():  # one by one: an unknown name is an error
        executor.set_input(name, load(f"input {name!r}", str(file)))
    executor.run()
    count, files = executor.get_num_outputs(), run["outputs"]
    if count != len(files):
        yield Difference(-1, "", f"the model has {count} outputs, the record {len(files)}")
    for index, file in enumerate(files[:count]):
        computed = executor.get_output(index).numpy()
        recorded = load(f"output {index}", str(file))
        found = difference(recorded, computed, run["rtol"], run["atol"])
        if found is not None:
            yield Difference(index, file.name, *found)


def difference(
    recorded: np.ndarray, computed: np.ndarray, rtol: float, atol: float
) -> tuple[str, float | None] | None:
    """Return how an output differs from the recorded one; without tolerance by bits.

    Returns
    -------
    (str, float or None) or None
        What differs, and the largest difference.
    """
    for what in ("shape", "dtype"):
        if getattr(recorded, what) != getattr(computed, what):
            return f"{what} {getattr(recorded, what)} is {getattr(computed, what)}", None
    recorded, computed = np.atleast_1d(recorded), np.atleast_1d(computed)
    if rtol == atol == 0:
        bits = f"V{recorded.dtype.itemsize}"  # NaN is NaN, and -0 is not 0
        equal = recorded.view(bits) == computed.view(bits)
    else:
        equal = np.isclose(computed, recorded, rtol, atol, equal_nan=True)
    wrong = np.argwhere(~equal)
    if not len(wrong):
        return None
    first = tuple(map(int, wrong[0]))
    largest = largest_difference(recorded[~equal], computed[~equal])
    said = "" if largest is None else f"; the largest difference is {largest:.3g}"
    text = (
        f"{len(wrong)} of {recorded.size} elements differ, first {list(first)}: "
        f"{recorded[first]!s} is {computed[first]!s}{said}"
    )
    return text, largest


def largest_difference(recorded: np.ndarray, computed: np.ndarray) -> float | None:
    """Return the largest difference of numbers; None if one is finite and the other is not."""
    wide = [np.asarray(each).astype("complex128") for each in (recorded, computed)]
    apart = np.abs(wide[0] - wide[1])
    return float(apart.max()) if np.isfinite(apart).all() else None
