# SPDX-License-Identifier: Apache-2.0
"""Attention in networks: in which forms it is found, and that it computes what it should."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.compiler.models import (
    FLOAT,
    assert_same,
    functions,
    normal,
    onnx_model,
    onnx_runtime,
    read_graph,
    run,
)
from tvmgo.compiler import export

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

BATCH, LENGTH, HEADS, DEPTH = 2, 11, 3, 8
WIDTH = HEADS * DEPTH


class Net:
    """Nodes and weights of a model."""

    def __init__(self):
        self.nodes, self.weights = [], {}

    def add(self, operator, *inputs, outputs=1, **attributes):
        names = []
        for value in inputs:
            if not isinstance(value, str):
                self.weights[f"w{len(self.weights)}"] = np.asarray(value)
                value = f"w{len(self.weights) - 1}"
            names.append(value)
        made = [f"t{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, names, made, **attributes))
        return made[0] if outputs == 1 else made

    def heads(self, x, axes=(0, 2, 1, 3)):
        split = self.add("Reshape", x, np.int64([BATCH, -1, HEADS, DEPTH]))
        return self.add("Transpose", split, perm=axes)

    def joined(self, x):
        x = self.add("Transpose", x, perm=[0, 2, 1, 3])
        return self.add("Reshape", x, np.int64([BATCH, -1, WIDTH]))

    def projected(self, count=1):
        return self.add("MatMul", "x", normal(WIDTH, count * WIDTH) / WIDTH**0.5)

    def model(self, *outputs, extra=None, dtype=FLOAT, opset=17):
        inputs = {"x": (dtype, (BATCH, LENGTH, WIDTH)), **(extra or {})}
        model = onnx_model(self.nodes, inputs, dict.fromkeys(outputs, (dtype, None)), self.weights)
        model.opset_import[0].version = opset
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
        return model


MASK = (TensorProto.INT64, (BATCH, LENGTH))


def bert():
    """The scores are divided, and a mask of 0 and a large negative number is added."""
    net = Net()
    query, value = net.heads(net.projected()), net.heads(net.projected())
    key = net.heads(net.projected(), (0, 2, 3, 1))
    scores = net.add("Div", net.add("MatMul", query, key), np.float32(DEPTH**0.5))
    mask = net.add("Unsqueeze", "mask", np.int64([1, 2]))
    mask = net.add("Sub", np.float32(1), net.add("Cast", mask, to=FLOAT))
    mask = net.add("Mul", mask, np.float32(-1e4))
    weights = net.add("Softmax", net.add("Add", scores, mask), axis=-1)
    return net.model(net.joined(net.add("MatMul", weights, value)), extra={"mask": MASK})


def filled():
    """Hidden keys get a score by Where; query, key and value are parts of one product."""
    net = Net()
    parts = net.add("Split", net.projected(3), outputs=3, axis=-1)
    query, key, value = (net.heads(part) for part in parts)
    key = net.add("Transpose", key, perm=[0, 1, 3, 2])
    scores = net.add("Mul", net.add("MatMul", query, key), np.float32(0.5))
    hidden = net.add("Equal", net.add("Unsqueeze", "mask", np.int64([1, 2])), np.int64(0))
    scores = net.add("Where", hidden, np.float32(-1e9), scores)
    weights = net.add("Softmax", scores, axis=-1)
    return net.model(net.joined(net.add("MatMul", weights, value)), extra={"mask": MASK})


def causal():
    net = Net()
    query, key, value = (net.heads(net.projected()) for _ in range(3))
    scores = net.add("MatMul", query, net.add("Transpose", key, perm=[0, 1, 3, 2]))
    earlier = np.tril(np.ones((LENGTH, LENGTH), bool))[None, None]
    scores = net.add("Where", earlier, scores, np.float32(-np.inf))
    weights = net.add("Softmax", scores, axis=3)
    return net.model(net.add("MatMul", weights, value))


def stacked():
    """Batch and heads are one axis; the result is not transposed."""
    net = Net()

    def heads(axes):
        x = net.heads(net.projected(), axes)
        last = [-1, DEPTH, LENGTH] if axes[-1] == 1 else [-1, LENGTH, DEPTH]
        return net.add("Reshape", x, np.int64(last))

    scores = net.add("MatMul", heads((0, 2, 1, 3)), heads((0, 2, 3, 1)))
    weights = net.add("Softmax", net.add("Add", scores, normal(1, LENGTH, LENGTH)), axis=-1)
    return net.model(net.add("MatMul", weights, heads((0, 2, 1, 3))))


def shared_keys():
    """All heads have one key and one value."""
    net = Net()
    query = net.heads(net.projected())
    one = [net.add("MatMul", "x", normal(WIDTH, DEPTH) / 5) for _ in range(2)]
    key, value = (net.add("Unsqueeze", each, np.int64([1])) for each in one)
    scores = net.add("MatMul", query, net.add("Transpose", key, perm=[0, 1, 3, 2]))
    weights = net.add("Softmax", scores, axis=-1)
    return net.model(net.joined(net.add("MatMul", weights, value)))


def transposed_otherwise():
    """The result's last axis is not that of the values."""
    net = Net()
    query, key, value = (net.heads(net.projected()) for _ in range(3))
    scores = net.add("MatMul", query, net.add("Transpose", key, perm=[0, 1, 3, 2]))
    product = net.add("MatMul", net.add("Softmax", scores, axis=-1), value)
    return net.model(net.add("Transpose", product, perm=[0, 1, 3, 2]))


