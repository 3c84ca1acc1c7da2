# SPDX-License-Identifier: Apache-2.0
"""Branches and loops that constants decide, beside ONNX Runtime."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.compiler.models import normal, onnx_runtime
from tests.compiler.simplified import operators
from tvmgo.compiler.simplify.simplifier import simplify

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
X = normal(3, 4)


def info(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(node, outputs, constants=(), more=()):
    graph = helper.make_graph(
        [node],
        "model",
        [info("x", FLOAT, X.shape), *more],
        [info(name, FLOAT, None) for name in outputs],
        [
            numpy_helper.from_array(np.asarray(value), name)
            for name, value in dict(constants).items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)


def assert_straightened(model, gone, values=None):
    values = {"x": X} if values is None else values
    simple = simplify(model, {}, {})
    assert gone not in operators(simple)
    for result, expected in zip(onnx_runtime(simple, values), onnx_runtime(model, values)):
        np.testing.assert_allclose(result, expected, rtol=1e-6)


def loop(condition_nodes, condition="go_on"):
    """Double the state and give it, in a body that reads a value around it."""
    body = helper.make_graph(
        [
            helper.make_node("Add", ["state", "x"], ["next"]),
            helper.make_node("Identity", ["next"], ["seen"]),
            *condition_nodes,
        ],
        "body",
        [info("i", INT64, []), info("cond", BOOL, []), info("state", FLOAT, X.shape)],
        [
            info(condition, BOOL, []),
            info("next", FLOAT, X.shape),
            info("seen", FLOAT, X.shape),
        ],
    )
    return body


FOREVER = [helper.make_node("Identity", ["cond"], ["go_on"])]
UNTIL_THREE = [helper.make_node("Less", ["i", "three"], ["go_on"])]


@pytest.mark.parametrize("branch", [True, False])
def test_branch_that_is_known(branch):
    branches = {
        name: helper.make_graph(
            [helper.make_node(operator, ["x"], ["result"])], name, [], [info("result", FLOAT, None)]
        )
        for name, operator in (("then_branch", "Neg"), ("else_branch", "Exp"))
    }
    node = helper.make_node("If", ["known"], ["y"], **branches)
    assert_straightened(model_of(node, ["y"], {"known": branch}), "If")


@pytest.mark.parametrize("count", [1, 4])
def test_loop_of_a_known_count(count):
    node = helper.make_node("Loop", ["count", "", "x"], ["last", "all"], body=loop(FOREVER))
    assert_straightened(model_of(node, ["last", "all"], {"count": np.int64(count)}), "Loop")


@pytest.mark.parametrize("count", ["", "count"])
def test_loop_that_its_condition_ends(count):
    node = helper.make_node("Loop", [count, "true", "x"], ["last", "all"], body=loop(UNTIL_THREE))
    constants = {"true": np.True_, "three": np.int64(3)}
    if count:
        constants["count"] = np.int64(100)
    assert_straightened(model_of(node, ["last", "all"], constants), "Loop")


def test_loop_whose_count_comes_when_it_runs_stays():
    node = helper.make_node("Loop", ["count", "", "x"], ["last", "all"], body=loop(FOREVER))
    simple = simplify(model_of(node, ["last", "all"], more=[info("count", INT64, [])]), {}, {})
    assert operators(simple) == ["Loop"]


def test_loop_of_too_many_nodes_stays():
    node = helper.make_node("Loop", ["count", "", "x"], ["last", "all"], body=loop(FOREVER))
    simple = simplify(model_of(node, ["last", "all"], {"count": np.int64(5000)}), {}, {})
    assert operators(simple) == ["Loop"]


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("backwards", [0, 1])
@pytest.mark.parametrize("output_backwards", [0, 1])
def test_scan(axis, backwards, output_backwards):
    width = X.shape[1 - axis]
    body = helper.make_graph(
        [
            helper.make_node("Add", ["total", "part"], ["sum"]),
            helper.make_node("Mul", ["sum", "part"], ["product"]),
        ],
        "body",
        [info("total", FLOAT, [width]), info("part", FLOAT, [width])],
        [info("sum", FLOAT, [width]), info("product", FLOAT, [width])],
    )
    node = helper.make_node(
        "Scan",
        ["zeros", "x"],
        ["last", "all"],
        body=body,
        num_scan_inputs=1,
        scan_input_axes=[axis],
        scan_output_axes=[1 - axis],
        scan_input_directions=[backwards],
        scan_output_directions=[output_backwards],
    )
    constants = {"zeros": np.zeros(width, np.float32)}
    assert_straightened(model_of(node, ["last", "all"], constants), "Scan")
