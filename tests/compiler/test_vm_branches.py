# SPDX-License-Identifier: Apache-2.0
"""Branches that give results of different ranks, and branches that shapes make impossible."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto

from tests.compiler.vm import run, start
from tests.compiler.vm_models import (
    FALSE,
    FLOAT,
    TRUE,
    assert_like_onnx_runtime,
    branch,
    compile_model,
    model_of,
    node,
    normal,
    number,
)

pytestmark = pytest.mark.slow

BOOL = TensorProto.BOOL
ONE = {"one": number([1])}


def squeezed(name, result):
    """Nodes that take the second dimension of a value away if it has one place."""
    then = branch("then", [node("Squeeze", [name, "one"], [f"{result}_t"])], [f"{result}_t"])
    keep = branch("else", [node("Identity", [name], [f"{result}_e"])], [f"{result}_e"])
    sizes, size, is_one = (f"{result}_{what}" for what in ("sizes", "size", "is_one"))
    return [
        node("Shape", [name], [sizes]),
        node("Gather", [sizes, "one"], [size]),
        node("Equal", [size, "one"], [is_one]),
        node("If", [is_one], [result], then_branch=then, else_branch=keep),
    ]


def test_ranks_that_sizes_decide(tmp_path):
    """What follows sees one rank in each branch; what came before is used after it, too."""
    nodes = [
        node("Exp", ["x"], ["before"]),
        *squeezed("x", "a"),
        node("ReduceSum", ["a", "last"], ["sum"], keepdims=0),
        node("Size", ["a"], ["size"]),
        node("ReduceMax", ["before"], ["top"], keepdims=0),
        node("Mul", ["a", "top"], ["scaled"]),
        node("Shape", ["scaled"], ["shape"]),
        node("Size", ["shape"], ["rank"]),
        node("ReduceSum", ["scaled"], ["total"], keepdims=0),
    ]
    model = model_of(
        nodes,
        {"x": (FLOAT, ["n", "m", 3])},
        ["before", "size", "rank", "total"],
        {**ONE, "last": number([-1])},
    )
    requests = [[normal(*shape)] for shape in ((2, 1, 3), (2, 4, 3), (1, 1, 3))]
    assert_like_onnx_runtime(tmp_path / "deploy.so", model, *requests)


def test_one_after_another(tmp_path):
    nodes = [
        *squeezed("x", "a"),
        *squeezed("y", "b"),
        *(node("ReduceL1", [name], [f"{name}_sum"], keepdims=0) for name in "ab"),
        node("Add", ["a_sum", "b_sum"], ["out"]),
    ]
    shapes = {"x": (FLOAT, ["n", "m", 3]), "y": (FLOAT, ["n", "k"])}
    model = model_of(nodes, shapes, ["out"], ONE)
    requests = [[normal(2, m, 3), normal(2, k)] for m in (1, 4) for k in (1, 5)]
    assert_like_onnx_runtime(tmp_path / "deploy.so", model, *requests)


@pytest.mark.parametrize("wanted", [True, False])
def test_branch_that_cannot_run(tmp_path, wanted):
    """It is not there; a run that takes it is an error, as it is for ONNX Runtime."""
    good = branch("good", [node("MatMul", ["x", "w"], ["g"])], ["g"], weights={"w": normal(4, 2)})
    bad = branch("bad", [node("MatMul", ["x", "v"], ["h"])], ["h"], weights={"v": normal(3, 2)})
    then, other = (good, bad) if wanted else (bad, good)
    nodes = [
        node("If", ["c"], ["y"], then_branch=then, else_branch=other),
        node("Add", ["y", "one"], ["z"]),
    ]
    inputs = {"x": (FLOAT, ["n", "k"]), "c": (BOOL, [])}
    model = model_of(nodes, inputs, ["z"], {"one": np.float32(1)})
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    dims = model.graph.input[0].type.tensor_type.shape.dim
    dims[0].dim_value, dims[1].dim_value = 2, 4
    machine = start(compile_model(model, tmp_path / "deploy.so"))
    taken, avoided = (TRUE, FALSE) if wanted else (FALSE, TRUE)
    x = normal(2, 4)
    for _ in range(2):
        (expected,) = session.run(None, {"x": x, "c": taken})
        (result,) = run(machine, [x, taken])
        np.testing.assert_allclose(result, expected, rtol=1e-5)
        with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.Fail):
            session.run(None, {"x": x, "c": avoided})
        with pytest.raises(
            AssertionError, match="If: a branch is taken that is impossible: MatMul"
        ):
            run(machine, [x, avoided])
