# SPDX-License-Identifier: Apache-2.0
"""Replaying models with recorded inputs and outputs (``docs/artifacts.md``)."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import tvmgo
from tvmgo import graph_executor

MANIFEST = "manifest.json"


class ManifestError(ValueError):
    """A manifest is not as ``docs/artifacts.md`` describes it."""


@dataclass(frozen=True)
class Run:
    """One recorded run.

    Attributes
    ----------
    inputs : dict of str to pathlib.Path
        The ``.npy`` file of each input.
    outputs : list of pathlib.Path
        The ``.npy`` file of each output, in order.
    rtol, atol : float
        How far an output may be off; both 0 compare bit for bit.
    """

    inputs: dict
    outputs: list
    rtol: float = 0.0
    atol: float = 0.0


@dataclass(frozen=True)
class Model:
    """A trio and its recorded runs."""

    library: Path
    graph: Path
    params: Path | None = None
    device: str = "cpu:0"
    runs: list = field(default_factory=list)


def read_manifest(path):
    """Return the `Model` a manifest describes.

    Raises
    ------
    ManifestError
        If it is no such manifest; the message names the entry.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ManifestError(f"not JSON: {error}") from None
    check_entries("the manifest", entries, Model, ("library", "graph", "runs"))
    if not isinstance(entries["runs"], list) or not entries["runs"]:
        raise ManifestError("runs: expected a list of at least one run")
    files = {
        name: file_in(path.parent, name, entries[name])
        for name in ("library", "graph", "params")
        if name in entries
    }
    runs = [read_run(path.parent, f"run {i}", run) for i, run in enumerate(entries["runs"])]
    return Model(**{**entries, **files, "runs": runs})


def read_run(directory, what, entries):
    """Return the `Run` an entry of a manifest describes."""
    check_entries(what, entries, Run, ("inputs", "outputs"))
    inputs, outputs = entries["inputs"], entries["outputs"]
    if not isinstance(inputs, dict) or not isinstance(outputs, list):
        raise ManifestError(f"{what}: inputs are an object, outputs a list")
    for name in ("rtol", "atol"):
        limit = entries.get(name, 0)
        if type(limit) not in (int, float) or not limit >= 0:
            raise ManifestError(f"{what}: {name}: expected a number from 0, got {limit!r}")
    files = {
        "inputs": {
            name: file_in(directory, f"{what}: input {name!r}", file)
            for name, file in inputs.items()
        },
        "outputs": [file_in(directory, f"{what}: outputs", file) for file in outputs],
    }
    return Run(**{**entries, **files})


def file_in(directory, what, name):
    """Return the path of a file an entry names."""
    if not isinstance(name, str):
        raise ManifestError(f"{what}: expected the name of a file, got {name!r}")
    return directory / name


def check_entries(what, entries, known, required):
    """Check the names of a manifest's entries."""
    if not isinstance(entries, dict):
        raise ManifestError(f"{what} is not an object")
    for name in required:
        if name not in entries:
            raise ManifestError(f"{what} has no entry {name!r}")
    for name in entries.keys() - known.__dataclass_fields__.keys():
        raise ManifestError(f"{what} has the unknown entry {name!r}")


def replay(model):
    """Run a model on its recorded inputs.

    Yields
    ------
    list of str
        For each run what is wrong with it; empty when every output is as recorded.
    """
    executor = graph_executor.create(
        model.graph.read_text(encoding="utf-8"),
        tvmgo.load_module(model.library),
        tvmgo.Device(model.device),
    )
    if model.params is not None:
        executor.load_params(model.params.read_bytes())
    for run in model.runs:
        for name, file in run.inputs.items():  # one by one: a name the graph lacks is an error
            executor.set_input(name, np.load(file))
        executor.run()
        found = []
        if executor.get_num_outputs() != len(run.outputs):
            found.append(
                f"the model has {executor.get_num_outputs()} outputs, the record {len(run.outputs)}"
            )
        for index, file in enumerate(run.outputs[: executor.get_num_outputs()]):
            wrong = difference(np.load(file), executor.get_output(index).numpy(), run)
            found += [f"output {index} ({file.name}): {wrong}"] if wrong else []
        yield found


def difference(recorded, computed, run):
    """Return how an output differs from the recorded one, or None."""
    for what in ("shape", "dtype"):
        if getattr(recorded, what) != getattr(computed, what):
            return f"{what} {getattr(recorded, what)} is {getattr(computed, what)}"
    if run.rtol == run.atol == 0:
        bits = f"V{recorded.dtype.itemsize}"  # NaN is NaN, and -0 is not 0
        equal = np.atleast_1d(recorded).view(bits) == np.atleast_1d(computed).view(bits)
    else:
        equal = np.isclose(computed, recorded, run.rtol, run.atol, equal_nan=True)
    wrong = np.argwhere(~np.atleast_1d(equal))
    if not len(wrong):
        return None
    first = tuple(map(int, wrong[0]))
    return (
        f"{len(wrong)} of {recorded.size} elements differ, first {list(first)}: "
        f"{np.atleast_1d(recorded)[first]} is {np.atleast_1d(computed)[first]}"
    )


def main(directory):
    """Replay every manifest below a directory and print what comes of it. Return an exit code."""
    manifests = sorted(Path(directory).rglob(MANIFEST))
    if not manifests:
        print(f"there is no {MANIFEST} in {directory} or below")
        return 1
    failed = 0
    for path in manifests:
        name = path.parent.relative_to(directory)
        try:
            for number, found in enumerate(replay(read_manifest(path))):
                print(f"{name}: run {number}: {'; '.join(found) or 'as recorded'}")
                failed += bool(found)
        except (OSError, ValueError, TypeError, tvmgo.TVMError) as error:
            where = f"{path}: " if isinstance(error, ManifestError) else ""
            print(f"{name}: {where}{error}")
            failed += 1
    return 1 if failed else 0
