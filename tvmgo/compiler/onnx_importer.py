# SPDX-License-Identifier: Apache-2.0
"""TVM's ONNX importer, watched.

TVM converts an operator without looking at all that the node says: an attribute that its converter
does not know is as good as absent, and the result silently another. So each converter gets
attributes and inputs that note who looks at them, and what nobody has looked at is refused, unless
it is the operator's default or one of `HARMLESS`. What converters read and get wrong all the same
is in `CONVERTERS`, which come before TVM's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import onnx
import tvm
from tvm import relax
from tvm.relax import op as R
from tvm.relax.frontend.onnx.onnx_frontend import ONNXGraphImporter, onnx_input

from tvmgo.compiler.errors import REWRITE_OPERATOR, ExportError
from tvmgo.compiler.replace import is_float, is_number


def from_onnx(model: Any, shapes: Mapping[str, list[int]]) -> tvm.IRModule:
    """Convert a model whose inputs have these shapes; input names are kept."""
    opset = next((each.version for each in model.opset_import if each.domain in ONNX_DOMAINS), 1)
    refuse_placeholders(model.graph)
    return WatchedImporter(shapes, "float32", sanitize=False).from_onnx(model.graph, opset)


ONNX_DOMAINS = ("", "ai.onnx")

# Attributes that say what another one or the shapes say too, or nothing about the result.
HARMLESS = {
    ("Dropout", "seed"),  # of random numbers that inference does not draw
    ("Split", "num_outputs"),  # the node has that many
}


# Of these, the importer makes the first output, and placeholders for the others. Where those are
# outputs of the model, their types give them away; between nodes, nothing would.
WITH_PLACEHOLDERS = {"Attention", "Dropout", "LayerNormalization", "SkipLayerNormalization"}


def refuse_placeholders(graph: Any) -> None:
    used = {name for node in graph.node for name in node.input if name}
    for node in graph.node:
        for position, name in enumerate(node.output):
            if position and name in used and node.op_type in WITH_PLACEHOLDERS:
                raise refuse(place_of(node.name, node.op_type), f"output {position}, `{name}`,")


def place_of(node: str, name: str) -> str:
    return f"node `{node}`, operator {name}" if node else f"operator {name}"


class Attributes(dict[str, Any]):
    """Attributes of a node; knows which were looked at."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.seen = {"tvm_custom"}  # put there by the importer, not by the model

    def __getitem__(self, name: str) -> Any:
        self.seen.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.seen.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 (this is `get`)


class Inputs(onnx_input):  # type: ignore[misc]  # of type Any
    """Inputs of a node, None beyond the last as in TVM's own; knows which were looked at."""

    def __init__(self, values: list[Any]) -> None:
        super().__init__(values)
        self.seen: set[int] = set()

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            stop = len(self) if index.stop is None else index.stop
            return [self[i] for i in range(stop)[index]]
        self.seen.add(index % max(len(self), 1) if index < 0 else index)
        return list.__getitem__(self, index) if index < len(self) else None

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))


class WatchedImporter(ONNXGraphImporter):  # type: ignore[misc]  # of type Any
    """TVM's importer, which refuses what it would pass over."""

    def _convert_operator(
        self, name: str, inputs: list[Any], attributes: dict[str, Any], opset: int
    ) -> Any:
        watched, arguments = Attributes(attributes), Inputs(inputs)
        where = place_of(attributes["tvm_custom"]["name"], name)
        convert = CONVERTERS.get(name)
        result = convert and convert(self.bb, arguments, watched, where)
        if result is None:
            result = super()._convert_operator(name, arguments, watched, opset)
        for unseen in attributes.keys() - watched.seen:
            value = attributes[unseen]
            if (name, unseen) not in HARMLESS and value != default_of(name, unseen, opset):
                raise refuse(where, f"{unseen}={printable(value)}")
        for position, value in enumerate(inputs):
            if position not in arguments.seen and not is_absent(value):
                raise refuse(where, f"input {position}")
        return self.bb.normalize(result) if isinstance(result, relax.Expr) else result


