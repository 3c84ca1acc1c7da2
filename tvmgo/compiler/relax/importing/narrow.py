# SPDX-License-Identifier: Apache-2.0
"""MatMulNBits of com.microsoft, as simplified models have it."""

from __future__ import annotations

from typing import Any

import numpy as np
from tvm import relax

from tvmgo.compiler.relax.expressions import constant
from tvmgo.compiler.relax.narrow import integers, narrow_product
from tvmgo.compiler.short_integers import unpacked


def convert_matmul_nbits(
    bb: relax.BlockBuilder, inputs: Any, attributes: Any, _: str
) -> relax.Expr:
    x, *others = (inputs[i] for i in range(4))
    packed, scales, zeros = (None if each is None else constant(each) for each in others)
    columns, bits, block = (int(attributes[name]) for name in ("N", "bits", "block_size"))
    for implied in ("K", "accuracy_level", "weight_prepacked"):
        attributes.get(implied)
    assert packed is not None and scales is not None  # others are said otherwise
    values = unpacked(packed.reshape(columns, -1), bits)
    scales = scales.reshape(columns, -1)
    if zeros is None:
        offsets = np.full(scales.shape, 1 << (bits - 1))
    else:
        offsets = unpacked(zeros.reshape(columns, -1), bits)[:, : scales.shape[1]]
    assert values.shape[1] == scales.shape[1] * block
    what, constants = integers(values.T, scales.T, offsets.T, bits)
    return narrow_product(bb, x, what, constants)
