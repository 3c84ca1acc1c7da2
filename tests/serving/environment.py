# SPDX-License-Identifier: Apache-2.0
"""What `make test-serving` needs: an environment with KServe and clients of the protocol, and models."""

from itertools import pairwise

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

from examples.mobilenet import mobilenet_v1
from tests.helpers import CHECKOUT, environment_with
from tests.model import exact
from tvmgo.compiler import export
from tvmgo.serving.tensors import DATATYPES

CACHE = CHECKOUT / ".cache" / "serving"
MODELS = CACHE / "models"
REQUIREMENTS = ["kserve>=0.21,<0.22", "tritonclient[http,grpc]==2.73.0"]


def environment():
    """Return the interpreter of the environment, which is made unless it is there."""
    return environment_with(CACHE / "env", REQUIREMENTS)


def models():
    """Export what the server serves, unless it is there: the name of each says what it is for."""
    MODELS.mkdir(parents=True, exist_ok=True)
    for name, (make, arguments) in {
        "exact": (exact.save_network, {"batch": (1, 8, 32)}),
        "twice": (lambda path: exact.save_network(path, factor=2), {"batch": (1, 8, 32)}),
        "types": (save_types, {}),
        "slow": (save_slow, {}),
        "mlp": (save_mlp, {"batch": (1, 8, 32)}),
        "mobilenet": (lambda path: save(mobilenet_v1(), path), {}),
    }.items():
        if not (MODELS / name / "model.json").exists():
            make(MODELS / f"{name}.onnx")
            export(MODELS / f"{name}.onnx", MODELS / name, **arguments)
    return MODELS


TYPES = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "INT8": TensorProto.INT8,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
}


def sample(name):
    """Return a tensor of a type of `TYPES`: with its least and largest number where it holds integers."""
    dtype = DATATYPES[name]
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return np.array([[0, 1, 2], [3, limits.min, limits.max]], dtype)
    return np.array([[0, 1, 0], [1, 1, 0]], dtype)


def save_types(path):
    """Write a model that turns a 2 x 3 tensor of each type round."""
    nodes, inputs, outputs = [], [], []
    for name, kind in TYPES.items():
        nodes.append(helper.make_node("Transpose", [name], [f"{name}_t"], perm=[1, 0]))
        inputs.append(helper.make_tensor_value_info(name, kind, [2, 3]))
        outputs.append(helper.make_tensor_value_info(f"{name}_t", kind, [3, 2]))
    graph = helper.make_graph(nodes, "types", inputs, outputs)
    opset = [helper.make_opsetid("", 17)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def save_mlp(path):
    """Write three dense layers with weights by chance: x [N, 784] -> y [N, 10]."""
    sizes, random = [784, 512, 512, 10], np.random.default_rng(0)
    nodes, weights, value = [], [], "x"
    for number, (rows, columns) in enumerate(pairwise(sizes)):
        weight = random.normal(0, rows**-0.5, (rows, columns)).astype("float32")
        weights.append(numpy_helper.from_array(weight, f"w{number}"))
        nodes.append(helper.make_node("MatMul", [value, f"w{number}"], [f"m{number}"]))
        nodes.append(helper.make_node("Relu", [f"m{number}"], [value := f"r{number}"]))
    nodes[-1].output[0] = "y"
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", sizes[0]])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", sizes[-1]])
    graph = helper.make_graph(nodes, "mlp", [x], [y], weights)
    opset = [helper.make_opsetid("", 17)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def save_slow(path):
    """Write a model that takes some tens of milliseconds, and whose rows are not independent."""
    nodes = [helper.make_node("MatMul", ["x", "x"], ["p0"])]
    for i in range(12):
        nodes.append(helper.make_node("MatMul", [f"p{i}", "x"], [f"q{i}"]))
        nodes.append(helper.make_node("Tanh", [f"q{i}"], [f"p{i + 1}"]))
    nodes.append(helper.make_node("ReduceSum", ["p12"], ["y"], keepdims=0))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [512, 512])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [])
    graph = helper.make_graph(nodes, "slow", [x], [y])
    opset = [helper.make_opsetid("", 17)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
