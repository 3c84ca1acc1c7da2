# SPDX-License-Identifier: Apache-2.0
"""Which floats are quantised, and of what they were computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tvm import relax

from tvmgo.compiler.relax.expressions import constant, known_shape
from tvmgo.compiler.relax.passes.quantized.reading import BYTES, Reader, single
from tvmgo.compiler.relax.passes.quantized.rounding import Rounding, quantised
from tvmgo.compiler.relax.passes.quantized.sums import Sums

LIMITING = ("relax.nn.relu", "relax.clip", "relax.maximum", "relax.minimum")


@dataclass(frozen=True)
class Steps:
    """What floats are quantised by: one scale, or one for each place along an axis.

    The result is uint8. If int8 is wanted, that is what it is more than 128, and so is `zero`.
    """

    scale: np.ndarray
    axis: int
    zero: int
    signed: bool

    def byte_of(self, limit: float) -> int:
        """Return what a limit becomes, by the only scale."""
        near = np.rint(np.float64(limit) / self.scale[0]) + self.zero
        return int(np.clip(near, 0, 255))


class Quantizer:
    """Rewrites ``quantize``.

    Parameters
    ----------
    builder : relax.BlockBuilder
    reader : Reader
    sums : Sums
    """

    def __init__(self, builder: relax.BlockBuilder, reader: Reader, sums: Sums) -> None:
        self.builder = builder
        self.reader = reader
        self.sums = sums
        self.known: dict[relax.Var, bool] = {}

    def quantize(self, call: relax.Call) -> relax.Expr | None:
        x = call.args[0]
        steps = steps_of(call)
        if steps is None:
            return None
        found = self.unchanged(x, steps)
        if found is not None and str(found.ty.dtype) == "int8":
            return found
        if found is None:
            found = self.requantised(x, steps)
        if found is None:
            found = self.rounded(x, steps)
        return self.reader.signed(self.reader.emit(found)) if steps.signed else found

    def unchanged(self, x: relax.Expr, steps: Steps) -> relax.Expr | None:
        """Return bytes that were only moved since they were dequantised."""
        known = self.reader.bytes_of(x) if steps.scale.size == 1 else None
        if known is None or known.scale != steps.scale[0] or not isinstance(known.zero, int):
            return None
        signed = str(known.value.ty.dtype) == "int8"
        same = known.zero + 128 * signed == steps.zero and steps.signed >= signed
        return known.value if same else None

    def requantised(self, x: relax.Expr, steps: Steps) -> relax.Expr | None:
        """Return bytes of sums; what limits these first, limits the bytes."""
        inner, least, most = self.without_limits(x)
        scaled = self.sums.scaled_of(inner)
        one = steps.scale.size == 1
        if scaled is None or not (one or (scaled.factor.size == 1 and inner.same_as(x))):
            return None
        limits = (steps.byte_of(least), steps.byte_of(most)) if one else (0, 255)
        factor = scaled.factor.astype("float32") / steps.scale
        rounding = Rounding(steps.zero, limits)
        axis = scaled.axis if one else steps.axis
        return quantised(self.builder, scaled.sums, factor, axis, rounding, name="requantize")

    def rounded(self, x: relax.Expr, steps: Steps) -> relax.Expr:
        """Return bytes of floats; exactly those that ONNX says, if the floats are not of bytes."""
        exact = not self.is_of_bytes(x)
        factor = steps.scale if exact else 1 / steps.scale
        rounding = Rounding(steps.zero, divide=exact)
        return quantised(self.builder, x, factor, steps.axis, rounding, name="quantize")

    def without_limits(self, x: relax.Expr) -> tuple[relax.Expr, float, float]:
        """Return what is limited, and the limits that all steps to `x` have together."""
        found = []
        while (step := self.limits_at(x)) is not None:
            x, *limits = step
            found.append(limits)
        least, most = -np.inf, np.inf
        for low, high in reversed(found):
            least, most = (min(max(each, low), high) for each in (least, most))
        return x, least, most

    def limits_at(self, x: relax.Expr) -> tuple[relax.Expr, float, float] | None:
        """Return what one step limits, and its limits."""
        call = self.reader.call(x, *LIMITING)
        if call is None or known_shape(call.args[0]) != known_shape(x):
            return None
        low, high = 0.0, np.inf
        if call.op.name == "relax.clip":
            low, high = (float(each.value) for each in call.args[1:])
        elif call.op.name != "relax.nn.relu":
            limit = single(call.args[1])
            if limit is None:
                return None
            at_least = call.op.name == "relax.maximum"
            low, high = (float(limit), np.inf) if at_least else (-np.inf, float(limit))
        return None if np.isnan(low) or np.isnan(high) else (call.args[0], low, high)

    def is_of_bytes(self, x: relax.Expr) -> bool:
        """Whether floats were computed of bytes."""
        if not isinstance(x, relax.Var):
            return False
        if x not in self.known:
            value = self.reader.define(x)
            self.known[x] = isinstance(value, relax.Call) and (
                self.reader.call(x, "relax.dequantize") is not None
                or self.sums.is_sum(x)
                or any(self.is_of_bytes(each) for each in value.args)
            )
        return self.known[x]


def steps_of(call: relax.Call) -> Steps | None:
    """Return what a call quantises by, if that is known and the result are bytes of float32."""
    x, scale, zero = call.args
    content, offset = constant(scale), single(zero)
    dtype = str(call.attrs.out_dtype)
    if content is None or offset is None or dtype not in BYTES or str(x.ty.dtype) != "float32":
        return None
    content = content.astype("float32").reshape(-1)
    if not (np.isfinite(content) & (content >= np.finfo("float32").tiny)).all():
        return None  # a factor in its place might not be finite
    axis = int(call.attrs.axis) % max(len(known_shape(x)), 1)
    signed = dtype == "int8"
    return Steps(content, axis, int(offset) + 128 * signed, signed)
