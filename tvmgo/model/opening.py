# SPDX-License-Identifier: Apache-2.0
"""From files to engines. Those of the same files are the same in all models of a process."""

from __future__ import annotations

import mmap
import os
import threading
import weakref
from pathlib import Path

import tvmgo.graph_executor as graph_executor
from tvmgo._core.device import Device
from tvmgo._core.module import load_module
from tvmgo.exceptions import TVMValueError
from tvmgo.graph_executor import GraphModule
from tvmgo.model.batched_engine import BatchedEngine
from tvmgo.model.forks import ForkSafeLock
from tvmgo.model.graph_engine import GraphEngine
from tvmgo.model.model_files import ModelFiles
from tvmgo.model.vm_engine import VmEngine

Engine = GraphEngine | VmEngine | BatchedEngine

FACTORY_KINDS = ("GraphExecutorFactory", "GraphRuntimeFactory")

_known: weakref.WeakValueDictionary[tuple[object, ...], Engine] = weakref.WeakValueDictionary()
_loading = ForkSafeLock(threading.RLock)


def open_engine(files: ModelFiles, device: Device) -> Engine:
    """Return the engine of files, the one that is in memory already if they have not changed."""
    key = (str(device), *(stamp for path in files.paths for stamp in _stamp(path)))
    with _loading:  # the same files are loaded once, though two threads come at once
        engine = _known.get(key)
        if engine is None:
            engine = _known[key] = _open(files, device)
        return engine


def _stamp(path: Path) -> tuple[object, ...]:
    status = path.stat()
    return (str(path), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _open(files: ModelFiles, device: Device) -> Engine:
    if len(files.sizes) == 1 and files.sizes[0].batch is None:
        only = files.sizes[0]
        return _open_one(only.library, only.graph, files.params, device)
    engines = {}
    for size in files.sizes:
        engine = _open_one(size.library, size.graph, files.params, device)
        if size.batch is None or not isinstance(engine, GraphEngine):
            raise TVMValueError(f"{files.place}: expected a graph and a batch for each size")
        engines[size.batch] = engine
    assert files.manifest is not None
    return BatchedEngine(engines, files.manifest.rows_independent)


def _open_one(library: str, graph: str | None, params: Path | None, device: Device) -> Engine:
    module = load_module(library)
    if graph is not None:
        text = Path(graph).read_text(encoding="utf-8")
        executor = graph_executor.create(text, module, device)
        if params is not None:
            executor.load_params(_contents(params))
        return GraphEngine(executor)
    if module.kind in FACTORY_KINDS:
        return GraphEngine(GraphModule(module["default"](device)))
    if "vm_load_executable" in module:
        return VmEngine(module, device)
    raise TVMValueError(
        f"library: {Path(library).name} has neither a graph inside nor a program of the virtual "
        f"machine; give its graph as well: graph=..., params=..."
    )


def _contents(path: Path) -> memoryview:
    """Show a file's contents without a copy of them in memory."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
