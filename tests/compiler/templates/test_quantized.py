# SPDX-License-Identifier: Apache-2.0
"""Quantised models: bytes from one product to the next, and what NumPy's integers say they are."""

import os
import subprocess
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.compiler.models import (
    FLOAT,
    functions,
    normal,
    onnx_model,
    onnx_runtime,
    read_graph,
    run,
)
from tvmgo.compiler import export

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

RANDOM = np.random.default_rng(5)
TYPES = {"uint8": TensorProto.UINT8, "int8": TensorProto.INT8, "int32": TensorProto.INT32}


def bytes_of(dtype, *shape):
    limits = np.iinfo(dtype)
    return RANDOM.integers(limits.min, limits.max + 1, shape).astype(dtype)


def exported(node, inputs, dtype, weights, folder, *, contrib=False):
    """Export a single operator; return its result, and the kernels that compute it."""
    given = {name: (TYPES[str(value.dtype)], value.shape) for name, value in inputs.items()}
    model = onnx_model([node], given, {"y": (TYPES[dtype], None)}, weights)
    if contrib:
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    artifacts = export(model, folder, target="native", verify=False)
    (result,) = run(artifacts, inputs)
    return result, functions(read_graph(artifacts))


def sums_of(x, zero, weights, weights_zero, pads=0, strides=1):
    """The sums of a convolution, in whole numbers."""
    x = np.pad(x.astype("int64") - zero, ((0, 0), (0, 0), (pads, pads), (pads, pads)))
    weights = weights.astype("int64") - weights_zero
    size = weights.shape[-1]
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (2, 3))
    return np.einsum("nchwij,ocij->nohw", windows[:, :, ::strides, ::strides], weights)


def requantised(sums, factor, zero, dtype):
    limits = np.iinfo(dtype)
    scaled = np.rint(sums.astype("float32") * factor) + zero
    return np.clip(scaled, limits.min, limits.max).astype(dtype)


@pytest.mark.parametrize(
    ("dtype", "zero", "out", "weights_zero"),
    [("uint8", 0, 255, 0), ("uint8", 255, 3, 0), ("int8", -128, -128, 0), ("uint8", 9, 7, 120)],
)
def test_q_linear_conv_is_exact(dtype, zero, out, weights_zero, tmp_path):
    x = bytes_of(dtype, 2, 7, 11, 13)
    kind = "uint8" if weights_zero else "int8"
    weights = bytes_of(kind, 21, 7, 3, 3)
    scales = RANDOM.uniform(0.001, 0.02, 21).astype("float32")
    zeros = np.full(21, weights_zero, kind)
    bias = RANDOM.integers(-5000, 5000, 21).astype("int32")
    constants = {
        "xs": np.float32(0.03),
        "xz": np.array(zero, dtype),
        "w": weights,
        "ws": scales,
        "wz": zeros,
        "ys": np.float32(0.9),
        "yz": np.array(out, dtype),
        "b": bias,
    }
    names = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"]
    node = helper.make_node("QLinearConv", names, ["y"], pads=[1] * 4, strides=[2, 2])
    result, kernels = exported(node, {"x": x}, dtype, constants, tmp_path)
    sums = sums_of(x, zero, weights, weights_zero, 1, 2) + bias.reshape(1, -1, 1, 1)
    factor = (np.float32(0.03) * scales / np.float32(0.9)).reshape(1, -1, 1, 1)
    assert (result == requantised(sums, factor, out, dtype)).all()
    assert any(name.endswith("conv2d_requantize") for name in kernels)


@pytest.mark.parametrize(("dtype", "zero"), [("uint8", 131), ("int8", -7)])
def test_q_linear_matmul_is_exact(dtype, zero, tmp_path):
    x, weights = bytes_of(dtype, 3, 5, 13), bytes_of("int8", 13, 21)
    constants = {
        "xs": np.float32(0.03),
        "xz": np.array(zero, dtype),
        "w": weights,
        "ws": np.float32(0.01),
        "wz": np.int8(3),
        "ys": np.float32(0.7),
        "yz": np.array(5, dtype),
    }
    node = helper.make_node("QLinearMatMul", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["y"])
    result, kernels = exported(node, {"x": x}, dtype, constants, tmp_path)
    sums = (x.astype("int64") - zero) @ (weights.astype("int64") - 3)
    factor = np.float32(0.03) * np.float32(0.01) / np.float32(0.7)
    assert (result == requantised(sums, factor, 5, dtype)).all()
    assert any(name.endswith("matmul_requantize") for name in kernels)