def values_transposed():
    """Values side by side in memory belong to keys, not to one another."""
    net = Net()
    query, key = (net.heads(net.projected()) for _ in range(2))
    scores = net.add("MatMul", query, net.add("Transpose", key, perm=[0, 1, 3, 2]))
    value = net.heads(net.add("Transpose", "x", perm=[0, 2, 1]), (0, 2, 1, 3))
    value = net.add("Reshape", value, np.int64([BATCH, HEADS, DEPTH, LENGTH]))
    value = net.add("Transpose", value, perm=[0, 1, 3, 2])
    return net.model(net.joined(net.add("MatMul", net.add("Softmax", scores, axis=-1), value)))


def of_microsoft():
    net = Net()
    weights = [normal(WIDTH, 3 * WIDTH) / WIDTH**0.5, normal(3 * WIDTH)]
    return net.model(net.add("Attention", "x", *weights, num_heads=HEADS, domain="com.microsoft"))


def of_opset_23():
    net = Net()
    query, key, value = (net.projected() for _ in range(3))
    made = net.add("Attention", query, key, value, q_num_heads=HEADS, kv_num_heads=HEADS)
    return net.model(made, opset=23)


FOUND = (
    *(bert, filled, causal, stacked, shared_keys, transposed_otherwise, values_transposed),
    *(of_microsoft, of_opset_23),
)


def weights_are_wanted():
    net = Net()
    query, key, value = (net.heads(net.projected()) for _ in range(3))
    scores = net.add("MatMul", query, net.add("Transpose", key, perm=[0, 1, 3, 2]))
    weights = net.add("Softmax", scores, axis=-1)
    return net.model(net.add("MatMul", weights, value), weights)


def softmax_of_columns():
    net = Net()
    query, key, value = (net.heads(net.projected()) for _ in range(3))
    scores = net.add("MatMul", query, net.add("Transpose", key, perm=[0, 1, 3, 2]))
    return net.model(net.add("MatMul", net.add("Softmax", scores, axis=2), value))


def softmax_without_rows():
    net = Net()
    x = net.add("Reshape", "x", np.int64([-1]))
    return net.model(net.add("MatMul", net.add("Softmax", x), normal(BATCH * LENGTH * WIDTH, 5)))


NOT_FOUND = (weights_are_wanted, softmax_of_columns, softmax_without_rows)


@pytest.mark.parametrize("net", [*FOUND, *NOT_FOUND], ids=lambda net: net.__name__)
def test_attention_computes_what_onnx_runtime_computes(net, tmp_path):
    model = net()
    inputs = {"x": normal(BATCH, LENGTH, WIDTH)}
    if len(model.graph.input) > 1:
        inputs["mask"] = np.random.default_rng(1).integers(0, 2, (BATCH, LENGTH))
        inputs["mask"][:, 0] = 1
    artifacts = export(model, tmp_path, compiler="relax", format="graph", target="native")
    assert_same(run(artifacts, inputs), onnx_runtime(model, inputs), atol=3e-6)
    kernels = functions(read_graph(artifacts))
    assert ("tvmgen_default_attention" in kernels) == (net in FOUND)
    if net in FOUND:
        assert not [each for each in kernels if "softmax" in each]


def test_half_floats_are_read_where_they_are(tmp_path):
    """Their softmax is written as exp(x - largest) / sum."""
    net = Net()
    query, key, value = (net.heads(net.add("Mul", "x", np.float16(each))) for each in (1, 2, 3))
    scores = net.add("MatMul", query, net.add("Transpose", key, perm=[0, 1, 3, 2]))
    weights = net.add("Softmax", net.add("Mul", scores, np.float16(0.25)), axis=-1)
    made = net.joined(net.add("MatMul", weights, value))
    model = net.model(made, dtype=TensorProto.FLOAT16)
    x = normal(BATCH, LENGTH, WIDTH, dtype="float16")
    artifacts = export(model, tmp_path, compiler="relax", format="graph", target="native")
    assert_same(run(artifacts, {"x": x}), onnx_runtime(model, {"x": x}), rtol=4e-3, atol=4e-3)
    assert "tvmgen_default_attention" in functions(read_graph(artifacts))
    assert "attention" in [each.template for each in artifacts.report.kernels]


def test_every_level_has_the_same_files(tmp_path):
    artifacts = export(bert(), tmp_path, compiler="relax", format="graph")
    assert artifacts.report.target.count(";") == 2
