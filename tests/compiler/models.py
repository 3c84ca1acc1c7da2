# SPDX-License-Identifier: Apache-2.0
"""Small models, and how the tests of the exporter run them."""

import json

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from tvm.script import from_source

import tvmgo

RANDOM = np.random.RandomState(0)


def normal(*shape, dtype="float32"):
    return RANDOM.standard_normal(shape).astype(dtype)


def onnx_model(nodes, inputs, outputs, weights=None):
    """Make a model; `inputs` and `outputs` map names to (element type, shape)."""
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info(name, *spec) for name, spec in inputs.items()],
        [helper.make_tensor_value_info(name, *spec) for name, spec in outputs.items()],
        [
            numpy_helper.from_array(np.asarray(value), name)
            for name, value in (weights or {}).items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def relax_module(body):
    from tvm.script import ir as I
    from tvm.script import relax as R
    from tvm.script import tirx as T

    return from_source("@I.ir_module\n" + body, {"I": I, "R": R, "T": T})


def open_graph(artifacts):
    graph = tvmgo.graph_executor.create(
        artifacts.graph.read_text(encoding="utf-8"),
        tvmgo.load_module(artifacts.library),
        tvmgo.cpu(0),
    )
    graph.load_params(artifacts.params.read_bytes())
    return graph


def run(artifacts, inputs):
    graph = open_graph(artifacts)
    for name, value in inputs.items():
        graph.set_input(name, value)
    graph.run()
    return [graph.get_output(i).numpy() for i in range(graph.get_num_outputs())]


def read_graph(artifacts):
    return json.loads(artifacts.graph.read_text(encoding="utf-8"))


def functions(graph):
    return [node["attrs"]["func_name"] for node in graph["nodes"] if node["op"] == "tvm_op"]


def onnx_runtime(model, inputs):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, inputs)


def assert_same(results, expected, *, rtol=1e-5, atol=1e-6):
    assert len(results) == len(expected)
    for result, reference in zip(results, expected):
        reference = np.asarray(reference)
        assert result.dtype == reference.dtype
        assert result.shape == reference.shape
        np.testing.assert_allclose(
            result.astype("float64"), reference.astype("float64"), rtol=rtol, atol=atol
        )


def assert_refused(error, *fragments):
    message = str(error.value)
    for fragment in fragments:
        assert fragment in message
    assert message == f"{error.value.where}: {error.value.reason}. Instead, {error.value.instead}."


def storage_bytes(graph):
    """Bytes of all pools, and of all entries if each had its own."""
    attributes = {key: value for key, (_, value) in graph["attrs"].items()}
    pools = {}
    total = 0
    for shape, dtype, pool in zip(
        attributes["shape"], attributes["dltype"], attributes["storage_id"]
    ):
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        pools[pool] = max(pools.get(pool, 0), size)
        total += size
    return sum(pools.values()), total


X = normal(2, 3)
DOUBLE = """class Module:
    @R.function
    def main(x: R.Tensor((2, 3), "{dtype}")):
        with R.dataflow():
            y = R.add(x, R.const({constant}, "{dtype}"))
            z = R.multiply(y, y)
            R.output(z)
        return z
"""

# ONNX models: name to (model, inputs)

FLOAT, INT64, BOOL, UINT8 = (
    TensorProto.FLOAT,
    TensorProto.INT64,
    TensorProto.BOOL,
    TensorProto.UINT8,
)


def lstm():
    node = helper.make_node("LSTM", ["x", "w", "r", "b"], ["y"], hidden_size=32)
    weights = {"w": normal(1, 128, 24) / 5, "r": normal(1, 128, 32) / 5, "b": normal(1, 256)}
    model = onnx_model([node], {"x": (FLOAT, [9, 2, 24])}, {"y": (FLOAT, [9, 1, 2, 32])}, weights)
    return model, {"x": normal(9, 2, 24)}


def mlp():
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["h1"], transB=1),
        helper.make_node("Relu", ["h1"], ["a1"]),
        helper.make_node("Gemm", ["a1", "w2", "b2"], ["h2"], transB=1),
        helper.make_node("Softmax", ["h2"], ["y"], axis=1),
    ]
    weights = {"w1": normal(32, 16), "b1": normal(32), "w2": normal(10, 32), "b2": normal(10)}
    model = onnx_model(nodes, {"x": (FLOAT, [4, 16])}, {"y": (FLOAT, [4, 10])}, weights)
    return model, {"x": normal(4, 16)}


def conv_batch_norm_relu():
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c", "scale", "b", "mean", "var"], ["n"]),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "dense"], ["y"]),
    ]
    weights = {
        "w": normal(8, 3, 3, 3),
        "scale": normal(8),
        "b": normal(8),
        "mean": normal(8),
        "var": np.abs(normal(8)) + 0.5,
        "dense": normal(8, 5),
    }
    model = onnx_model(nodes, {"x": (FLOAT, [2, 3, 8, 8])}, {"y": (FLOAT, [2, 5])}, weights)
    return model, {"x": normal(2, 3, 8, 8)}


