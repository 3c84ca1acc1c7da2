# SPDX-License-Identifier: Apache-2.0
"""Exports of models, and what several runtimes make of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import tvmgo
from tests.helpers import search_path
from tvmgo.compiler import export

RUNNER = Path(__file__).with_name("runner.py")
LEVELS = ("v2", "v3", "v4")


def export_with_inputs(model, folder, inputs=None, **options):
    """Export a model into a folder, with values for its inputs; return the export."""
    artifacts = export(model, folder, verify=False, format="graph", **options)
    np.savez(folder / "inputs.npz", **(made_up(artifacts) if inputs is None else inputs))
    return artifacts


def made_up(artifacts):
    """Return values for the inputs of a graph, which are those nodes that have no parameter."""
    graph = json.loads(artifacts.graph.read_text(encoding="utf-8"))
    attributes = {name: values for name, (_, values) in graph["attrs"].items()}
    params = tvmgo.runtime.load_param_dict(artifacts.params.read_bytes())
    random = np.random.default_rng(0)
    values = {}
    for number in graph["arg_nodes"]:
        name, entry = graph["nodes"][number]["name"], graph["node_row_ptr"][number]
        if name in params:
            continue
        shape, dtype = attributes["shape"][entry], np.dtype(attributes["dltype"][entry])
        if dtype.kind == "f":
            values[name] = np.asarray(random.standard_normal(shape)).astype(dtype)
        else:
            values[name] = random.integers(0, 2, shape).astype(dtype)
    return values


def run_by(runtime, folders, python=sys.executable, level=""):
    """Run the models of all folders by a runtime (see `runner`) in one process of its own."""
    for folder in folders:
        for name in (f"{runtime}.npz", f"{runtime}.error"):
            (folder / name).unlink(missing_ok=True)
    path = search_path() if python == sys.executable else ""
    variables = {**os.environ, "PYTHONPATH": path, "TVMGO_CPU_LEVEL": level}
    command = [python, RUNNER, runtime, *folders]
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def difference(folder, one, other):
    """Return in what the results of two runtimes differ; nothing if they do not."""
    errors = [folder / f"{runtime}.error" for runtime in (one, other)]
    found = [error.read_text() for error in errors if error.exists()]
    if found:
        return found[0].strip().splitlines()[-1]
    with np.load(folder / f"{one}.npz") as mine, np.load(folder / f"{other}.npz") as theirs:
        if mine.files != theirs.files:
            return f"{len(mine.files)} and {len(theirs.files)} outputs"
        for name in mine.files:
            a, b = mine[name], theirs[name]
            if (a.dtype, a.shape) != (b.dtype, b.shape) or a.tobytes() != b.tobytes():
                return f"output {name}: {a.dtype}{list(a.shape)} and {b.dtype}{list(b.shape)}"
    return ""
