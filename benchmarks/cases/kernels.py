# SPDX-License-Identifier: Apache-2.0
"""Compiled kernels, of which instructions are counted: those of x86-64-v3, which Valgrind can run.

What they are beside is the number of operations, each on one number, that the operator cannot do without.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

import tvmgo
from benchmarks import BUILD
from benchmarks.case import Case, Group, Timed
from tvmgo.compiler import export

KERNELS = Group(
    "Compiled kernels",
    "How many instructions does a kernel take for each operation on one number?",
    "The operations: a multiplication and an addition for each product, one for each element else.",
)
LEVEL = {"kind": "llvm", "mcpu": "x86-64-v3"}
FOLDER = BUILD / "kernels"
# Set where FOLDER has the kernels of now; to compile under Valgrind would take hours.
READY = "TVMGO_BENCHMARK_KERNELS"


def model_of(
    operator: str, x: tuple[int, ...], *weights: tuple[int, ...], then: str = "", **attributes: Any
) -> ModelProto:
    """Return a model of an operator, and perhaps one behind it, with random weights of these shapes."""
    random = np.random.default_rng(0)
    tensors = [
        numpy_helper.from_array(random.standard_normal(shape).astype("float32") / 8, f"w{i}")
        for i, shape in enumerate(weights)
    ]
    nodes = [
        helper.make_node(operator, ["x", *(each.name for each in tensors)], ["a"], **attributes)
    ]
    if then:
        nodes.append(helper.make_node(then, ["a"], ["b"]))
    graph = helper.make_graph(
        nodes,
        "kernel",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)],
        [helper.make_empty_tensor_value_info(nodes[-1].output[0])],
        tensors,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


# By name: the model, and the operations of its definition.
MODELS: dict[str, tuple[Callable[[], ModelProto], int]] = {
    "convolution, 3 by 3": (
        partial(model_of, "Conv", (1, 64, 28, 28), (64, 64, 3, 3), pads=[1, 1, 1, 1]),
        2 * 28 * 28 * 64 * 64 * 9,
    ),
    "convolution, 3 by 3, every second pixel": (
        partial(
            model_of, "Conv", (1, 64, 28, 28), (64, 64, 3, 3), pads=[1, 1, 1, 1], strides=[2, 2]
        ),
        2 * 14 * 14 * 64 * 64 * 9,
    ),
    "convolution, 1 by 1, and ReLU": (
        partial(model_of, "Conv", (1, 128, 14, 14), (128, 128, 1, 1), then="Relu"),
        2 * 14 * 14 * 128 * 128,
    ),
    "convolution, 7 by 7 of three channels": (
        partial(model_of, "Conv", (1, 3, 64, 64), (32, 3, 7, 7), pads=[3, 3, 3, 3], strides=[2, 2]),
        2 * 32 * 32 * 32 * 3 * 49,
    ),
    "depthwise convolution": (
        partial(model_of, "Conv", (1, 64, 28, 28), (64, 1, 3, 3), pads=[1, 1, 1, 1], group=64),
        2 * 28 * 28 * 64 * 9,
    ),
    "product and GELU": (
        partial(model_of, "MatMul", (64, 128), (128, 512), then="Gelu"),
        2 * 64 * 128 * 512,
    ),
    "product of one row": (partial(model_of, "MatMul", (1, 512), (512, 1000)), 2 * 512 * 1000),
    "softmax": (partial(model_of, "Softmax", (128, 128)), 128 * 128),
    "layer normalisation": (
        partial(model_of, "LayerNormalization", (64, 384), (384,), (384,)),
        64 * 384,
    ),
    "LSTM": (
        partial(model_of, "LSTM", (8, 1, 64), (1, 256, 64), (1, 256, 64), hidden_size=64),
        2 * 8 * 256 * 128,
    ),
}


def export_one(name: str) -> None:
    """Compile a kernel into `FOLDER`, with an input and what ONNX Runtime makes of it."""
    import onnxruntime  # not where instructions are counted: those of its threads would be, too

    model, folder = MODELS[name][0](), FOLDER / name
    export(model, folder, target=LEVEL, verify=False)
    shape = [size.dim_value for size in model.graph.input[0].type.tensor_type.shape.dim]
    x = np.random.default_rng(1).standard_normal(shape).astype("float32")
    session = onnxruntime.InferenceSession(model.SerializeToString())
    np.savez(folder / "example.npz", x=x, expected=session.run(None, {"x": x})[0])


def export_all() -> None:
    """Compile all kernels into `FOLDER`."""
    for name in MODELS:
        export_one(name)


def run_kernel(name: str) -> Timed:
    """The executor's `run` of a graph with little but the kernel."""
    if READY not in os.environ:
        export_one(name)
    folder = FOLDER / name
    graph = tvmgo.graph_executor.create(
        (folder / "deploy.json").read_text(), tvmgo.load_module(folder / "deploy.so"), tvmgo.cpu(0)
    )
    graph.load_params((folder / "deploy.params").read_bytes())
    with np.load(folder / "example.npz") as example:
        x, expected = example["x"], example["expected"]
    graph.set_input("x", x)

    def is_right(_answer: object) -> bool:
        return np.allclose(graph.get_output(0).numpy(), expected, atol=1e-3)

    return Timed(graph["run"], is_right)


CASES = tuple(
    Case(
        KERNELS,
        name,
        partial(str, name),
        {"tvmgo": run_kernel},
        sample_ns=5e6,
        counted="operations",
        known={"operations": operations},
    )
    for name, (_, operations) in MODELS.items()
)
