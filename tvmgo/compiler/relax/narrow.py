# SPDX-License-Identifier: Apache-2.0
"""Products with constant weights of few bits in a Relax module, which has no operator for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tvm import relax
from tvm.relax import op as R

from tvmgo.compiler.relax.described import described_call
from tvmgo.compiler.relax.expressions import known_shape

NARROW = "tvmgo.narrow_product"

COLUMNS = 16  # side by side: vectors of all processors divide it
WORD = 32  # bits of what integers of a column are packed into


@dataclass(frozen=True)
class Narrow:
    """What the weights are, and how they lie in memory.

    Columns of the matrix stand in groups of `COLUMNS`, filled up with zeros. Of a group, each row of
    `COLUMNS` elements holds the same rows of the matrix: one of float16 or bfloat16, or as many
    unsigned integers as 32 bits hold, the first in the lowest bits.

    Attributes
    ----------
    kind : str
        ``"float16"``, ``"bfloat16"`` or ``"integer"``.
    columns : int
        Of the matrix.
    bits : int
        Of a weight.
    block : int
        Rows that have a scale, and a zero point, for each column; 0 for floats, which have none.
    zero : int
        The zero point of all, if that is no argument of its own.
    """

    kind: str
    columns: int
    bits: int = 16
    block: int = 0
    zero: int = 0

    @property
    def steps(self) -> int:
        """Rows in an element."""
        return WORD // self.bits if self.kind == "integer" else 1


def halves(weights: np.ndarray) -> tuple[Narrow, list[np.ndarray]]:
    """Pack a matrix of float16 or bfloat16."""
    kind = str(weights.dtype)
    content = weights if kind == "float16" else weights.view(np.uint16)
    return Narrow(kind, weights.shape[1]), [in_groups(content)]


def integers(
    values: np.ndarray, scales: np.ndarray, zeros: np.ndarray, bits: int
) -> tuple[Narrow, list[np.ndarray]]:
    """Pack a matrix of unsigned integers.

    Parameters
    ----------
    values : numpy.ndarray
        Of shape (rows, columns), of uint8; the rows are a multiple of the blocks.
    scales, zeros : numpy.ndarray
        Of shape (blocks, columns); float32, and integers of as many bits as the values.
    bits : int
        2, 4 or 8; blocks fill words of `WORD` bits.
    """
    rows, columns = values.shape
    steps, block = WORD // bits, rows // len(scales)
    assert block % steps == 0
    words = np.zeros((rows // steps, columns), np.uint32)
    for step in range(steps):
        words |= values[step::steps].astype(np.uint32) << np.uint32(bits * step)
    constants = [in_groups(words.view(np.int32)), in_groups(scales.astype(np.float32))]
    first = int(zeros.flat[0])
    if (zeros == first).all():
        return Narrow("integer", columns, bits, block, first), constants
    constants.append(in_groups(zeros.astype(np.uint8)))
    return Narrow("integer", columns, bits, block), constants


def in_groups(matrix: np.ndarray) -> np.ndarray:
    """Return a matrix as (groups, rows, columns of a group)."""
    rows, columns = matrix.shape
    filled = np.zeros((rows, -(-columns // COLUMNS) * COLUMNS), matrix.dtype)
    filled[:, :columns] = matrix
    return np.ascontiguousarray(filled.reshape(rows, -1, COLUMNS).swapaxes(0, 1))


def narrow_product(
    bb: relax.BlockBuilder, x: relax.Expr, what: Narrow, constants: Sequence[np.ndarray]
) -> relax.Expr:
    """Return the product of `x` with weights, in float32 arithmetic and the element type of `x`."""
    shape, dtype = known_shape(x), str(x.ty.dtype)
    rows = constants[0].shape[1] * what.steps
    if rows > shape[-1]:  # the last block is longer than the matrix
        sides = [0, 0] * (len(shape) - 1) + [0, rows - shape[-1]]
        x = bb.emit(R.nn.pad(x, sides, "constant", 0))
    arguments: list[Any] = [x, *(relax.const(each, str(each.dtype)) for each in constants)]
    result = relax.TensorType((*shape[:-1], what.columns), dtype)
    return described_call(NARROW, asdict(what), arguments, result)