def refuse(where: str, what: str) -> ExportError:
    reason = f"TVM's importer would ignore {what} and compute something else"
    return ExportError(where, reason, REWRITE_OPERATOR)


def default_of(name: str, attribute: str, opset: int) -> Any:
    """Return what the standard takes an attribute for that is not there, as TVM parses it."""
    try:
        default = onnx.defs.get_schema(name, opset, "").attributes[attribute].default_value
    except (onnx.defs.SchemaError, KeyError):
        return None
    value = onnx.helper.get_attribute_value(default) if default.type else None
    return tuple(value) if isinstance(value, list) else value


def is_absent(value: Any) -> bool:
    """Whether an input that no converter looks at says nothing: left out, or a constant False."""
    if isinstance(value, tvm.ir.GenericConst):
        return not value.value.numpy().any()
    return value is None


def printable(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


# Converters of our own: of operators that TVM's importer gets wrong though it reads all they say.
# Each returns an expression, or None where TVM's converter does right, or refuses.

Converter = Callable[[relax.BlockBuilder, Inputs, Attributes, str], Any]


def convert_is_inf(bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, _: str) -> Any:
    """TVM does not tell the two infinities apart."""
    (x,) = inputs
    wanted = [attributes.get(f"detect_{sign}", 1) for sign in ("positive", "negative")]
    if all(wanted):
        return R.isinf(x)
    if not any(wanted):
        return R.zeros(x.ty.shape, "bool")
    return R.equal(x, relax.const(np.inf if wanted[0] else -np.inf, x.ty.dtype))


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
    """TVM calls kernels here instead of operators, which `replace` could not improve."""
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


def refuse_maximum_of_corners(
    bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, where: str
) -> None:
    if attributes.get("mode", b"avg") == b"max":
        raise ExportError(
            where,
            "mode=max takes the largest of weighted corners, TVM the largest of interpolations",
            "use mode=avg",
        )


def refuse_training(
    bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, where: str
) -> None:
    if attributes.get("training_mode", 0):
        raise ExportError(
            where,
            "training_mode=1 takes statistics of the batch, which TVM's importer gets wrong",
            "export the model for inference",
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
    limits = np.array([int(size) for size in sizes])
    if ((values < -limits) | (values >= limits)).any():
        raise ExportError(where, f"an index is out of range of {limits.tolist()}", "correct it")


def refuse_small_indices(
    bb: relax.BlockBuilder, inputs: Inputs, attributes: Attributes, where: str
) -> None:
    """TVM's kernel takes the strides of `data` for those of `indices`, except along the axis."""
    refuse_constants_out_of_range(bb, inputs, attributes, where)
    data, indices = (tuple(map(int, each.ty.shape)) for each in inputs[:2])
    axis = attributes.get("axis", 0) % len(data)
    # No stride depends on the size of the axis itself, of the first one, and of the next one.
    if any(a != b and i not in (0, axis, axis + 1) for i, (a, b) in enumerate(zip(data, indices))):
        raise ExportError(
            where,
            f"indices of shape {indices} do not cover data of shape {data}, "
            "which TVM's kernel scatters wrongly",
            "use ScatterND",
        )


CONVERTERS: dict[str, Converter] = {
    "BatchNormalization": refuse_training,
    "BitShift": convert_bit_shift,
    "Clip": convert_clip,
    "Gather": refuse_constants_out_of_range,
    "GatherElements": refuse_constants_out_of_range,
    "GatherND": refuse_constants_out_of_range,
    "IsInf": convert_is_inf,
    "Mod": convert_mod,
    "Resize": refuse_odd_scales,
    "RoiAlign": refuse_maximum_of_corners,
    "ScatterElements": refuse_small_indices,
    "ScatterND": refuse_constants_out_of_range,
    "SpaceToDepth": convert_space_to_depth,
    "ThresholdedRelu": convert_thresholded_relu,
}
