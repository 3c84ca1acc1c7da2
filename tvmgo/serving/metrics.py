# SPDX-License-Identifier: Apache-2.0
"""What Prometheus is told beside KServe's own times of requests; of all processes together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, exposition
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from tvmgo.serving.settings import FOLDER_VARIABLE

if TYPE_CHECKING:
    from tvmgo.serving.loaded import Loaded


REQUESTS = Counter("tvmgo_requests", "requests by what came of them", ("model_name", "outcome"))
_STATS = {
    "queued": "requests that wait",
    "running": "runs at this moment",
    "runs": "runs since the model was loaded; with batches fewer than requests",
    "copies": "arrays that had to be copied",
    "bytes": "of parameters and activations",
}
_GAUGES = {
    name: Gauge(f"tvmgo_model_{name}", text, ("model_name",), multiprocess_mode="livesum")
    for name, text in _STATS.items()
}


def note(models: Mapping[str, Loaded]) -> None:
    """Write down how this process's models do."""
    for model, loaded in models.items():
        stats = loaded.model.stats()
        values = {
            "queued": loaded.queued,
            "running": stats.running,
            "runs": stats.requests,
            "copies": stats.copies,
            "bytes": sum(loaded.model.memory().values()),
        }
        for name, value in values.items():
            _GAUGES[name].labels(model).set(value)


def exposed(accept: str | None) -> tuple[bytes, str]:
    """Return all figures as text, and which kind of text."""
    encoder, kind = exposition.choose_encoder(accept or "")
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder is None:
        return encoder(REGISTRY), kind
    _forget_ended(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return encoder(registry), kind


def _forget_ended(folder: Path) -> None:
    """Leave out gauges of processes that are no more."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not Path("/proc", str(pid)).exists():
            mark_process_dead(pid, str(folder))