@pytest.mark.parametrize("zeros", [np.uint8(120), RANDOM.integers(0, 256, 21).astype("uint8")])
def test_matmul_integer_with_a_zero_point_of_the_run_is_exact(zeros, tmp_path):
    x, weights = bytes_of("uint8", 5, 14), bytes_of("uint8", 14, 21)
    node = helper.make_node("MatMulInteger", ["x", "w", "xz", "wz"], ["y"])
    inputs = {"x": x, "xz": np.array(77, "uint8")}
    result, kernels = exported(node, inputs, "int32", {"w": weights, "wz": zeros}, tmp_path)
    assert (result == (x.astype("int64") - 77) @ (weights.astype("int64") - zeros)).all()
    assert any(name.endswith("matmul_subtract") for name in kernels)


def test_conv_integer_is_exact(tmp_path):
    x, weights = bytes_of("uint8", 1, 6, 9, 8), bytes_of("int8", 5, 6, 3, 3)
    constants = {"w": weights, "xz": np.uint8(200)}
    node = helper.make_node("ConvInteger", ["x", "w", "xz"], ["y"], pads=[1] * 4)
    result, _ = exported(node, {"x": x}, "int32", constants, tmp_path)
    assert (result == sums_of(x, 200, weights, 0, 1)).all()


def test_conv_integer_with_a_zero_point_of_the_run_is_exact(tmp_path):
    x, weights = bytes_of("uint8", 1, 6, 9, 8), bytes_of("int8", 5, 6, 3, 3)
    node = helper.make_node("ConvInteger", ["x", "w", "xz"], ["y"], pads=[1, 0, 2, 1])
    inputs = {"x": x, "xz": np.array(200, "uint8")}
    result, kernels = exported(node, inputs, "int32", {"w": weights}, tmp_path)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 2), (0, 1)), constant_values=200)
    assert (result == sums_of(padded, 200, weights, 0)).all()
    assert any("conv2d_subtract" in name for name in kernels)


def test_q_gemm_is_exact(tmp_path):
    x, weights = bytes_of("uint8", 4, 18), bytes_of("int8", 9, 18)
    bias = RANDOM.integers(-900, 900, 9).astype("int32")
    constants = {
        "xs": np.float32(0.5),
        "xz": np.uint8(99),
        "w": weights,
        "ws": np.float32(0.25),
        "wz": np.int8(0),
        "b": bias,
        "ys": np.float32(8),
        "yz": np.uint8(128),
    }
    names = ["x", "xs", "xz", "w", "ws", "wz", "b", "ys", "yz"]
    node = helper.make_node("QGemm", names, ["y"], domain="com.microsoft", transB=1)
    result, _ = exported(node, {"x": x}, "uint8", constants, tmp_path, contrib=True)
    sums = (x.astype("int64") - 99) @ weights.T.astype("int64") + bias
    assert (result == requantised(sums, np.float32(0.5 * 0.25 / 8), 128, "uint8")).all()


def test_bytes_that_are_only_moved_stay_bytes(tmp_path):
    """Concat, Transpose and MaxPool, with the same scale before and behind."""
    scale = {"s": np.float32(0.05), "z": np.int8(-9)}
    nodes = [
        *(helper.make_node("DequantizeLinear", [x, "s", "z"], [f"{x}f"]) for x in "ab"),
        helper.make_node("Concat", ["af", "bf"], ["c"], axis=1),
        helper.make_node("MaxPool", ["c"], ["m"], kernel_shape=[2, 2], pads=[1, 1, 0, 0]),
        helper.make_node("Transpose", ["m"], ["t"], perm=[0, 2, 3, 1]),
        helper.make_node("QuantizeLinear", ["t", "s", "z"], ["y"]),
    ]
    a, b = bytes_of("int8", 1, 3, 4, 5), bytes_of("int8", 1, 2, 4, 5)
    given = {"a": (TensorProto.INT8, a.shape), "b": (TensorProto.INT8, b.shape)}
    model = onnx_model(nodes, given, {"y": (TensorProto.INT8, None)}, scale)
    artifacts = export(model, tmp_path, target="native", verify=False)
    (result,) = run(artifacts, {"a": a, "b": b})
    whole = np.pad(
        np.concatenate([a, b], 1), ((0, 0), (0, 0), (1, 0), (1, 0)), constant_values=-128
    )
    windows = np.lib.stride_tricks.sliding_window_view(whole, (2, 2), (2, 3))
    assert (result == windows.max((-2, -1)).transpose(0, 2, 3, 1)).all()
    assert set(read_graph(artifacts)["attrs"]["dltype"][1]) == {"int8"}


# A network in QDQ form


