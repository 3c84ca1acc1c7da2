# SPDX-License-Identifier: Apache-2.0
"""What sums up, or normalises, along axes."""

from __future__ import annotations

import numpy as np

from tests.random_models.model import RandomModel

REDUCE = (
    *("ReduceSum", "ReduceSum", "ReduceMean", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1"),
    *("ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceProd", "ReduceLogSum"),
)


def reduce(m: RandomModel) -> None:
    a = m.some(1, m.pick("fffi"))
    operator = m.pick(REDUCE)
    if "Log" in operator and a.array.dtype.kind == "i":
        return  # of integers nobody takes logarithms
    if operator == "ReduceProd" and overflows(a.array):
        return  # what then comes out is nobody's rule
    if operator == "ReduceLogSum":
        a = m.given(abs(a.array) + a.array.dtype.type(1))
    axes = m.constant(m.axes(a), "int64") if m.chance(0.9) else None
    m.add(operator, a, axes, keepdims=m.integer(0, 1))


def overflows(integers: np.ndarray) -> bool:
    """Whether the product of some of the values may leave an integer's range."""
    if integers.dtype.kind == "f":
        return False
    factors = np.maximum(np.abs(integers.astype("float64")), 1)
    return float(np.log2(factors).sum()) >= integers.dtype.itemsize * 8 - 1


def arg(m: RandomModel) -> None:
    a = m.exact(1, m.pick("fi"))
    m.add(
        m.pick(("ArgMax", "ArgMin")),
        a,
        axis=m.axis(a),
        keepdims=m.integer(0, 1),
        select_last_index=m.integer(0, 1),
    )


def top_k(m: RandomModel) -> None:
    a = m.exact(1)
    axis = m.axis(a)
    count = m.constant([m.integer(1, a.array.shape[axis])], "int64")
    m.add("TopK", a, count, axis=axis, largest=m.integer(0, 1), outputs=2)


def cumulate(m: RandomModel) -> None:
    a = m.some(1, m.pick("fi"))
    axis = m.constant(m.axis(a), "int64")
    m.add("CumSum", a, axis, exclusive=m.integer(0, 1), reverse=m.integer(0, 1))


def softmax(m: RandomModel) -> None:
    a = m.some(1)
    m.add(m.pick(("Softmax", "Softmax", "LogSoftmax", "Hardmax")), a, axis=m.axis(a))


def layer_norm(m: RandomModel) -> None:
    a = m.some(1)
    axis = m.axis(a)
    weights = [m.weights(a.array.dtype, a.array.shape[axis:]) for _ in "wb"]
    if m.chance(0.3):
        m.add("RMSNormalization", a, weights[0], axis=axis)
    else:
        m.add("LayerNormalization", a, *weights[: m.integer(1, 2)], axis=axis)


def skip_layer_norm(m: RandomModel) -> None:
    a = m.new_input("float32", m.shape(3))
    weights = [m.weights("float32", a.array.shape[-1:]) for _ in "gbc"]
    skip = m.other(a.array.dtype, a.array.shape)
    m.add("SkipLayerNormalization", a, skip, *weights[: m.integer(1, 3)], domain="com.microsoft")


def instance_norm(m: RandomModel) -> None:
    a = m.some(3)
    weights = [m.weights(a.array.dtype, a.array.shape[1:2]) for _ in "wb"]
    m.add("InstanceNormalization", a, *weights)


def group_norm(m: RandomModel) -> None:
    groups, each = m.integer(1, 4), m.integer(1, 5)
    shape = (m.integer(1, 2), groups * each, *m.shape(m.integer(1, 2)))
    weights = [m.weights("float32", (groups * each,)) for _ in "wb"]
    m.add("GroupNormalization", m.new_input("float32", shape), *weights, num_groups=groups)


def batch_norm(m: RandomModel) -> None:
    a = m.some(2)
    dtype, size = a.array.dtype, a.array.shape[1:2]
    mean = m.weights(dtype, size)
    variance = m.constant(abs(m.array(dtype, size)) + dtype.type(0.5))
    m.add("BatchNormalization", a, m.weights(dtype, size), m.weights(dtype, size), mean, variance)


def lp_norm(m: RandomModel) -> None:
    a = m.exact(1)
    m.add("LpNormalization", a, axis=m.axis(a), p=m.integer(1, 2))


def mean_variance(m: RandomModel) -> None:
    a = m.new_input("float32", m.shape(4))
    m.add("MeanVarianceNormalization", a, axes=m.pick(([0, 2, 3], [2, 3], [1])))


def local_response(m: RandomModel) -> None:
    a = m.new_input("float32", m.shape(4))
    m.add("LRN", a, size=m.pick((1, 3, 5)), alpha=0.1)


OPERATORS = (
    *(reduce, reduce, reduce, arg, top_k, cumulate, softmax, softmax, layer_norm, layer_norm),
    *(skip_layer_norm, instance_norm, group_norm, batch_norm, lp_norm, mean_variance),
    *(local_response,),
)
