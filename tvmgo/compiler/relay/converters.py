# SPDX-License-Identifier: Apache-2.0
"""What comes before TVM's converters where these do wrong, read out of bounds, or take too long.

A converter gets the node, its inputs and its attributes. It returns an expression, or None after it
has put the inputs and attributes so that TVM's own does right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tvm import relay
from tvm.relay.frontend import onnx as frontend
from tvm.relay.frontend.common import infer_shape, infer_type

from tvmgo.compiler.relay.nodes import OPSET, Node

Converter = Callable[[Node, Any, Any], Any]


ROWS = 8
BOOL = 9  # TensorProto.BOOL


def dtype_of(x: relay.Expr) -> str:
    return str(infer_type(x).checked_type.dtype)


def convert_matmul(node: Node, inputs: Any, attributes: Any) -> relay.Expr:
    """TVM's own computes every shape by kernels that it compiles for it: half a second a node.

    Its schedule takes blocks of `ROWS` rows, or of one where that does not divide them.
    """
    a, b = inputs[0], inputs[1]
    left, right = infer_shape(a), infer_shape(b)
    if len(left) == 1:
        a = relay.reshape(a, (1, *left))
    if len(right) == 1:
        b = relay.reshape(b, (*right, 1))
    rows, inner = infer_shape(a)[-2:]
    columns = infer_shape(b)[-1]
    batch = np.broadcast_shapes(infer_shape(a)[:-2], infer_shape(b)[:-2])
    if len(infer_shape(b)) == 2:
        count = math.prod(batch) * rows
        flat = relay.reshape(a, (count, inner))
        uneven = count > ROWS // 2 and count % ROWS != 0
        if uneven:
            flat = relay.nn.pad(flat, ((0, -count % ROWS), (0, 0)))
        product = relay.nn.dense(flat, transposed(b, (1, 0)), out_dtype=dtype_of(a))
        if uneven:
            product = relay.strided_slice(product, [0, 0], [count, columns])
    else:
        a = stacked(a, batch, (rows, inner))
        b = transposed(stacked(b, batch, (inner, columns)), (0, 2, 1))
        product = relay.nn.batch_matmul(a, b, out_dtype=dtype_of(a))
    ends = (rows,) * (len(left) > 1) + (columns,) * (len(right) > 1)
    return relay.reshape(product, (*batch, *ends))


def stacked(x: relay.Expr, batch: tuple[int, ...], matrix: tuple[int, int]) -> relay.Expr:
    """Return matrices, one for each place of `batch`, along one axis."""
    if infer_shape(x) != (*batch, *matrix):
        x = relay.broadcast_to(x, (*batch, *matrix))
    return relay.reshape(x, (math.prod(batch), *matrix))


def transposed(x: relay.Expr, axes: tuple[int, ...]) -> relay.Expr:
    if isinstance(x, relay.Constant):
        values = np.ascontiguousarray(x.data.numpy().transpose(axes))
        return relay.const(values, str(values.dtype))  # float32 instead of float64 unless told
    return relay.transpose(x, axes)


def reshape(node: Node, inputs: Any, attributes: Any) -> Any:
    """TVM puts axes that are counted from the end, or not in order, elsewhere."""
    shape = node.specs[node.proto.output[0]].shape
    if shape is None or None in shape or 0 in shape:  # TVM takes 0 for the size that was there
        return None
    for name in ("allowzero", "axis"):
        attributes.get(name)
    data, *_ = inputs
    return relay.reshape(data, shape)


def reduce_all_axes(node: Node, inputs: Any, attributes: Any) -> None:
    """TVM takes the first of the axes, or none where they are an input; it knows an attribute."""
    axes = inputs[1]
    if isinstance(axes, relay.Constant) and axes.data.shape[0]:
        attributes["axes"] = tuple(map(int, axes.data.numpy()))
        attributes.pop("noop_with_empty_axes", None)
        del inputs[1]


def extreme(node: Node, inputs: Any, attributes: Any) -> Any:
    """TVM begins with the least number of the type, which the largest of -inf alone is not."""
    reduce_all_axes(node, inputs, attributes)
    dtype = dtype_of(inputs[0])
    if dtype not in ("float16", "float32"):
        return None
    inputs[0] = relay.cast(inputs[0], "float64")
    convert = frontend._get_convert_map(OPSET)[node.operator]
    return relay.cast(convert(inputs, attributes, {}), dtype)


# Of two numbers that do not compare, TVM's maximum and minimum take the second. So NaN, as the
# second, goes through, as in ONNX.


def relu(node: Node, inputs: Any, attributes: Any) -> relay.Expr:
    return relay.maximum(relay.const(0, dtype_of(inputs[0])), inputs[0])


def clip_by_one_bound(node: Node, inputs: Any, attributes: Any) -> Any:
    """TVM forgets a constant bound when it is the only one, and rounds large integers."""
    x, low, high = inputs[0], inputs[1], inputs[2]
    bounded = x if low is None else relay.maximum(low, x)
    return bounded if high is None else relay.minimum(high, bounded)


def best_of_all(choose: Callable[[Any, Any], Any]) -> Converter:
    """Choose one of several tensors, of which any may have NaN."""

    def convert(node: Node, inputs: Any, attributes: Any) -> Any:
        best, *others = inputs
        for other in others:
            best = keeping_nan(best, choose(best, other))
        return best

    return convert


def sign(node: Node, inputs: Any, attributes: Any) -> relay.Expr:
    """TVM makes 0 of NaN."""
    return keeping_nan(inputs[0], relay.sign(inputs[0]))


def keeping_nan(x: relay.Expr, result: relay.Expr) -> relay.Expr:
    if not dtype_of(x).startswith("float"):
        return result
    return relay.where(relay.isnan(x), x, result)


def cast(node: Node, inputs: Any, attributes: Any) -> relay.Expr | None:
    """TVM makes False of NaN; everything else goes its own way."""
    (x,) = inputs[:1]
    if attributes["to"] != BOOL or not dtype_of(x).startswith("float"):
        return None
    return relay.logical_or(relay.isnan(x), relay.cast(x, "bool"))


def negation(node: Node, inputs: Any, attributes: Any) -> relay.Expr:
    """TVM makes ``a >= b`` of ``not (a < b)``, which are both false for NaN."""
    false, true = relay.const(False, "bool"), relay.const(True, "bool")
    return relay.where(inputs[0], false, true)


def log_softmax(node: Node, inputs: Any, attributes: Any) -> relay.Expr:
    """TVM takes the logarithm of what has vanished."""
    axis = [attributes.get("axis", -1)]
    return relay.subtract(inputs[0], relay.logsumexp(inputs[0], axis, keepdims=True))


def quantize(node: Node, inputs: Any, attributes: Any) -> Any:
    """TVM rounds halves away from zero, ONNX to the even neighbour."""
    x, scale, zero = inputs[0], inputs[1], inputs[2]
    dtype = "uint8" if zero is None else dtype_of(zero)
    axis = attributes.get("axis", 1) % max(len(infer_shape(x)), 1)
    wide = dtype_of(x)
    scaled = relay.divide(x, along(scale, axis, x))
    limits = np.iinfo(dtype)
    # What lies far outside is cut off first: rounding is exact only up to 2**22.
    scaled = relay.clip(scaled, -float(1 << 20), float(1 << 20))
    rounded = frontend.Round._impl_v11([scaled], {}, {})
    if zero is not None:
        rounded = relay.add(rounded, relay.cast(along(zero, axis, x), wide))
    return relay.cast(relay.clip(rounded, float(limits.min), float(limits.max)), dtype)


def along(values: relay.Expr, axis: int, x: relay.Expr) -> relay.Expr:
    """Return one number, or one for each place along an axis of `x`."""
    shape = infer_shape(values)
    if math.prod(shape) == 1:
        return relay.reshape(values, ())
    return relay.reshape(values, [-1 if i == axis else 1 for i in range(len(infer_shape(x)))])


def indices_within(
    index: int, sizes_of: Callable[[Node, Any, Any], Sequence[int] | int]
) -> Converter:
    """Return a converter that puts an input's indices within bounds before TVM reads by them.

    TVM counts negative ones from the wrong end where the axis is negative too, or not at all, and
    reads and writes outside of tensors. What is out of range at run time is clamped, but a constant
    is an error of the model.
    """

    def convert(node: Node, inputs: Any, attributes: Any) -> None:
        indices = inputs[index]
        sizes = np.array(sizes_of(node, inputs, attributes))
        if isinstance(indices, relay.Constant):
            values = indices.data.numpy()
            if ((values < -sizes) | (values >= sizes)).any():
                raise node.refuse(f"an index is out of range of {sizes.tolist()}", "correct it")
            values = np.where(values < 0, values + sizes, values).astype(values.dtype)
            inputs[index] = relay.const(values, str(values.dtype))
            return
        dtype = dtype_of(indices)
        size, last, zero = (relay.const(each, dtype) for each in (sizes, sizes - 1, 0))
        indices = relay.where(relay.less(indices, zero), relay.add(indices, size), indices)
        inputs[index] = relay.maximum(relay.minimum(indices, last), zero)

    return convert


def size_of_axis(node: Node, inputs: Any, attributes: Any) -> int:
    return infer_shape(inputs[0])[attributes.get("axis", 0)]


def sizes_of_coordinates(node: Node, inputs: Any, attributes: Any) -> Sequence[int]:
    first = attributes.get("batch_dims", 0)
    return infer_shape(inputs[0])[first : first + infer_shape(inputs[1])[-1]]


REDUCTIONS = (
    *("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean"),
    *("ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"),
)

CONVERTERS: dict[str, Converter] = {
    "Cast": cast,
    "Clip": clip_by_one_bound,
    **dict.fromkeys(
        ("Gather", "GatherElements", "ScatterElements"), indices_within(1, size_of_axis)
    ),
    **dict.fromkeys(("GatherND", "ScatterND"), indices_within(1, sizes_of_coordinates)),
    "LogSoftmax": log_softmax,
    "MatMul": convert_matmul,
    "Max": best_of_all(relay.maximum),
    "Min": best_of_all(relay.minimum),
    "Not": negation,
    "QuantizeLinear": quantize,
    **dict.fromkeys(REDUCTIONS, reduce_all_axes),
    "Relu": relu,
    **dict.fromkeys(("Flatten", "Reshape", "Squeeze", "Unsqueeze"), reshape),
    **dict.fromkeys(("ReduceMax", "ReduceMin"), extreme),
    "Sign": sign,
    "RoiAlign": indices_within(2, lambda node, inputs, _: infer_shape(inputs[0])[0]),
}
