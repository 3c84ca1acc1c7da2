# SPDX-License-Identifier: Apache-2.0
"""A `Model` and a session of ONNX Runtime for one network, and a request to both."""

from __future__ import annotations

import atexit
import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, TensorProto, helper

import tvmgo
from benchmarks.case import Timed
from benchmarks.networks.built import Writer
from examples.mobilenet import mobilenet_v1
from tvmgo.compiler import export

ROWS = 10_000
CORES = 2


class Rivals:
    """A model and a session of the same network, and a request."""

    def __init__(self, network: ModelProto, rows: tuple[int, ...], x: np.ndarray) -> None:
        self.x = x
        temporary = tempfile.TemporaryDirectory(prefix="tvmgo-model-")
        atexit.register(temporary.cleanup)
        self.folder = temporary.name
        self.path = path = Path(self.folder, "model.onnx")
        onnx.save(network, path)
        export(path, self.folder, batch=rows or None, verify=False)
        self.model = tvmgo.Model.load(self.folder, concurrency=CORES, threads=1)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options)
        self.expected = self.run_session(x)

    def run_session(self, x: np.ndarray) -> np.ndarray:
        return self.session.run(None, {self.session.get_inputs()[0].name: x})[0]

    def is_right(self, answer: Any) -> bool:
        return np.allclose(answer, self.expected, 1e-4, 1e-5)

    def call(self) -> Timed:
        return Timed(functools.partial(self.model, self.x), self.is_right)

    def session_run(self) -> Timed:
        run = functools.partial(self.session.run, None, {self.model.inputs[0].name: self.x})
        return Timed(run, lambda answer: self.is_right(answer[0]))

    def bound(self) -> Timed:
        binding = self.model.bind({"x": self.x})
        (output,) = binding.outputs.values()
        return Timed(binding.run, lambda _answer: self.is_right(np.asarray(output)))

    def session_bound(self) -> Timed:
        binding = self.session.io_binding()
        binding.bind_cpu_input("x", self.x)
        binding.bind_output(self.session.get_outputs()[0].name)
        run = functools.partial(self.session.run_with_iobinding, binding)
        return Timed(run, lambda _answer: self.is_right(binding.copy_outputs_to_cpu()[0]))


@functools.cache
def one_operator() -> Rivals:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [16])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [16])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "relu", [x], [y])
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return Rivals(network, (), np.linspace(-1, 1, 16, dtype="float32"))


@functools.cache
def dense_layers(width: int = 512, rows: int = ROWS) -> Rivals:
    writer, value = Writer(), "x"
    for inputs, outputs in ((784, width), (width, width)):
        value = writer.add("Relu", writer.dense(value, inputs, outputs))
    network = writer.model({"x": ("FLOAT", ["N", 784])}, writer.dense(value, width, 10))
    x = np.random.default_rng(0).standard_normal((rows, 784)).astype("float32")
    return Rivals(network, (1, 8, 64, 256), x)


@functools.cache
def mobilenet() -> Rivals:
    x = np.random.default_rng(0).random((1, 224, 224, 3), "float32")
    return Rivals(mobilenet_v1(), (), x)