class Quantised:
    """A model whose tensors are quantised wherever ONNX Runtime's quantiser does so."""

    def __init__(self, dtype):
        self.dtype, self.nodes, self.weights = dtype, [], {}

    def name(self, value):
        self.weights[f"w{len(self.weights)}"] = value
        return f"w{len(self.weights) - 1}"

    def add(self, operator, *inputs, **attributes):
        output = f"t{len(self.nodes)}"
        names = [each if isinstance(each, str) else self.name(each) for each in inputs]
        self.nodes.append(helper.make_node(operator, names, [output], **attributes))
        return output

    def quantise(self, x, scale, zero):
        parts = np.float32(scale), np.array(zero, self.dtype)
        return self.add("DequantizeLinear", self.add("QuantizeLinear", x, *parts), *parts)

    def conv(self, x, scale, outputs, inputs, size, **attributes):
        """`scale` is that of x, and so, with that of the weights, of the bias."""
        scales = RANDOM.uniform(0.5, 1.5, outputs).astype("float32") / (60 * inputs**0.5 * size)
        weights = bytes_of("int8", outputs, inputs, size, size)
        zeros = np.zeros(outputs, "int8")
        kernel = self.add("DequantizeLinear", weights, scales, zeros, axis=0)
        bias = RANDOM.integers(-900, 900, outputs).astype("int32")
        parts = bias, scales * np.float32(scale), np.zeros(outputs, "int32")
        bias = self.add("DequantizeLinear", *parts, axis=0)
        return self.add("Conv", x, kernel, bias, pads=[size // 2] * 4, **attributes)

    def model(self):
        zero = 128 if self.dtype == "uint8" else 0
        low = np.iinfo(self.dtype).min
        x = self.quantise("x", 0.03, zero)
        x = self.quantise(self.add("Relu", self.conv(x, 0.03, 24, 3, 3, strides=[2, 2])), 0.02, low)
        pooled = self.add("MaxPool", x, kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4)
        x = first = self.quantise(pooled, 0.02, low)
        x = self.conv(x, 0.02, 24, 1, 3, group=24)
        x = self.add("Clip", x, np.float32(0), np.float32(3))
        x = self.quantise(x, 0.012, low)
        x = self.quantise(self.conv(x, 0.012, 24, 24, 1), 0.03, zero + 5)
        x = self.quantise(self.add("Relu", self.add("Add", x, first)), 0.025, low)
        x = self.quantise(self.add("GlobalAveragePool", x), 0.02, low)
        x = self.quantise(self.add("Flatten", x), 0.02, low)
        scales, zeros = np.full(11, 0.004, "float32"), np.zeros(11, "int8")
        weights = self.add("DequantizeLinear", bytes_of("int8", 11, 24), scales, zeros, axis=0)
        bias = normal(11)  # no whole number of quanta
        x = self.quantise(self.add("Gemm", x, weights, bias, transB=1), 0.05, zero - 3)
        output = {x: (FLOAT, None)}
        return onnx_model(self.nodes, {"x": (FLOAT, [1, 3, 25, 21])}, output, self.weights)


RUN = """
import numpy as np, sys, tvmgo
from pathlib import Path
folder = Path(sys.argv[1])
library = tvmgo.load_module(folder / "deploy.so")
graph = tvmgo.graph_executor.create((folder / "deploy.json").read_text(), library, tvmgo.cpu(0))
graph.load_params((folder / "deploy.params").read_bytes())
(result,) = graph(x=np.load(folder / "x.npy"))
np.save(folder / "y.npy", result.numpy())
"""


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_a_network_is_computed_with_bytes_at_every_level(dtype, tmp_path):
    model = Quantised(dtype).model()
    x = normal(1, 3, 25, 21)
    (expected,) = onnx_runtime(model, {"x": x})
    artifacts = export(model, tmp_path)
    np.save(tmp_path / "x.npy", x)
    for level in ("v2", "v3", "v4"):
        environment = {**os.environ, "TVMGO_CPU_LEVEL": level}
        subprocess.run(
            [sys.executable, "-c", RUN, str(tmp_path)], env=environment, check=True, timeout=120
        )
        off = np.abs(np.load(tmp_path / "y.npy") - expected)
        assert off.max() < 0.05 * 1.01 and (off > 0.025).mean() < 0.3, level
    graph = read_graph(artifacts)
    names = " ".join(functions(graph))
    assert names.count("conv2d") == 3 and "_add_" in names and "matmul" in names
    types = [spec for spec in graph["attrs"]["dltype"][1] if spec.startswith("float")]
    assert len(types) < len(graph["nodes"]) / 2
