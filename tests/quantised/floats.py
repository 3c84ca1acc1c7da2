# SPDX-License-Identifier: Apache-2.0
"""Small models of floats, one for each kind of operator that quantisers know."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

RANDOM = np.random.default_rng(4)
IMAGE = (1, 32, 28, 28)
ROWS, DEPTH, COLUMNS = 8, 256, 512
STEPS, HIDDEN = 12, 64


def weights(*shape, scale=None):
    scale = scale or 1 / np.sqrt(shape[-1] if len(shape) == 1 else np.prod(shape[1:]))
    return (RANDOM.standard_normal(shape) * scale).astype("float32")


def model(nodes, shape, constants, *, opset=17, code=TensorProto.FLOAT):
    tensors = [numpy_helper.from_array(np.asarray(each), name) for name, each in constants.items()]
    domains = {"": opset, **{each.domain: 1 for each in nodes if each.domain}}
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info("x", code, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        tensors,
    )
    opsets = [helper.make_opsetid(*each) for each in domains.items()]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def node(operator, inputs, output="y", **attributes):
    name = f"{operator}_of_{output}"
    return helper.make_node(operator, inputs, [output], name=name, **attributes)


def conv(groups=1):
    kernel = weights(32 if groups > 1 else 64, 32 // groups, 3, 3)
    nodes = [
        node("Conv", ["x", "w", "b"], "c", pads=[1] * 4, group=groups),
        node("Relu", ["c"], "y"),
    ]
    return model(nodes, IMAGE, {"w": kernel, "b": weights(len(kernel))})


def conv_transpose():
    nodes = [node("ConvTranspose", ["x", "w"], strides=[2, 2])]
    return model(nodes, IMAGE, {"w": weights(32, 16, 2, 2)})


def conv_1d():
    return model([node("Conv", ["x", "w"], pads=[1, 1])], (1, 32, 200), {"w": weights(64, 32, 3)})


def matmul():
    nodes = [node("MatMul", ["x", "w"], "p"), node("Add", ["p", "b"])]
    constants = {"w": weights(DEPTH, COLUMNS, scale=1 / 16), "b": weights(COLUMNS)}
    return model(nodes, (1, ROWS, DEPTH), constants)


def gemm():
    constants = {"w": weights(COLUMNS, DEPTH), "b": weights(COLUMNS)}
    return model([node("Gemm", ["x", "w", "b"], transB=1)], (ROWS, DEPTH), constants)


def two_tensors():
    """The product of two tensors, as in attention."""
    nodes = [
        node("MatMul", ["x", "w"], "p"),
        node("Transpose", ["p"], "t", perm=[0, 2, 1]),
        node("MatMul", ["p", "t"]),
    ]
    return model(nodes, (1, 32, 64), {"w": weights(64, 64)})


def lstm():
    constants = {
        "w": weights(1, 4 * HIDDEN, HIDDEN, scale=1 / 8),
        "r": weights(1, 4 * HIDDEN, HIDDEN, scale=1 / 8),
        "b": weights(1, 8 * HIDDEN),
    }
    nodes = [node("LSTM", ["x", "w", "r", "b"], hidden_size=HIDDEN)]
    return model(nodes, (STEPS, 1, HIDDEN), constants)


def gru():
    constants = {
        "w": weights(1, 3 * HIDDEN, HIDDEN, scale=1 / 8),
        "r": weights(1, 3 * HIDDEN, HIDDEN, scale=1 / 8),
    }
    return model([node("GRU", ["x", "w", "r"], hidden_size=HIDDEN)], (STEPS, 1, HIDDEN), constants)


def attention():
    constants = {"w": weights(64, 192), "b": weights(192)}
    nodes = [node("Attention", ["x", "w", "b"], num_heads=4, domain="com.microsoft")]
    return model(nodes, (1, 16, 64), constants)


def embedding():
    nodes = [node("Gather", ["table", "x"], "rows"), node("MatMul", ["rows", "w"])]
    constants = {"table": weights(1000, 64), "w": weights(64, 64)}
    return model(nodes, (1, 16), constants, code=TensorProto.INT64)


def elementwise(*operators, shape=IMAGE, **attributes):
    """A convolution, and behind it what quantisers compute with its bytes."""
    kernel = weights(32, 32, 1, 1)
    nodes = [node("Conv", ["x", "w"], "c")]
    last = "c"
    for number, operator in enumerate(operators):
        output = "y" if number == len(operators) - 1 else f"v{number}"
        two = [last, "x"] if operator in ("Add", "Mul", "Concat") else [last]
        given = {"axis": 1} if operator in ("Concat", "Softmax") else {}
        if operator in ("MaxPool", "AveragePool"):
            given = {"kernel_shape": [2, 2], "strides": [2, 2]}
        nodes.append(node(operator, two, output, **given, **attributes))
        last = output
    return model(nodes, shape, {"w": kernel})


MODELS = {
    "Conv": conv,
    "depthwise Conv": lambda: conv(32),
    "Conv of one axis": conv_1d,
    "ConvTranspose": conv_transpose,
    "MatMul": matmul,
    "MatMul of two tensors": two_tensors,
    "Gemm": gemm,
    "LSTM": lstm,
    "GRU": gru,
    "Attention": attention,
    "Gather": embedding,
    "Add": lambda: elementwise("Add"),
    "Mul": lambda: elementwise("Mul"),
    "Sigmoid": lambda: elementwise("Sigmoid"),
    "LeakyRelu": lambda: elementwise("LeakyRelu", alpha=0.1),
    "Concat": lambda: elementwise("Concat"),
    "Softmax": lambda: elementwise("Softmax"),
    "GlobalAveragePool": lambda: elementwise("GlobalAveragePool"),
    "AveragePool": lambda: elementwise("AveragePool"),
    "MaxPool": lambda: elementwise("MaxPool"),
}


def sample(given):
    """Return an input of a model."""
    kind = given.graph.input[0].type.tensor_type
    shape = [dim.dim_value for dim in kind.shape.dim]
    if kind.elem_type == TensorProto.INT64:
        return RANDOM.integers(0, 1000, shape)
    dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
    return RANDOM.standard_normal(shape).astype(dtype)
