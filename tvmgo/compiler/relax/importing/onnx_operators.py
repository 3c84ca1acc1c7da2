# SPDX-License-Identifier: Apache-2.0
"""ONNX operators that TVM's importer gets wrong though it reads all they say."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tvm
from tvm import relax
from tvm.relax import op as R
from tvm.relax.frontend.onnx.onnx_frontend import get_type

from tvmgo.compiler.onnx_nodes import leaves_out
from tvmgo.compiler.relax.expressions import is_float, is_number
from tvmgo.compiler.relax.importing.narrow import convert_matmul_nbits
from tvmgo.compiler.relax.importing.recurrent import convert_recurrent
from tvmgo.compiler.relax.importing.trees import convert_trees
from tvmgo.compiler.relax.passes.rewrite.rounding import to_float8
from tvmgo.exceptions import ExportError

# Converts or checks a node, given its inputs (None beyond the last), its attributes and its place
# for errors. Returns an expression, or None where TVM's converter does right; raises where neither
# does.
Inputs = list[Any]
Attributes = dict[str, Any]
Converter = Callable[[relax.BlockBuilder, Inputs, Attributes, str], Any]


def convert_cast(bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, _: str) -> Any:
    """TVM does not know how what is too large for eight bits is rounded.

    It would compute what is made of constants of two bytes, which kernels read as they are, and does
    not ask a bfloat16 whether it is finite before it becomes an integer.
    """
    dtype = get_type(attributes["to"])
    if str(inputs[0].ty.dtype) == "bfloat16" and "float" not in dtype:
        inputs[0] = bb.normalize(R.astype(inputs[0], "float32"))
    if dtype == "float32" and is_constant_half(inputs[0]):
        return R.astype(inputs[0], dtype)
    said = {
        "saturate": bool(attributes.get("saturate", 1)),
        "mode": attributes.get("round_mode", b"up").decode(),
    }
    if not dtype.startswith("float8") or said == {"saturate": True, "mode": "up"}:
        return None
    return to_float8(bb, inputs[0], dtype, **said)


def is_constant_half(x: relax.Expr) -> bool:
    return isinstance(x, tvm.ir.GenericConst) and str(x.ty.dtype) in ("float16", "bfloat16")


def convert_is_inf(bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, _: str) -> Any:
    """TVM does not tell the two infinities apart."""
    (x,) = inputs
    wanted = [attributes.get(f"detect_{sign}", 1) for sign in ("positive", "negative")]
    if all(wanted):
        return R.isinf(x)
    if not any(wanted):
        return R.zeros(x.ty.shape, "bool")
    return R.equal(x, relax.const(np.inf if wanted[0] else -np.inf, x.ty.dtype))


def convert_sequence_insert(
    bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, where: str
) -> Any:
    """TVM counts negative places from behind the last tensor; -1 is before it."""
    sequence, tensor, position = inputs[0], inputs[1], inputs[2]
    if not isinstance(position, tvm.ir.GenericConst):
        return None
    place, length = int(position.value.numpy()), len(sequence)
    if not -length <= place <= length:
        raise ExportError(where, f"a sequence of {length} has no place {place}", "correct it")
    tensors = list(sequence)
    tensors.insert(place, tensor)
    return relax.Tuple(tensors)


def convert_space_to_depth(
    bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, _: str
) -> Any:
    """TVM knows one of the two orders of the new channels."""
    (x,) = inputs
    block = attributes["blocksize"]
    n, c, h, w = map(int, x.ty.shape)
    x = R.reshape(x, (n, c, h // block, block, w // block, block))
    crd = attributes.get("mode", b"DCR") == b"CRD"
    x = R.permute_dims(x, [0, 1, 3, 5, 2, 4] if crd else [0, 3, 5, 1, 2, 4])
    return R.reshape(x, (n, c * block * block, h // block, w // block))


def convert_bit_shift(
    bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, _: str
) -> Any:
    """Processors take a shift modulo the width; the standard shifts all bits out."""
    x, shift = inputs
    dtype = np.dtype(str(x.ty.dtype))
    last = relax.const(dtype.itemsize * 8 - 1, dtype)
    zero = relax.const(0, dtype)
    fits = R.less_equal(shift, last)
    if dtype.kind == "i":
        fits = R.logical_and(fits, R.greater_equal(shift, zero))
    if attributes["direction"] == b"LEFT":
        return R.where(fits, R.left_shift(x, R.where(fits, shift, zero)), zero)
    if dtype.kind == "i":  # the sign fills up from the left
        return R.right_shift(x, R.where(fits, shift, last))
    return R.where(fits, R.right_shift(x, R.where(fits, shift, zero)), zero)


def convert_mod(bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, _: str) -> Any:
    """TVM computes a - floor(a / b) * b for floats, which inf spoils, as it does the sign of 0."""
    a, b = inputs
    if attributes.get("fmod", 0) or not is_float(a):
        return None
    zero = relax.const(0.0, a.ty.dtype)
    rest = bb.emit(R.mod(a, b))  # of C: with the sign of a; the result has that of b
    other_sign = R.logical_xor(R.less(rest, zero), R.less(b, zero))
    rounded = R.where(other_sign, R.add(rest, b), rest)
    signed_zero = R.where(R.less(b, zero), relax.const(-0.0, a.ty.dtype), zero)
    return R.where(R.equal(rest, zero), signed_zero, rounded)


def convert_clip(bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, _: str) -> Any:
    """TVM calls kernels here instead of operators, which `passes.rewrite` could not improve."""
    x = inputs[0]
    for i, name, limit, free in ((1, "min", R.maximum, -np.inf), (2, "max", R.minimum, np.inf)):
        bound = inputs[i]
        if name in attributes:  # up to opset 10
            bound = relax.const(attributes[name], x.ty.dtype)
        if bound is None:
            continue
        if is_float(x) and not is_number(bound):
            bound = R.where(R.isnan(bound), relax.const(free, x.ty.dtype), bound)
        x = bb.normalize(limit(x, bound))
    return x


def convert_thresholded_relu(
    bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, _: str
) -> Any:
    """TVM multiplies by 0, which makes NaN of -inf and -0 of what is negative."""
    (x,) = inputs
    alpha = relax.const(attributes.get("alpha", 1.0), x.ty.dtype)
    return R.where(R.greater(x, alpha), x, relax.const(0, x.ty.dtype))


def in_pairs(combine: Callable[..., Any]) -> Converter:
    """TVM copies the tensors into one and reduces that, which nothing can be computed with."""

    def convert(bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, _: str) -> Any:
        return functools.reduce(lambda a, b: bb.normalize(combine(a, b)), inputs)

    return convert


def convert_mean(bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, where: str) -> Any:
    total = in_pairs(R.add)(bb, inputs, attributes, where)
    return R.divide(total, relax.const(len(inputs), total.ty.dtype))


def check_roi_align(
    bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, where: str
) -> None:
    """TVM shifts regions by half a pixel before it scales them, not after.

    Shifted back and by the right distance here, they come out right; at scale 1 that is nothing.
    """
    scale = attributes.get("spatial_scale", 1.0)
    if attributes.get("coordinate_transformation_mode", b"half_pixel") == b"half_pixel":
        rois = inputs[1]
        shift = relax.const(np.array(0.5 - 0.5 / scale, str(rois.ty.dtype)))
        inputs[1] = bb.normalize(R.add(rois, shift))
    if attributes.get("mode", b"avg") == b"max":
        raise ExportError(
            where,
            "mode=max takes the largest of weighted corners, TVM the largest of interpolations",
            "use mode=avg",
        )


def refuse_odd_scales(
    bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, where: str
) -> None:
    """TVM derives the scales from the sizes, so that they must be what those sizes imply."""
    scales = inputs[2] if len(inputs) > 2 else None
    if not isinstance(scales, tvm.ir.GenericConst):
        return
    for size, scale in zip(inputs[0].ty.shape, scales.value.numpy().tolist()):
        if abs(int(size) * scale - round(int(size) * scale)) > 1e-3:
            raise ExportError(
                where,
                f"scale {scale:g} makes no whole number of {int(size)}, and TVM would compute with "
                "another scale",
                "pass the sizes",
            )


def refuse_constants_out_of_range(
    bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, where: str
) -> None:
    """What is out of range at run time is clamped, but a constant is an error of the model."""
    data, indices = inputs[:2]
    if not isinstance(indices, tvm.ir.GenericConst) or not isinstance(data.ty, relax.TensorType):
        return
    values = indices.value.numpy()
    if where.endswith("ND"):  # a coordinate for each of some axes
        first = attributes.get("batch_dims", 0)
        sizes = list(data.ty.shape)[first : first + values.shape[-1]]
    else:
        sizes = [data.ty.shape[attributes.get("axis", 0)]]
    # An open dimension is as large as need be; at run time it is clamped to.
    most = np.iinfo("int64").max
    limits = np.array([int(s) if isinstance(s, tvm.tirx.IntImm) else most for s in sizes])
    if ((values < -limits) | (values >= limits)).any():
        raise ExportError(where, f"an index is out of range of {limits.tolist()}", "correct it")


def size_or_name(size: Any) -> int | str:
    return int(size) if isinstance(size, tvm.tirx.IntImm) else str(size)


def refuse_small_indices(
    bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, where: str
) -> None:
    """What the first step wrote otherwise, where it knew the shapes."""
    refuse_constants_out_of_range(bb, inputs, attributes, where)
    data, indices = (tuple(map(size_or_name, each.ty.shape)) for each in inputs[:2])
    if leaves_out(data, indices, attributes.get("axis", 0)):
        raise ExportError(
            where,
            f"indices of shape {indices} do not cover data of shape {data}, "
            "which TVM's kernel scatters wrongly",
            "use ScatterND",
        )


CONVERTERS: dict[str, Converter] = {
    "BitShift": convert_bit_shift,
    "Cast": convert_cast,
    "Clip": convert_clip,
    "Gather": refuse_constants_out_of_range,
    "GatherElements": refuse_constants_out_of_range,
    "GatherND": refuse_constants_out_of_range,
    "IsInf": convert_is_inf,
    "MatMulNBits": convert_matmul_nbits,
    "Max": in_pairs(R.maximum),
    "Mean": convert_mean,
    "Min": in_pairs(R.minimum),
    **{name: convert_recurrent(name) for name in ("GRU", "LSTM", "RNN")},
    "Mod": convert_mod,
    "Resize": refuse_odd_scales,
    "RoiAlign": check_roi_align,
    "ScatterElements": refuse_small_indices,
    "ScatterND": refuse_constants_out_of_range,
    "SequenceInsert": convert_sequence_insert,
    "SpaceToDepth": convert_space_to_depth,
    "Sum": in_pairs(R.add),
    "ThresholdedRelu": convert_thresholded_relu,
    "TreeEnsembleRegressor": convert_trees,
}
