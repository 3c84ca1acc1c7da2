# SPDX-License-Identifier: Apache-2.0
"""Replaying models with recorded inputs and outputs (``docs/artifacts.md``)."""

import json
from pathlib import Path

import numpy as np

import tvmgo
from tvmgo import graph_executor

RECORDING = "recording.json"
OLD_RECORDING = "manifest.json"  # what it was called before


class RecordingError(ValueError):
    """A recording is not as ``docs/artifacts.md`` describes it."""


def read_recording(path):
    """Return the entries of a recording, the names of files as paths.

    Raises
    ------
    RecordingError
        If it is no such recording; the message names the entry.
    """
    try:
        model = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecordingError(f"not JSON: {error}") from None
    check_entries("the recording", model, ("library", "graph", "runs"), ("params", "device"))
    if not isinstance(model["runs"], list) or not model["runs"]:
        raise RecordingError("runs: expected a list of at least one run")
    for name in model.keys() & {"library", "graph", "params"}:
        model[name] = file_in(path.parent, name, model[name])
    for number, run in enumerate(model["runs"]):
        read_run(path.parent, f"run {number}", run)
    return model


def read_run(directory, what, run):
    """Make the names of files in one recorded run paths."""
    check_entries(what, run, ("inputs", "outputs"), ("rtol", "atol"))
    if not isinstance(run["inputs"], dict) or not isinstance(run["outputs"], list):
        raise RecordingError(f"{what}: inputs are an object, outputs a list")
    for name in ("rtol", "atol"):
        limit = run.setdefault(name, 0)
        if type(limit) not in (int, float) or not limit >= 0:
            raise RecordingError(f"{what}: {name}: expected a number from 0, got {limit!r}")
    for name, file in run["inputs"].items():
        run["inputs"][name] = file_in(directory, f"{what}: input {name!r}", file)
    run["outputs"] = [file_in(directory, f"{what}: outputs", file) for file in run["outputs"]]


def file_in(directory, what, name):
    """Return the path of a file an entry names."""
    if not isinstance(name, str):
        raise RecordingError(f"{what}: expected the name of a file, got {name!r}")
    return directory / name


def check_entries(what, entries, required, optional):
    """Check the names of a recording's entries."""
    if not isinstance(entries, dict):
        raise RecordingError(f"{what} is not an object")
    for name in required:
        if name not in entries:
            raise RecordingError(f"{what} has no entry {name!r}")
    for name in entries.keys() - {*required, *optional}:
        raise RecordingError(f"{what} has the unknown entry {name!r}")


def replay(model):
    """Run a model on its recorded inputs.

    Yields
    ------
    list of str
        For each run what is wrong with it; empty when every output is as recorded.
    """
    executor = graph_executor.create(
        model["graph"].read_text(encoding="utf-8"),
        tvmgo.load_module(model["library"]),
        tvmgo.Device(model.get("device", "cpu:0")),
    )
    if "params" in model:
        executor.load_params(model["params"].read_bytes())
    for run in model["runs"]:
        for name, file in run["inputs"].items():  # one by one: an unknown name is an error
            executor.set_input(name, np.load(file))
        executor.run()
        count, files = executor.get_num_outputs(), run["outputs"]
        found = []
        if count != len(files):
            found.append(f"the model has {count} outputs, the record {len(files)}")
        for index, file in enumerate(files[:count]):
            computed = executor.get_output(index).numpy()
            wrong = difference(np.load(file), computed, run["rtol"], run["atol"])
            found += [f"output {index} ({file.name}): {wrong}"] if wrong else []
        yield found


def difference(recorded, computed, rtol, atol):
    """Return how an output differs from the recorded one, or None; without tolerance by bits."""
    for what in ("shape", "dtype"):
        if getattr(recorded, what) != getattr(computed, what):
            return f"{what} {getattr(recorded, what)} is {getattr(computed, what)}"
    if rtol == atol == 0:
        bits = f"V{recorded.dtype.itemsize}"  # NaN is NaN, and -0 is not 0
        equal = np.atleast_1d(recorded).view(bits) == np.atleast_1d(computed).view(bits)
    else:
        equal = np.isclose(computed, recorded, rtol, atol, equal_nan=True)
    wrong = np.argwhere(~np.atleast_1d(equal))
    if not len(wrong):
        return None
    first = tuple(map(int, wrong[0]))
    return (
        f"{len(wrong)} of {recorded.size} elements differ, first {list(first)}: "
        f"{np.atleast_1d(recorded)[first]} is {np.atleast_1d(computed)[first]}"
    )


def main(directory):
    """Replay every recording below a directory and print what comes of it. Return an exit code."""
    recordings = sorted(
        path for name in (RECORDING, OLD_RECORDING) for path in Path(directory).rglob(name)
    )
    if not recordings:
        print(f"there is no {RECORDING} in {directory} or below")
        return 1
    failed = 0
    for path in recordings:
        name = path.parent.relative_to(directory)
        try:
            for number, found in enumerate(replay(read_recording(path))):
                print(f"{name}: run {number}: {'; '.join(found) or 'as recorded'}")
                failed += bool(found)
        except (OSError, ValueError, TypeError, tvmgo.TVMError) as error:
            where = f"{path}: " if isinstance(error, RecordingError) else ""
            print(f"{name}: {where}{error}")
            failed += 1
    return 1 if failed else 0
