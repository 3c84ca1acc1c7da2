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
from tvmgo.compiler import export

ROWS = 10_000


class Rivals:
    """A model and a session of the same network, and a request."""

    def __init__(self, network: ModelProto, rows: tuple[int, ...], x: np.ndarray) -> None:
        self.x = x
        folder = tempfile.TemporaryDirectory(prefix="tvmgo-model-")
        atexit.register(folder.cleanup)
        path = Path(folder.name, "model.onnx")
        onnx.save(network, path)
        export(path, folder.name, batch=rows or None, verify=False)
        self.model = tvmgo.Model.load(folder.name, threads=1)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options)
        self.expected = self.session.run(None, {"x": x})[0]

    def is_right(self, answer: Any) -> bool:
        return np.allclose(answer, self.expected, 1e-4, 1e-5)

    def call(self) -> Timed:
        return Timed(functools.partial(self.model, self.x), self.is_right)

    def session_run(self) -> Timed:
        run = functools.partial(self.session.run, None, {"x": self.x})
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
def dense_layers() -> Rivals:
    writer, value = Writer(), "x"
    for inputs, outputs in ((784, 512), (512, 512)):
        value = writer.add("Relu", writer.dense(value, inputs, outputs))
    network = writer.model({"x": ("FLOAT", ["N", 784])}, writer.dense(value, 512, 10))
    x = np.random.default_rng(0).standard_normal((ROWS, 784)).astype("float32")
    return Rivals(network, (1, 8, 64, 256), x)
