# SPDX-License-Identifier: Apache-2.0
"""Which of TVM's converters get open dimensions right, and with what preparation.

An operator that is not here, nor in `operators`, is refused where a dimension of it is open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tvm import tirx

from tvmgo.compiler.relax.importing.dynamic.broadcasting import (
    broadcast_all,
    broadcast_shape,
    broadcast_to,
)
from tvmgo.compiler.relax.importing.dynamic.computed import (
    compute_sizes,
    number,
    require_shape,
)
from tvmgo.compiler.relax.importing.dynamic.integers import product
from tvmgo.compiler.relax.importing.dynamic.node import sizes_of

if TYPE_CHECKING:
    from tvm import relax

    from tvmgo.compiler.relax.importing.dynamic.node import DynamicNode


def as_it_is(node: DynamicNode) -> list[relax.Expr | None]:
    return node.values()


def broadcasting(node: DynamicNode) -> list[relax.Expr | None]:
    return [*broadcast_all(node, [value for value in node.values() if value is not None])]


def matmul(node: DynamicNode) -> list[relax.Expr | None]:
    """Matrices must fit; those before the last two dimensions broadcast."""
    a, b = node.value(0), node.value(1)
    first, second = sizes_of(a), sizes_of(b)
    inner = second[-2] if len(second) > 1 else second[0]
    a = require_shape(node, a, [*first[:-1], inner])
    if len(first) > 2 and len(second) > 2:
        batch = broadcast_shape(node, [first[:-2], second[:-2]])
        if not all(
            size == 1 or node.sizes.equal(size, joint)
            for own in (first, second)
            for size, joint in zip(own[-3::-1], batch[::-1])
        ):
            a = broadcast_to(node, a, [*batch, first[-2], inner])
            b = broadcast_to(node, b, [*batch, *second[-2:]])
    return [a, b]


def gemm(node: DynamicNode) -> list[relax.Expr | None]:
    a, b = node.value(0), node.value(1)
    rows, columns = sizes_of(a), sizes_of(b)
    inner = columns[-1 if node.attributes.get("transB", 0) else 0]
    flipped = node.attributes.get("transA", 0)
    a = require_shape(node, a, [inner, rows[1]] if flipped else [rows[0], inner])
    if not node.has(2):
        return [a, b]
    shape = [rows[1 if flipped else 0], columns[0 if node.attributes.get("transB", 0) else 1]]
    c = node.value(2)
    joint = broadcast_shape(node, [shape, sizes_of(c)])
    if not all(node.sizes.equal(x, y) for x, y in zip(joint, shape)):
        raise node.refuse("its third input may be larger than the product")
    return [a, b, broadcast_to(node, c, shape)]


def concat(node: DynamicNode) -> list[relax.Expr | None]:
    values = [node.importer.value(name) for name in node.inputs]
    first = sizes_of(values[0])
    axis = node.attributes["axis"] % len(first)
    return [
        require_shape(node, x, [*first[:axis], sizes_of(x)[axis], *first[axis + 1 :]])
        for x in values
    ]


def layer_normalization(node: DynamicNode) -> list[relax.Expr | None]:
    """What is normalised has the shape of the scale."""
    others = node.values()[1:]
    own, scaled = node.shape(0), node.shape(1)
    axis = node.attributes.get("axis", -1) % len(own)
    if len(scaled) != len(own) - axis or any(not isinstance(size, int) for size in scaled):
        raise node.refuse("the shape of its scale is open, or not that of what is normalised")
    return [require_shape(node, node.value(0), [*own[:axis], *scaled]), *others]


def gathering(node: DynamicNode) -> list[relax.Expr | None]:
    """There must be something to gather from."""
    own, axis = node.shape(0), node.attributes.get("axis", 0)
    size = own[axis]
    if not isinstance(size, int):
        count = product(node.shape(1))
        compute_sizes(
            node,
            lambda given: ([], [tirx.Or(given[0] > 0, tirx.EQ(given[1], number(0)))]),
            [size, count],
            [],
        )
    return node.values()


def fixed_channels(node: DynamicNode) -> list[relax.Expr | None]:
    if not isinstance(node.shape(0)[1], int):
        raise node.refuse("how many channels it has is open")
    for index in range(1, len(node.inputs)):
        if node.has(index) and not all(isinstance(size, int) for size in node.shape(index)):
            raise node.refuse(f"the shape of its input {index} is open")
    return node.values()


Prepare = Callable[["DynamicNode"], "list[relax.Expr | None]"]

PREPARED: Mapping[str, Prepare] = {
    **dict.fromkeys(
        (
            *("Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Cast"),
            *("Ceil", "Celu", "Cos", "Cosh", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid"),
            *("HardSwish", "Identity", "IsInf", "IsNaN", "LeakyRelu", "Log", "Neg", "Not"),
            *("Reciprocal", "Relu", "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh"),
            *("Softplus", "Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu", "Clip"),
            *("Softmax", "LogSoftmax", "Transpose", "ArgMax", "ArgMin"),
            *("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax"),
            *("ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"),
            *("GatherND", "ScatterElements", "ScatterND"),
            *("Unsqueeze", "CumSum", "Trilu", "NonMaxSuppression"),
            *("QuantizeLinear", "DequantizeLinear", "Flatten", "Squeeze"),
        ),
        as_it_is,
    ),
    **dict.fromkeys(
        (
            *("Add", "Sub", "Mul", "Div", "Mod", "Pow", "Max", "Min", "Mean", "Sum", "And", "Or"),
            *("Xor", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Where"),
            *("BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitShift", "PRelu"),
        ),
        broadcasting,
    ),
    **dict.fromkeys(
        (
            *("Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool"),
            *("GlobalMaxPool", "BatchNormalization", "InstanceNormalization", "LRN"),
            *("DepthToSpace", "SpaceToDepth"),
        ),
        fixed_channels,
    ),
    "Gather": gathering,
    "GatherElements": gathering,
    "LayerNormalization": layer_normalization,
    "MatMul": matmul,
    "Gemm": gemm,
    "Concat": concat,
}


def prepare(node: DynamicNode) -> None:
    """Make a node's inputs what TVM's converter gets right, or refuse it."""
    convert = PREPARED.get(node.operator)
    if convert is None:
        raise node.refuse(
            "it is not converted with open dimensions", "give fixed shapes as shapes={input: shape}"
        )
    node.replaced = convert(node)
