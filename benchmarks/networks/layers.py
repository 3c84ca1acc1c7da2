# SPDX-License-Identifier: Apache-2.0
"""Where a network's time goes, on either side, with one thread."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path

import tvmgo
from benchmarks.networks.prepared import Prepared, limit_threads, session_of

RUNS = 5
MOST = 6  # layers told


def our_layers(prepared: Prepared) -> list[str]:
    """Return the costly kernels of a network, as its profile measures them and its report explains."""
    artifacts = prepared.artifacts
    graph = tvmgo.debug_executor.create(
        artifacts.graph.read_text(encoding="utf-8"),
        tvmgo.load_module(artifacts.library),
        tvmgo.cpu(0),
    )
    graph.load_params(artifacts.params.read_bytes())
    graph.set_input(**prepared.inputs)
    limit_threads(1)
    spent: Counter[str] = Counter()
    for _ in range(RUNS):
        for call in graph.profile()["calls"]:
            spent[call["Name"]["string"]] += call["Duration (us)"]["microseconds"]
    known = {f"tvmgen_default_{kernel.name}": kernel for kernel in artifacts.report.kernels}
    return [
        f"{microseconds / spent.total():.0%} {explained(name, known)}"
        for name, microseconds in spent.most_common(MOST)
    ]


def explained(name: str, known: dict) -> str:
    kernel = known.get(name)
    return str(kernel).partition(" ")[2] if kernel else name


def their_layers(prepared: Prepared) -> list[str]:
    """Return ONNX Runtime's costly operators."""
    with tempfile.TemporaryDirectory() as folder:
        session = session_of(prepared.path, 1, f"{folder}/profile")
        for _ in range(RUNS):
            session.run(None, prepared.inputs)
        events = json.loads(Path(session.end_profiling()).read_text())
    spent: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            spent[event["args"]["op_name"]] += event["dur"]
    return [
        f"{microseconds / spent.total():.0%} {name}"
        for name, microseconds in spent.most_common(MOST)
    ]
