# SPDX-License-Identifier: Apache-2.0
"""What is known of open dimensions without running the model, and in which order they are computed."""

from functools import partial

import numpy as np
import pytest

from tests.compiler.vm import run
from tests.compiler.vm_models import (
    FLOAT,
    INT64,
    assert_like_onnx_runtime,
    model_of,
    node,
    normal,
)
from tvmgo.compiler.relax.importing.dynamic.importer import from_dynamic_onnx
from tvmgo.compiler.simplify.simplifier import simplify

pytestmark = pytest.mark.slow


@pytest.fixture
def check(tmp_path):
    return partial(assert_like_onnx_runtime, tmp_path / "deploy.so")


def imported(model):
    """Return the shapes of a model's inputs and that of its output, as they are imported."""
    main = from_dynamic_onnx(simplify(model, {}, {}, keep_open=True))["main"]
    return [each.ty.shape.values for each in main.params], main.ret_ty.shape.values


def test_sizes_are_named_before_the_kernels_that_have_them(check):
    """The copy of `r` under the size `k` is one kernel with Relu, which stands before `k`."""
    nodes = [
        node("Relu", ["x"], ["r"]),
        node("Reshape", ["v", "shape"], ["m"]),
        node("MatMul", ["r", "m"], ["y"]),
    ]
    inputs = {"x": (FLOAT, ["a", "b"]), "v": (FLOAT, ["c"]), "shape": (INT64, [2])}
    machine = check(
        model_of(nodes, inputs, ["y"]),
        [normal(2, 3), normal(12), np.array([3, 4])],
        [normal(5, 1), normal(7), np.array([1, -1])],
    )
    with pytest.raises(Exception, match="mismatch"):
        run(machine, [normal(2, 4), normal(12), np.array([3, 4])])


POSITIONS = [
    node("Shape", ["x"], ["time"], start=1, end=2),
    node("Slice", ["table", "zero", "time", "one"], ["positions"]),
    node("Add", ["x", "positions"], ["sum"]),
    node("Shape", ["x"], ["batch_and_time"], end=2),
    node("Concat", ["batch_and_time", "rest"], ["split"], axis=0),
    node("Reshape", ["sum", "split"], ["heads"]),
    node("Softmax", ["heads"], ["y"]),
]
TABLE = {
    "table": normal(1, 16, 8),
    "zero": np.array([0]),
    "one": np.array([1]),
    "rest": np.array([-1, 4]),
}


def test_positions_of_a_table_leave_the_time_what_it_is(check):
    """So many rows as there are steps, at most 16: where that broadcasts, it is the time."""
    model = model_of(POSITIONS, {"x": (FLOAT, ["b", "t", 8])}, ["y"], TABLE)
    machine = check(model, *([normal(b, t, 8)] for b, t in ((1, 1), (2, 5), (1, 16))))
    with pytest.raises(Exception, match="mismatch"):
        run(machine, [normal(1, 17, 8)])
    (x,), result = imported(model)
    assert [*result[:2]] == [*x[:2]]
    assert [int(size) for size in result[2:]] == [2, 4]


def test_equal_slices_have_equal_sizes(check):
    """The sum of two slices of one size has the size of either, and no third one."""
    nodes = [
        node("Slice", ["x", "zero", "end", "zero"], ["a"]),
        node("Slice", ["w", "zero", "end", "zero"], ["b"]),
        node("Add", ["a", "b"], ["c"]),
        node("Concat", ["c", "a"], ["y"], axis=1),
    ]
    weights = {"zero": np.array([0]), "end": np.array([-2])}
    inputs = {"x": (FLOAT, ["n", 2]), "w": (FLOAT, ["n", 2])}
    model = model_of(nodes, inputs, ["y"], weights)
    check(model, *([normal(n, 2), normal(n, 2)] for n in (1, 2, 3, 9)))
