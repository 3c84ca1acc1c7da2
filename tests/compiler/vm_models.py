# SPDX-License-Identifier: Apache-2.0
"""ONNX models that no static graph can hold, and how tests compare their libraries."""

import numpy as np
import onnx
import onnxruntime
import tvm
from onnx import TensorProto, helper, numpy_helper

from tests.compiler.vm import run, start
from tvmgo.compiler.exporter import find_linker
from tvmgo.compiler.relax.importing.dynamic.importer import from_dynamic_onnx
from tvmgo.compiler.relax.vm_library import write_vm_library
from tvmgo.compiler.simplify.opset import NORMAL_OPSET
from tvmgo.compiler.simplify.simplifier import simplify

RANDOM = np.random.RandomState(0)
FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def normal(*shape):
    return RANDOM.standard_normal(shape).astype("float32")


def value(name, code, shape=None):
    return helper.make_tensor_value_info(name, code, shape)


def model_of(nodes, inputs, outputs, weights=None):
    """Make a model; `inputs` map names to (element type, shape), `outputs` are names."""
    graph = helper.make_graph(
        nodes,
        "model",
        [value(name, *spec) for name, spec in inputs.items()],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(np.asarray(w), name) for name, w in (weights or {}).items()],
    )
    opset = helper.make_opsetid("", NORMAL_OPSET)
    return onnx.shape_inference.infer_shapes(
        helper.make_model(graph, opset_imports=[opset], ir_version=8)
    )


def compile_model(model, path):
    simple = simplify(model, {}, {}, keep_open=True)
    module = from_dynamic_onnx(simple)
    names = [each.name for each in simple.graph.output]
    write_vm_library(module, tvm.target.Target("llvm"), path, find_linker(), names)
    return path


def assert_same(results, expected):
    assert len(results) == len(expected)
    for result, reference in zip(results, expected):
        assert (result.shape, result.dtype) == (reference.shape, reference.dtype)
        if reference.dtype.kind == "f":
            np.testing.assert_allclose(result, reference, rtol=1e-4, atol=1e-5)
        else:
            np.testing.assert_array_equal(result, reference)


def assert_like_onnx_runtime(path, model, *requests):
    """Compare a model's library with ONNX Runtime, for each list of inputs; return its machine."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [each.name for each in session.get_inputs()]
    machine = start(compile_model(model, path))
    for request in requests:
        values = [np.asarray(each) for each in request]
        assert_same(run(machine, values), session.run(None, dict(zip(names, values))))
    return machine


def branch(name, nodes, outputs, inputs=(), weights=None):
    return helper.make_graph(
        nodes,
        name,
        list(inputs),
        [onnx.ValueInfoProto(name=each) for each in outputs],
        [numpy_helper.from_array(np.asarray(w), key) for key, w in (weights or {}).items()],
    )


node = helper.make_node
TRUE, FALSE = np.array(True), np.array(False)


def number(x, dtype="int64"):
    return np.array(x, dtype)
