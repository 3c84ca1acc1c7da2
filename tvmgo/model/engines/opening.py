# SPDX-License-Identifier: Apache-2.0
"""From files to engines. Those of the same files are the same in all models of a process."""

from __future__ import annotations

import threading
import weakref
from typing import Any

from tvmgo._core.device import Device
from tvmgo._core.module import Module, load_module, load_own_file
from tvmgo._graph.making import make_executor
from tvmgo.exceptions import TVMValueError
from tvmgo.graph_executor import GraphModule
from tvmgo.model.engines.batched import BatchedEngine
from tvmgo.model.engines.graph import GraphEngine
from tvmgo.model.engines.vm import VmEngine
from tvmgo.model.files.mapping import bytes_of
from tvmgo.model.files.model_files import ModelFiles, SizeFiles
from tvmgo.model.files.parts import FilePart
from tvmgo.model.forks import ForkSafeLock

Engine = GraphEngine | VmEngine | BatchedEngine

FACTORY_KINDS = ("GraphExecutorFactory", "GraphRuntimeFactory")

_known: weakref.WeakValueDictionary[tuple[object, ...], Engine] = weakref.WeakValueDictionary()
_loading = ForkSafeLock(threading.RLock)


def open_engine(files: ModelFiles, device: Device, private: bool | None) -> Engine:
    """Return the engine of files, the one that is in memory already if they have not changed."""
    key = (str(device), private, *((part.path, part.stamp, part.start) for part in files.parts))
    with _loading:  # the same files are loaded once, though two threads come at once
        engine = _known.get(key)
        if engine is None:
            engine = _known[key] = _open(files, device, private)
        return engine


def _open(files: ModelFiles, device: Device, private: bool | None) -> Engine:
    params = None if files.params is None else bytes_of(files.params, private)
    libraries = {
        part: _load_library(part, private) for part in {size.library for size in files.sizes}
    }
    engines = [
        (size, _open_one(size, libraries[size.library], params, device)) for size in files.sizes
    ]
    if len(engines) == 1 and files.sizes[0].batch is None:
        return engines[0][1]
    batched = {}
    for size, engine in engines:
        if size.batch is None or not isinstance(engine, GraphEngine):
            raise TVMValueError(f"{files.place}: expected a graph and a batch for each size")
        batched[size.batch] = engine
    assert files.manifest is not None
    return BatchedEngine(batched, files.manifest.rows_independent)


def _open_one(
    size: SizeFiles, module: Module, params: Any, device: Device
) -> GraphEngine | VmEngine:
    if size.graph is not None:
        text = size.graph.read_text(encoding="utf-8")
        program = make_executor("tvmgo.graph_program.create", text, module, device, None)
        if params is not None:
            program["load_params"](params)
        return GraphEngine(GraphModule(program["create_state"]()))
    if module.kind in FACTORY_KINDS:
        return GraphEngine(GraphModule(module["default"](device)))
    if "vm_load_executable" in module:
        return VmEngine(module, device)
    raise TVMValueError(
        f"library: {size.library.name} has neither a graph inside nor a program of the virtual "
        f"machine; give its graph as well: graph=..., params=..."
    )


def _load_library(library: FilePart, private: bool | None) -> Module:
    if library.checksum is None:
        return load_module(library.path, private=private)
    with library.as_file() as path:
        return load_own_file(path, str(library))
