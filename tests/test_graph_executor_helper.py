# SPDX-License-Identifier: Apache-2.0
"""What the Python helper around the executor adds to it: inputs of every kind that is an array."""
import json

import ml_dtypes
import numpy as np
import pytest
import tvm_ffi

import tvmgo
from helpers import Exporter
from test_graph_executor_core import (  # noqa: F401 (fixtures among them)
    WORKED_GRAPH,
    document,
    f32,
    op,
    registered_kernels,
    var,
)


def read_only(values):
    values.flags.writeable = False
    return values


def create():
    return tvmgo.graph_executor.create(WORKED_GRAPH, None, tvmgo.cpu(0))


@pytest.mark.parametrize("wrap", [
    tvmgo.array, tvm_ffi.from_dlpack, Exporter, lambda x: Exporter(read_only(x)), memoryview, list,
], ids=["Array", "tvm_ffi", "exporter", "read-only exporter", "buffer", "list"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_set_input_takes_whatever_is_an_array(wrap, dtype):
    graph = create()
    value = wrap(np.array([1, -2], dtype))
    graph.set_input("x", value)
    np.testing.assert_array_equal(graph.get_input("x").numpy(), f32(1, -2))
    graph.set_input(k0=value)
    np.testing.assert_array_equal(graph.get_input("k0").numpy(), f32(1, -2))


def test_set_input_converts_types_that_numpy_lacks():
    graph = create()
    graph.set_input("x", tvmgo.array(np.array([1, -2], ml_dtypes.bfloat16)))
    np.testing.assert_array_equal(graph.get_input("x").numpy(), f32(1, -2))


@pytest.mark.parametrize("wrap", [np.asarray, tvmgo.array, tvm_ffi.from_dlpack])
def test_set_input_of_another_kind_raises_and_changes_nothing(wrap):
    graph = create()
    graph.set_input("x", f32(1, 2))
    with pytest.raises(TypeError, match="^value: Cannot cast .*complex64.* to .*float32"):
        graph.set_input("x", wrap(np.zeros(2, "complex64")))
    np.testing.assert_array_equal(graph.get_input("x").numpy(), f32(1, 2))


@pytest.mark.parametrize("create", [tvmgo.graph_executor.create, tvmgo.debug_executor.create])
def test_run_sets_inputs_of_any_name(create, tmp_path):
    nodes = [var("self"), var("key"), var("value"), op("where", ["self", "key", "value"], name="w")]
    options = {} if create is tvmgo.graph_executor.create else {"dump_root": tmp_path}
    graph = create(json.dumps(document(nodes, ["w"])), None, tvmgo.cpu(0), **options)
    graph.run(self=f32(0, 1), key=f32(1, 2), value=f32(3, 4))
    np.testing.assert_array_equal(graph.get_output(0).numpy(), f32(3, 2))
