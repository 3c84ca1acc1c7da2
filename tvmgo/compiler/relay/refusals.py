# SPDX-License-Identifier: Apache-2.0
"""What Relay computes wrongly without a word, and is therefore refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tvmgo.compiler.onnx_nodes import leaves_out
from tvmgo.compiler.relay.nodes import Node
from tvmgo.exceptions import ExportError

# What a kernel of TVM can hold and NumPy knows.
DTYPES = {
    *("bool", "float16", "float32", "float64"),
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}

# Operators of other domains that TVM knows, by their name alone, and gets right.
BESIDE_ONNX = {("com.microsoft", name) for name in ("BiasGelu", "FastGelu", "Gelu")}

SORTED = {"float16", "float32", "float64", "int32", "int64"}
SUMMING = {
    *(
        "AveragePool",
        "Conv",
        "ConvTranspose",
        "CumSum",
        "DFT",
        "Einsum",
        "Gemm",
        "GlobalAveragePool",
    ),
    *("GlobalLpPool", "InstanceNormalization", "LRN", "LayerNormalization", "LogSoftmax", "LpPool"),
    *("MatMul", "Mean", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMean"),
    *("ReduceProd", "ReduceSum", "ReduceSumSquare", "Softmax"),
}


class Refusal(NamedTuple):
    """Nodes of these operators for which the condition holds, and what is wrong with them."""

    operators: set[str]
    applies: Callable[[Node], bool]
    reason: str


def always(node: Node) -> bool:
    return True


def is_integer(node: Node) -> bool:
    return (node.spec(0).dtype or "").lstrip("u").startswith("int")


def divides_by_what_may_crash(node: Node) -> bool:
    """Whether an integer division may be by 0, or of the least integer by -1."""
    if not is_integer(node):
        return False
    divisor = node.constant(1)
    return divisor is None or not np.all((divisor != 0) & (divisor + 1 != 0))


def shifts_out(node: Node) -> bool:
    shift = node.constant(1)
    return shift is None or bool((shift >= 8 * shift.dtype.itemsize).any())


def has_odd_scales(node: Node) -> bool:
    scales, shape = node.constant(2), node.spec(0).shape
    if scales is None or not scales.size or shape is None:
        return False
    sizes = np.array(shape, "float64") * scales
    return bool((np.abs(sizes - np.round(sizes)) > 1e-3).any())


def ends_in_padding(node: Node) -> bool:
    """Whether a last window of a pool begins beyond the input: ONNX Runtime has no such windows."""
    kernel = node.attribute("kernel_shape")
    if not node.attribute("ceil_mode"):
        return False
    ones = (1,) * len(kernel)
    strides, dilations = (node.attribute(name) or ones for name in ("strides", "dilations"))
    pads = node.attribute("pads") or (0,) * 2 * len(kernel)
    for i, size in enumerate((node.spec(0).shape or ())[2:]):
        if size is None:
            return True
        begin, end = pads[i], pads[i + len(kernel)]
        covered = size + begin + end - (kernel[i] - 1) * dilations[i] - 1
        if -(-covered // strides[i]) * strides[i] >= size + begin:
            return True
    return False


def scatters_beside(node: Node) -> bool:
    data, indices = node.spec(0).shape, node.spec(1).shape
    return data is None or indices is None or leaves_out(data, indices, node.attribute("axis"))


REFUSALS = (
    Refusal({"If", "Loop", "Scan"}, always, "a static graph runs all of its nodes, once each"),
    Refusal(
        {
            "Bernoulli",
            "Multinomial",
            *(f"Random{kind}{like}" for kind in ("Normal", "Uniform") for like in ("", "Like")),
        },
        always,
        "TVM would draw the same numbers in every run",
    ),
    Refusal(
        SUMMING,
        lambda node: "float16" in node.dtypes(),
        "TVM adds float16 in float16, which overflows and loses digits",
    ),
    Refusal(
        {"AveragePool"},
        lambda node: bool(node.attribute("ceil_mode") and node.attribute("count_include_pad")),
        "TVM divides by elements beyond the padding (ceil_mode with count_include_pad)",
    ),
    Refusal(
        {"AveragePool", "LpPool", "MaxPool"},
        ends_in_padding,
        "TVM adds a last window that begins beyond the input (ceil_mode)",
    ),
    Refusal({"BitShift"}, shifts_out, "a shift by the width or more leaves 0, by TVM anything"),
    Refusal(
        {"Div", "Mod"},
        divides_by_what_may_crash,
        "a division of integers by what may be 0 or -1 at run time would end the process",
    ),
    Refusal(
        {"ConvTranspose"},
        lambda node: any(size > 1 for size in node.attribute("dilations") or ()),
        "TVM has no kernel for dilations",
    ),
    Refusal(
        {"ConvTranspose"},
        lambda node: node.attribute("group") != 1 and len(node.spec(0).shape or ()) != 4,
        "TVM has kernels with groups for pictures only",
    ),
    Refusal({"EyeLike"}, always, "TVM writes outside of the tensor"),
    Refusal(
        {"GlobalLpPool", "LpPool"},
        lambda node: node.attribute("p") % 2 == 1,
        "TVM adds the numbers instead of their absolute values where p is odd",
    ),
    Refusal(
        {"MaxPool"},
        lambda node: bool(node.attribute("storage_order")),
        "TVM takes storage_order for the layout of the images",
    ),
    Refusal({"MaxRoiPool", "MaxUnpool"}, always, "TVM does not check the indices it is given"),
    Refusal(
        {"Mod"},
        lambda node: not is_integer(node) and not node.attribute("fmod"),
        "TVM rounds down a quotient of floats, which infinity spoils, as it does the sign of 0",
    ),
    Refusal({"Pow"}, is_integer, "TVM computes powers of integers in float32"),
    Refusal(
        {"ReduceMax", "ReduceMin"},
        lambda node: node.spec(0).dtype == "float64" or 0 in (node.spec(0).shape or ()),
        "TVM takes the largest number of the type for infinity",
    ),
    Refusal(
        {"Resize"},
        lambda node: (
            node.attribute("mode") == b"nearest"
            and node.attribute("nearest_mode") in (b"ceil", b"round_prefer_ceil")
        ),
        "TVM rounds up what is whole",
    ),
    Refusal(
        {"Resize"}, has_odd_scales, "a scale makes no whole number of a size, and TVM takes another"
    ),
    Refusal(
        {"Resize"},
        lambda node: is_integer(node) and node.attribute("mode") != b"nearest",
        "TVM rounds interpolated integers otherwise",
    ),
    Refusal(
        {"ReverseSequence"},
        lambda node: node.constant(1) is None,
        "TVM does not check the lengths it is given",
    ),
    Refusal(
        {"RoiAlign"},
        lambda node: node.attribute("coordinate_transformation_mode") == b"half_pixel",
        "TVM does not shift regions by half a pixel",
    ),
    Refusal(
        {"RoiAlign"},
        lambda node: node.attribute("mode") == b"max",
        "TVM takes the largest of interpolations, not of weighted corners",
    ),
    Refusal({"TopK"}, lambda node: node.spec(0).dtype not in SORTED, "TVM does not sort this type"),
    Refusal(
        {"ScatterElements"},
        scatters_beside,
        "TVM puts values elsewhere where the indices do not cover the data; use ScatterND",
    ),
    Refusal({"ThresholdedRelu"}, always, "TVM multiplies by 0, which makes NaN of infinity"),
)


def refuse_wrong(node: Node) -> None:
    """Raise `ExportError` for a node that TVM would get wrong."""
    if node.proto.domain and (node.proto.domain, node.operator) not in BESIDE_ONNX:
        raise node.refuse(f"TVM would take it for ONNX's {node.operator}, if there is one")
    for dtype in sorted(node.dtypes()):
        refuse_dtype(node.place, dtype)
    for refusal in REFUSALS:
        if node.operator in refusal.operators and refusal.applies(node):
            raise node.refuse(refusal.reason)


def refuse_dtype(where: str, dtype: str | None) -> None:
    if dtype not in DTYPES:
        raise ExportError(where, f"no kernel of Relay works on {dtype}", "use another element type")
