# SPDX-License-Identifier: Apache-2.0
"""Bytes of floats, in few instructions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from tvm import relax, te, tirx

from tvmgo.compiler.relax.expressions import known_shape

# Added to a float32 of less than 2**22, it leaves the whole number that is nearest, of two the even
# one, in the lowest bits.
MAGIC = np.float32(1.5 * 2**23)


@dataclass(frozen=True)
class Rounding:
    """How floats become bytes, of uint8.

    Attributes
    ----------
    zero : int
    limits : tuple of int
        The least and the largest byte.
    divide : bool
        Whether the factor is one to divide by.
    """

    zero: int
    limits: tuple[int, int] = (0, 255)
    divide: bool = False

    def apply(self, value: Any, factor: Any) -> Any:
        """Return the byte of a number, which is NaN for no byte in particular."""
        value = value.astype("float32")
        value = value / factor if self.divide else value * factor
        # Limits are whole numbers, so that it makes no difference which comes first.
        least, most = (tirx.const(float(limit - self.zero), "float32") for limit in self.limits)
        limited = tirx.min(tirx.max(value, least), most)
        bits = tirx.reinterpret("int32", limited + tirx.const(float(MAGIC), "float32"))
        offset = self.zero - int(MAGIC.view("int32"))
        return (bits + tirx.const(offset, "int32")).astype("uint8")


def quantised(
    builder: relax.BlockBuilder,
    x: relax.Expr,
    factor: np.ndarray,
    axis: int,
    rounding: Rounding,
    *,
    name: str,
) -> relax.Expr:
    """Return bytes of `x` by a factor: one, or one for each place along an axis."""
    shape = known_shape(x)
    if factor.size == 1:
        only = tirx.const(float(factor.reshape(())), "float32")

        def by_one(tensor: te.Tensor) -> te.Tensor:
            return te.compute(shape, lambda *i: rounding.apply(tensor(*i), only))

        return builder.call_te(by_one, x, primfunc_name_hint=name)

    own = [size if i == axis else 1 for i, size in enumerate(shape)]

    def by_many(tensor: te.Tensor, factors: te.Tensor) -> te.Tensor:
        def element(*i: Any) -> Any:
            place = [each if k == axis else 0 for k, each in enumerate(i)]
            return rounding.apply(tensor(*i), factors(*place))

        return te.compute(shape, element)

    factors = relax.const(factor.astype("float32").reshape(own))
    return builder.call_te(by_many, x, factors, primfunc_name_hint=name)