def transformer_block():
    length, width, heads = 6, 16, 4
    split = np.array([1, length, heads, width // heads])
    nodes = [
        helper.make_node("LayerNormalization", ["x", "g1", "c1"], ["n1"], axis=-1),
        *(helper.make_node("MatMul", ["n1", f"w{p}"], [p]) for p in "qkv"),
        *(helper.make_node("Reshape", [p, "split"], [f"{p}s"]) for p in "qkv"),
        helper.make_node("Transpose", ["qs"], ["qt"], perm=[0, 2, 1, 3]),
        helper.make_node("Transpose", ["ks"], ["kt"], perm=[0, 2, 3, 1]),
        helper.make_node("Transpose", ["vs"], ["vt"], perm=[0, 2, 1, 3]),
        helper.make_node("MatMul", ["qt", "kt"], ["scores"]),
        helper.make_node("Div", ["scores", "root"], ["scaled"]),
        helper.make_node("Softmax", ["scaled"], ["attention"], axis=-1),
        helper.make_node("MatMul", ["attention", "vt"], ["mixed"]),
        helper.make_node("Transpose", ["mixed"], ["back"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["back", "join"], ["joined"]),
        helper.make_node("Add", ["joined", "x"], ["residual"]),
        helper.make_node("LayerNormalization", ["residual", "g2", "c2"], ["n2"], axis=-1),
        helper.make_node("MatMul", ["n2", "up"], ["wide"]),
        helper.make_node("Tanh", ["wide"], ["active"]),
        helper.make_node("MatMul", ["active", "down"], ["narrow"]),
        helper.make_node("Add", ["narrow", "residual"], ["y"]),
    ]
    weights = {
        **{f"w{p}": normal(width, width) / 4 for p in "qkv"},
        **{name: normal(width) for name in ("g1", "c1", "g2", "c2")},
        "up": normal(width, 4 * width) / 4,
        "down": normal(4 * width, width) / 8,
        "split": split,
        "join": np.array([1, length, width]),
        "root": np.float32(2),
    }
    spec = (FLOAT, [1, length, width])
    return onnx_model(nodes, {"x": spec}, {"y": spec}, weights), {"x": normal(1, length, width)}


def integers():
    nodes = [
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("Mul", ["sum", "a"], ["product"]),
        helper.make_node("ArgMax", ["product"], ["largest"], axis=1, keepdims=0),
        helper.make_node("Gather", ["a", "columns"], ["chosen"], axis=1),
        helper.make_node("Shape", ["a"], ["shape"]),
    ]
    spec = (INT64, [3, 4])
    outputs = {
        "sum": spec,
        "product": spec,
        "largest": (INT64, [3]),
        "chosen": (INT64, [3, 2]),
        "shape": (INT64, [2]),
    }
    model = onnx_model(nodes, {"a": spec, "b": spec}, outputs, {"columns": np.array([3, 0])})
    return model, {name: RANDOM.randint(-(2**40), 2**20, (3, 4)) for name in "ab"}


def booleans():
    nodes = [
        helper.make_node("Greater", ["x", "zero"], ["positive"]),
        helper.make_node("And", ["positive", "mask"], ["both"]),
        helper.make_node("Not", ["both"], ["neither"]),
        helper.make_node("Or", ["neither", "constant"], ["either"]),
    ]
    spec = (BOOL, [2, 5])
    model = onnx_model(
        nodes,
        {"x": (FLOAT, [2, 5]), "mask": spec},
        {"positive": spec, "both": spec, "neither": spec, "either": spec},
        {"zero": np.float32(0), "constant": RANDOM.rand(5) > 0.5},
    )
    return model, {"x": normal(2, 5), "mask": RANDOM.rand(2, 5) > 0.5}


def scalars():
    nodes = [
        helper.make_node("Mul", ["x", "factor"], ["scaled"]),
        helper.make_node("ReduceSum", ["scaled"], ["total"], keepdims=0),
        helper.make_node("Add", ["total", "factor"], ["more"]),
    ]
    model = onnx_model(
        nodes,
        {"x": (FLOAT, [3]), "factor": (FLOAT, [])},
        {"total": (FLOAT, []), "more": (FLOAT, [])},
    )
    return model, {"x": normal(3), "factor": np.array(2.5, "float32")}


def reshapes():
    """A reshape of an input, one inside, and one that is an output."""
    nodes = [
        helper.make_node("Reshape", ["x", "flat"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["m"]),
        helper.make_node("Reshape", ["m", "cube"], ["c"]),
        helper.make_node("Softmax", ["c"], ["s"], axis=2),
        helper.make_node("Reshape", ["s", "flat"], ["y"]),
    ]
    weights = {"flat": np.array([2, 12]), "cube": np.array([2, 3, 4]), "w": normal(12, 12)}
    model = onnx_model(nodes, {"x": (FLOAT, [2, 3, 4])}, {"y": (FLOAT, [2, 12])}, weights)
    return model, {"x": normal(2, 3, 4)}


def top_k():
    node = helper.make_node("TopK", ["x", "k"], ["values", "indices"], axis=1)
    outputs = {"values": (FLOAT, [3, 4]), "indices": (INT64, [3, 4])}
    model = onnx_model([node], {"x": (FLOAT, [3, 20])}, outputs, {"k": np.array([4])})
    return model, {"x": normal(3, 20)}


def pixels():
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=FLOAT),
        helper.make_node("Div", ["f", "scale"], ["d"]),
        helper.make_node("Cast", ["d"], ["y"], to=UINT8),
    ]
    spec = (UINT8, [4, 4])
    model = onnx_model(
        nodes, {"x": spec}, {"y": spec, "d": (FLOAT, [4, 4])}, {"scale": np.float32(3)}
    )
    return model, {"x": RANDOM.randint(0, 256, (4, 4)).astype("uint8")}


ONNX_MODELS = (
    mlp,
    conv_batch_norm_relu,
    transformer_block,
    integers,
    booleans,
    scalars,
    reshapes,
    top_k,
    pixels,
)
