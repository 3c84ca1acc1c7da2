# SPDX-License-Identifier: Apache-2.0
"""Networks with random weights, written node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper


class Writer:
    """A graph that grows; values are names."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(0)
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def add(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """Add an operator; return its first output."""
        names = [f"v{len(self.nodes)}"] + [""] * (outputs - 1)
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names[0]

    def constant(self, array: Any, dtype: str | None = None) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def weight(self, *shape: int) -> str:
        """Draw a matrix or kernel that keeps the size of what it is applied to."""
        scale = (2 / np.prod(shape[1:] if len(shape) > 2 else shape[:1])) ** 0.5
        return self.constant(self.random.standard_normal(shape) * scale, "float32")

    def dense(self, x: str, inputs: int, outputs: int) -> str:
        product = self.add("MatMul", x, self.weight(inputs, outputs))
        return self.add("Add", product, self.weight(outputs))

    def norm(self, x: str, size: int) -> str:
        scale, shift = self.constant(np.ones(size), "float32"), self.weight(size)
        return self.add("LayerNormalization", x, scale, shift, axis=-1)

    def model(self, inputs: dict[str, tuple[str, Sequence[int]]], output: str) -> ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "network",
            [
                helper.make_tensor_value_info(name, getattr(TensorProto, kind), shape)
                for name, (kind, shape) in inputs.items()
            ],
            [helper.make_empty_tensor_value_info(output)],
            self.weights,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def mini_lm(length: int) -> ModelProto:
    """Six layers of 384 in 12 heads: token ids and a mask in, a vector for each token out."""
    w, width, heads, size = Writer(), 384, 12, 32
    x = w.add("Gather", w.weight(30522, width), "input_ids")
    x = w.norm(w.add("Add", x, w.weight(length, width)), width)
    mask = w.add("Cast", "attention_mask", to=TensorProto.FLOAT)
    mask = w.add("Sub", mask, w.constant(1, "float32"))
    mask = w.add("Mul", mask, w.constant(1e4, "float32"))
    mask = w.add("Reshape", mask, w.constant([1, 1, 1, length]))
    split, joined = w.constant([1, length, heads, size]), w.constant([1, length, width])
    for _ in range(6):
        q, k, v = (w.add("Reshape", w.dense(x, width, width), split) for _ in "qkv")
        q, v = (w.add("Transpose", each, perm=[0, 2, 1, 3]) for each in (q, v))
        k = w.add("Transpose", k, perm=[0, 2, 3, 1])
        scores = w.add("Div", w.add("MatMul", q, k), w.constant(size**0.5, "float32"))
        shares = w.add("Softmax", w.add("Add", scores, mask), axis=-1)
        mixed = w.add("Transpose", w.add("MatMul", shares, v), perm=[0, 2, 1, 3])
        mixed = w.dense(w.add("Reshape", mixed, joined), width, width)
        x = w.norm(w.add("Add", mixed, x), width)
        wide = w.dense(x, width, 4 * width)
        erf = w.add("Erf", w.add("Div", wide, w.constant(2**0.5, "float32")))
        gelu = w.add("Mul", wide, w.add("Add", erf, w.constant(1, "float32")))
        gelu = w.add("Mul", gelu, w.constant(0.5, "float32"))
        x = w.norm(w.add("Add", w.dense(gelu, 4 * width, width), x), width)
    return w.model(dict.fromkeys(("input_ids", "attention_mask"), ("INT64", (1, length))), x)


def mlp(batch: int) -> ModelProto:
    """Three layers, 784 to 512 to 512 to 10."""
    w, x = Writer(), "x"
    for inputs, outputs in ((784, 512), (512, 512)):
        x = w.add("Gemm", x, w.weight(inputs, outputs), w.weight(outputs))
        x = w.add("Relu", x)
    x = w.add("Gemm", x, w.weight(512, 10), w.weight(10))
    return w.model({"x": ("FLOAT", (batch, 784))}, w.add("Softmax", x, axis=-1))


def reader() -> ModelProto:
    """Read a line of text: convolutions over the picture, an LSTM in both directions along it."""
    w, x, channels = Writer(), "x", 1
    for outputs, stride in (
        (32, [2, 2]),
        (64, [2, 2]),
        (128, [2, 1]),
        (256, [2, 1]),
        (256, [2, 1]),
    ):
        weight, bias = w.weight(outputs, channels, 3, 3), w.weight(outputs)
        x = w.add("Conv", x, weight, bias, pads=[1, 1, 1, 1], strides=stride)
        x, channels = w.add("Relu", x), outputs
    x = w.add("Transpose", w.add("Squeeze", x, w.constant([2])), perm=[2, 0, 1])
    hidden = 128
    weights = w.weight(2, 4 * hidden, channels), w.weight(2, 4 * hidden, hidden)
    bias = w.constant(np.zeros((2, 8 * hidden)), "float32")
    x = w.add("LSTM", x, *weights, bias, hidden_size=hidden, direction="bidirectional")
    x = w.add("Transpose", x, perm=[2, 0, 1, 3])
    x = w.dense(w.add("Reshape", x, w.constant([40, 2 * hidden])), 2 * hidden, 96)
    return w.model({"x": ("FLOAT", (1, 1, 32, 160))}, w.add("LogSoftmax", x, axis=-1))
