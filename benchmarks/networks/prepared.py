# SPDX-License-Identifier: Apache-2.0
"""A network exported by default arguments, and ready to be run by tvmgo and by ONNX Runtime."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

import tvmgo
from benchmarks.case import Timed
from benchmarks.networks.catalogue import BY_NAME, Network
from tvmgo.compiler import Artifacts, export

LEVEL = "TVMGO_CPU_LEVEL"
limit_threads = tvmgo.get_global_func("tvmgo.limit_threads")


@dataclass(frozen=True)
class Prepared:
    """What the rivals share."""

    network: Network
    path: Path
    artifacts: Artifacts
    inputs: dict[str, np.ndarray]
    seconds: float  # that the export took

    def graph(self, level: str = "") -> Any:
        """Return an executor with its inputs set; its kernels are those of a level, by default the best."""
        library = self.artifacts.library
        if level:
            copy = library.with_name(f"{level}.so")  # a library chooses when it is loaded
            shutil.copy(library, copy)
            library, os.environ[LEVEL] = copy, level
        try:
            module = tvmgo.load_module(library)
        finally:
            os.environ.pop(LEVEL, None)
        assert self.artifacts.graph is not None and self.artifacts.params is not None
        graph = tvmgo.graph_executor.create(
            self.artifacts.graph.read_text(encoding="utf-8"), module, tvmgo.cpu(0)
        )
        graph.load_params(self.artifacts.params.read_bytes())
        graph.set_input(**self.inputs)
        return graph

    def ours(self, threads: int, level: str = "") -> Timed:
        graph = self.graph(level)
        limit_threads(threads)  # of this thread, until another case says otherwise

        def is_right(_answer: object) -> bool:
            results = [graph.get_output(i).numpy() for i in range(graph.get_num_outputs())]
            return max(map(error_of, results, self.expected())) <= self.network.tolerance

        return Timed(graph["run"], is_right)

    def theirs(self, threads: int) -> Timed:
        session = session_of(self.path, threads)
        binding = session.io_binding()
        for name, value in self.inputs.items():
            binding.bind_cpu_input(name, value)
        for output in session.get_outputs():
            binding.bind_output(output.name, "cpu")
        return Timed(functools.partial(session.run_with_iobinding, binding), lambda _answer: True)

    def expected(self) -> list[np.ndarray]:
        return session_of(self.path, 1).run(None, self.inputs)


def session_of(path: Path, threads: int, profile: str = "") -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    if profile:
        options.enable_profiling, options.profile_file_prefix = True, profile
    model = onnx.load(path)
    for output in model.graph.output:
        # One of another rank than declared must not be bound; without any type is fine.
        if output.type.HasField("tensor_type"):
            output.type.tensor_type.ClearField("shape")
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def error_of(result: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference as a part of the largest number.

    ONNX Runtime's sigmoids are right to 1e-7, however small they are: what is below 1e-3 counts so.
    """
    if result.shape != expected.shape:
        return float("inf")
    largest = np.abs(expected.astype("f8")).max(initial=1e-3)
    return float(np.abs(result.astype("f8") - expected.astype("f8")).max(initial=0) / largest)


def made_up(network: Network, path: Path) -> dict[str, np.ndarray]:
    """Return inputs: noise, and integers that every table has."""
    random = np.random.default_rng(0)
    inputs = {}
    for each in session_of(path, 1).get_inputs():
        shape = network.shapes.get(each.name, each.shape)
        if "float" in each.type:
            inputs[each.name] = random.standard_normal(shape).astype("float32")
        else:
            mask = "mask" in each.name
            inputs[each.name] = np.asarray(random.integers(mask, 2, shape), "int64")
    return inputs


@functools.lru_cache(maxsize=1)
def prepare(name: str) -> Prepared:
    """Export a network. The files are gone when Python ends."""
    network = BY_NAME[name]
    path = network.path()
    folder = tempfile.TemporaryDirectory(prefix="tvmgo-networks-")
    atexit.register(folder.cleanup)
    start = time.monotonic()
    artifacts = export(path, folder.name, shapes=network.shapes, verify=False)
    seconds = time.monotonic() - start
    return Prepared(network, path, artifacts, made_up(network, path), seconds)


Rival = Callable[[Prepared], Timed]
